from __future__ import annotations

import asyncio
import unittest

import pytest

from pytest_workflow_monitor.recording.verdicts import first_line, is_time_limit, text_of, verdict


def raised(function: object, *arguments: str) -> BaseException:
    assert callable(function)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any of pytest's own
        function(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("x"), "failed"),
        (AssertionError(), "failed"),
        (TimeoutError(), "failed"),
        (ExceptionGroup("x", [ValueError()]), "failed"),
        (raised(pytest.fail, "no"), "failed"),
        (raised(pytest.fail, "Timeout while waiting"), "failed"),
        (raised(pytest.fail, "Timeout (>1.5s) from pytest-timeout."), "timed_out"),
        (raised(pytest.fail, "Timeout >1.0s"), "timed_out"),
        (raised(pytest.skip, "no"), "skipped"),
        (raised(pytest.xfail, "no"), "skipped"),
        (unittest.SkipTest("no"), "skipped"),
        (raised(pytest.exit, "no"), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(1), "interrupted"),
        (GeneratorExit(), "interrupted"),
        (asyncio.CancelledError(), "interrupted"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_an_exception_says_about_a_step(error: BaseException, expected: str) -> None:
    """Only what is a failure of the workflow counts as one, and may be optional."""
    assert verdict(error) == expected


def test_texts_of_exceptions() -> None:
    """The message, else the type; a sentence about it takes the first line only."""
    assert text_of(ValueError("a\nb")) == "a\nb"
    assert text_of(ValueError()) == "ValueError"
    assert first_line("\n a\nb") == "a"
    assert len(first_line("x" * 1000)) == 200
    assert not is_time_limit("a Timeout (>1.0s)")
