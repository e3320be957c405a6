"""Mistakes in markers stop the session with clear sentences, all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

MISTAKES = {
    "test_a.py": """
        import pytest

        @pytest.mark.workflow(prioritty="high")
        def test_unknown_parameter(): pass

        @pytest.mark.workflow(priority="urgent", retries=-1)
        def test_two_mistakes(): pass

        class TestIt:
            @pytest.mark.workflow(timeout=-3)
            @pytest.mark.parametrize("x", [1, 2, 3])
            def test_negative(self, x): pass
    """,
    "test_b.py": """
        import pytest
        # the mark below is on line 4

        pytestmark = [pytest.mark.workflow(timezone="Mars/Base")]

        @pytest.mark.workflow(cron="61 * * * *")
        class TestInClass:
            def test_x(self): pass
    """,
    "test_c.py": """
        import pytest

        @pytest.mark.workflow("same")
        def test_first(): pass

        @pytest.mark.workflow("same")
        def test_second(): pass

        class Hostile:
            def __repr__(self):
                raise RuntimeError

        @pytest.mark.workflow("one", "two")
        def test_positional(): pass

        @pytest.mark.workflow("third", owner=Hostile())
        def test_hostile(): pass

        @pytest.mark.workflow("fourth", owner="x" * 5000 + "\\n" * 3, type={"a": "\\n"})
        def test_long(): pass
    """,
}
SENTENCES = [
    (
        "test_a.py:3: workflow marker: unknown parameter 'prioritty'; did you mean 'priority'? "
        "Allowed are id, name, *"
    ),
    "test_a.py:6: workflow marker: priority='urgent': expected one of critical, high, medium, low.",
    "test_a.py:6: workflow marker: retries=-1: expected a whole number from 0 to 100.",
    "test_a.py:10: workflow marker: timeout=-3: a duration cannot be negative or infinite; *",
    "test_b.py:4: workflow marker: timezone='Mars/Base': expected an IANA time zone *",
    (
        "test_b.py:6: workflow marker: cron='61 * * * *': the minute field '61': 61 is out of "
        "range; allowed 0-59."
    ),
    (
        "test_c.py:13: workflow marker: workflow() takes one positional argument, the id, but got "
        "2: ('one', 'two')."
    ),
    "test_c.py:16: workflow marker: owner=<Hostile>: expected a text.",
    "test_c.py:19: workflow marker: type={'a': '\\n'}: expected a text.",
    (
        "test_c.py:6: workflow id 'same' of test_c.py::test_second is taken by "
        "test_c.py::test_first (test_c.py:3); each workflow needs an id of its own, *"
    ),
]


@pytest.mark.parametrize("monitored", [True, False], ids=["monitored", "unmonitored"])
def test_all_mistakes_are_told_at_once(suite: Suite, monitored: bool) -> None:
    """One sentence each with file, line, value and what is allowed; exit code 4, no test runs."""
    for name, code in MISTAKES.items():
        suite.write(name, code)
    run = suite.run(monitored=monitored)
    assert run.result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in run.result.errlines if line.startswith(("ERROR: test_", "test_"))]
    assert len(lines) == len(SENTENCES), run.output
    for sentence in SENTENCES:
        pattern = sentence.replace("[", "[[]")
        run.result.stderr.fnmatch_lines([f"*{pattern}"])
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output
    assert not run.attempts


def test_workers_tell_mistakes_as_clearly(suite: Suite) -> None:
    """Under xdist the same sentences come as a failed collection: no traceback, no test runs."""
    for name, code in MISTAKES.items():
        suite.write(name, code)
    run = suite.run("-n", "2")
    assert run.result.ret not in {0, pytest.ExitCode.NO_TESTS_COLLECTED}, run.output
    for sentence in SENTENCES:
        pattern = sentence.replace("[", "[[]")
        run.result.stdout.fnmatch_lines([f"*{pattern}"])
    assert run.output.count("retries=-1") == 1, run.output
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output
    assert "KeyError" not in run.output
    assert not run.attempts


def test_a_mistake_in_one_file_does_not_hide_a_broken_import_in_another(suite: Suite) -> None:
    """Whoever has both kinds of mistakes sees both."""
    suite.write("test_a.py", MISTAKES["test_a.py"])
    suite.write("test_broken.py", "import no_such_module\n")
    run = suite.run()
    assert run.result.ret not in {0, 1, pytest.ExitCode.INTERNAL_ERROR}
    assert "priority='urgent'" in run.output
    assert "no_such_module" in run.output


def test_the_marker_is_registered_and_documented(suite: Suite) -> None:
    """`--strict-markers` knows it; `pytest --markers` lists it with every parameter."""
    suite.write("test_it.py", "import pytest\n@pytest.mark.workflow\ndef test_x(): pass")
    assert suite.run("--strict-markers").summary == {"passed": 1}
    text = suite.run("--markers", monitored=False).output
    (line,) = (line for line in text.splitlines() if line.startswith("@pytest.mark.workflow("))
    from pytest_workflow_monitor.recording.marker import PARAMETERS

    for name in PARAMETERS:
        assert f"{name}=" in line or f" {name}," in line, name


def test_mistakes_are_refused_before_anything_is_deselected(suite: Suite) -> None:
    """`-k` and `-m` do not hide a mistake, so that CI's small runs find it too."""
    suite.write("test_a.py", MISTAKES["test_a.py"])
    suite.write("test_ok.py", "def test_ok(): pass")
    assert suite.run("-k", "test_ok").result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    "parameter", ["timeout", "retry_delay", "degraded_after", "grace", "limit"]
)
def test_a_duration_longer_than_any_clock_is_a_mistake(suite: Suite, parameter: str) -> None:
    """It is refused when it is collected, instead of ending pytest or the scheduler."""
    mark = f"@pytest.mark.workflow({parameter}=1e99)"
    suite.write("test_a.py", f"import pytest\n{mark}\ndef test_long(): pass")
    run = suite.run()
    assert run.result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"{parameter}=1e+99: expected a duration up to 366d." in run.output
