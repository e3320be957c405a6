from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.model import Phase
from pytest_workflow_monitor.recording.errors import (
    MAX_MESSAGE,
    MAX_TRACEBACK,
    describe,
    fingerprint,
    from_text,
    normalised,
    trimmed,
)

SAME = [
    ("order 17 of 20 failed", "order 18 of 3 failed"),
    ("took 1.5 s, 1,000 rows", "took 22.75 s, 3 rows"),
    (
        "run 0192f0c1-7e2a-7cc3-8a55-0123456789ab is gone",
        "run ffffffff-ffff-4fff-bfff-ffffffffffff is gone",
    ),
    ("at 2026-01-31T23:59:59.123Z", "at 2025-12-01 00:00:00+01:00"),
    ("at 12:30:01", "at 9:05"),
    ("on 2026-01-31", "on 2020-02-29"),
    ("from 127.0.0.1:8080 refused", "from 10.0.0.254 refused"),
    ("http://localhost:5000/cart", "http://localhost:41233/cart"),
    ("<Page object at 0x7f03a1b2c3d4>", "<Page object at 0x10>"),
    ("commit 3f2a9bc1d", "commit 0123456789abcdef0123"),
    ("mail to ann.b+1@shop.example bounced", "mail to robin@other.example bounced"),
    ("\x1b[31mred\x1b[0m alert", "red alert"),
    ("two  lines\n\n here", "two lines here"),
]
DIFFERENT = [
    ("cart is empty", "order is empty"),
    ("KeyError: 'basket'", "KeyError: 'cart'"),
    ("expected Buy", "expected Sell"),
    ("feedback", "facade"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_varies_does_not_tell_failures_apart(one: str, other: str) -> None:
    """Numbers, ids, addresses and times are replaced before a fingerprint is made."""
    assert normalised(one) == normalised(other)
    assert fingerprint("E", one, "a.py:f") == fingerprint("E", other, "a.py:f")


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_words_tell_failures_apart(one: str, other: str) -> None:
    """What a person would call another failure has another fingerprint."""
    assert fingerprint("E", one, "a.py:f") != fingerprint("E", other, "a.py:f")


def test_type_and_place_tell_failures_apart() -> None:
    """The same words of another exception, or elsewhere, are another failure."""
    prints = {
        fingerprint("E", "x", "a.py:f"),
        fingerprint("F", "x", "a.py:f"),
        fingerprint("E", "x", "a.py:g"),
    }
    assert len(prints) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in prints)


@given(st.text())
def test_any_message_has_a_fingerprint(message: str) -> None:
    """Surrogates and control characters included; normalising twice changes nothing more."""
    assert len(fingerprint(message, message, message)) == 16
    assert normalised(normalised(message)) == normalised(message)


def test_a_huge_message_costs_little() -> None:
    """Only its start counts, so that megabytes of a page are not searched."""
    assert fingerprint("E", "a" * 5_000_000, "x") == fingerprint("E", "a" * 6_000_000, "x")


def test_an_exception_is_described_where_the_users_code_failed() -> None:
    """File, line, its text and the type; frames of libraries are not what failed."""

    def users_code() -> None:
        re.compile("(")

    with pytest.raises(re.error) as caught:
        users_code()
    error = describe(caught, "call")
    assert error.phase is Phase.CALL
    assert error.type == "re.error" or error.type.endswith("PatternError")
    assert error.file.endswith("tests/recording/test_errors.py")
    assert error.source_line == 're.compile("(")'
    assert error.line == users_code.__code__.co_firstlineno + 1
    assert len(error.fingerprint) == 16


def test_an_exception_without_text_is_described_too() -> None:
    """A `__str__` that fails is no reason to lose the failure."""

    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(SilentError) as caught:
        raise SilentError
    assert describe(caught, "setup").message == ""
    with pytest.raises(ValueError, match="x") as huge:
        raise ValueError("x" * 1_000_000)
    assert len(describe(huge, "teardown").message) == MAX_MESSAGE


def test_long_text_loses_its_middle() -> None:
    """The beginning says where, the end says what; both stay."""
    text = "start" + "x" * (2 * MAX_TRACEBACK) + "end"
    short = trimmed(text)
    assert short.startswith("start")
    assert short.endswith("end")
    assert len(short) < MAX_TRACEBACK + 100
    left_out = re.search(r"… (\d+) characters left out …", short)
    assert left_out is not None
    assert int(left_out[1]) + 2 * (MAX_TRACEBACK // 2) == len(text)
    assert trimmed("x" * MAX_TRACEBACK) == "x" * MAX_TRACEBACK


def test_a_failure_of_which_only_text_is_known() -> None:
    """Pytest's own rendering stands for the message and the traceback."""
    error = from_text("  [XPASS(strict)] fixed  ", "call")
    assert error.message == "[XPASS(strict)] fixed"
    assert error.phase is Phase.CALL
    assert error.fingerprint
