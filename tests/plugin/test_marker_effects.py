"""What a marker says about running: retries, time limits, switched off, environments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

RETRIES = """
    import pytest
    counts = {}

    def fails_until(name, attempt):
        counts[name] = counts.get(name, 0) + 1
        assert counts[name] >= attempt, f"attempt {counts[name]}"

    @pytest.mark.workflow(retries=2)
    def test_third_time(): fails_until("third", 3)

    @pytest.mark.workflow(retries=1)
    def test_gives_up(): fails_until("never", 99)

    @pytest.mark.workflow
    def test_as_the_command_line_says(): fails_until("line", 99)

    @pytest.mark.workflow(retries=0)
    def test_never_again(): fails_until("zero", 99)

    @pytest.mark.workflow(retries=5)
    @pytest.mark.flaky(reruns=1)
    def test_own_flaky_mark(): fails_until("own", 99)

    @pytest.mark.workflow(retries=1)
    class TestClass:
        def test_inherits(self): fails_until("class", 2)
"""


@pytest.mark.parametrize("monitored", [True, False], ids=["monitored", "unmonitored"])
def test_retries_are_those_of_rerunfailures(suite: Suite, monitored: bool) -> None:
    """The marker's `retries` count, over `--reruns` too; the user's own `flaky` mark wins."""
    suite.write("test_it.py", RETRIES)
    run = suite.run("--reruns", "3", monitored=monitored)
    assert run.summary == {"passed": 2, "failed": 4, "rerun": 2 + 1 + 3 + 0 + 1 + 1}
    if monitored:
        attempts = {i: len(run.execution(i).attempts) for i in run.ids}
        assert attempts == {
            "third-time": 3,
            "gives-up": 2,
            "as-the-command-line-says": 4,
            "never-again": 1,
            "own-flaky-mark": 2,
            "inherits": 2,
        }
        assert run.execution("third-time").is_flaky
        assert [a.number for a in run.execution("third-time").attempts] == [1, 2, 3]


TRANSLATED = """
    import pytest

    @pytest.fixture
    def marks(request):
        return {
            name: (mark.args, mark.kwargs) if mark else None
            for name in ("flaky", "timeout")
            for mark in [request.node.get_closest_marker(name)]
        }

    @pytest.mark.workflow(retries=2, retry_delay="0.25s", retry_backoff=3, timeout="1m30s")
    def test_both(marks):
        assert marks["flaky"] == ((), {
            "reruns": 2, "reruns_delay": 0.25, "reruns_delay_backoff_factor": 3.0})
        assert marks["timeout"] == ((90.0,), {})

    @pytest.mark.workflow(retry_delay=5, degraded_after=1)
    def test_neither(marks):
        assert marks == {"flaky": None, "timeout": None}

    @pytest.mark.timeout(7)
    class TestOwn:
        @pytest.mark.workflow(timeout=1)
        def test_own_timeout(self, marks):
            assert marks["timeout"] == ((7,), {})
"""


def test_the_marker_is_translated_for_the_plugins_that_act(suite: Suite) -> None:
    """Delays, backoff and time limits arrive at rerunfailures and pytest-timeout as they are."""
    suite.write("test_it.py", TRANSLATED)
    assert suite.run(monitored=False).summary == {"passed": 3}


def test_without_those_plugins_the_marker_still_works(suite: Suite) -> None:
    """With `-p no:rerunfailures -p no:timeout` nobody meets marks that nobody knows."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.workflow(retries=2, timeout=1)
        def test_it(request):
            assert request.node.get_closest_marker("flaky") is None
            assert request.node.get_closest_marker("timeout") is None
        """,
    )
    run = suite.run("-p", "no:rerunfailures", "-p", "no:timeout", "--strict-markers")
    assert run.summary == {"passed": 1}
    assert run.attempt().workflow.retries == 2


def test_a_time_limit_ends_the_test(suite: Suite) -> None:
    """`timeout` is pytest-timeout's; what a step was in the middle of is timed out as well."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow(timeout=0.3)
        def test_hangs():
            with step("Wait", optional=True):
                while True: pass

        @pytest.mark.workflow(timeout=30)
        def test_speaks_of_a_timeout():
            with step("Wait"):
                pytest.fail("Timeout while waiting for the basket")
        """,
    )
    run = suite.run()
    assert run.statuses == {"hangs": Status.TIMED_OUT, "speaks-of-a-timeout": Status.FAILED}
    assert run.steps("hangs")["Wait"].status is Status.TIMED_OUT
    assert run.steps("speaks-of-a-timeout")["Wait"].status is Status.FAILED


SWITCHED_OFF = """
    import pytest

    @pytest.mark.workflow(enabled=False)
    def test_disabled(): raise RuntimeError

    @pytest.mark.workflow(environments=["production", "staging"])
    def test_elsewhere(): pass

    @pytest.mark.workflow(enabled=False)
    class TestIt:
        def test_off(self): raise RuntimeError

        @pytest.mark.workflow(enabled=True)
        def test_on_again(self): pass

    @pytest.fixture
    def broken(): raise RuntimeError

    @pytest.mark.workflow(enabled=False)
    def test_disabled_with_fixture(broken): pass
"""


def test_what_is_off_or_elsewhere_is_skipped_with_a_reason(suite: Suite) -> None:
    """`enabled=False` and another environment skip, before any fixture, and say why."""
    suite.write("test_it.py", SWITCHED_OFF)
    run = suite.run("--workflow-environment", "laptop")
    assert run.summary == {"skipped": 4, "passed": 1}
    reasons = {a.workflow.workflow_id: a.skip_reason for a in run.attempts}
    disabled = "the workflow is disabled (enabled=False)"
    assert reasons == {
        "disabled": disabled,
        "elsewhere": "runs only in production, staging, and this environment is laptop",
        "off": disabled,
        "on-again": "",
        "disabled-with-fixture": disabled,
    }
    assert run.execution("elsewhere").status is Status.SKIPPED
    plain = suite.run("-rs", monitored=False)
    assert plain.summary == {"skipped": 4, "passed": 1}
    assert "this environment is local" in plain.output
    there = suite.run(monitored=False, env={"WORKFLOW_MONITOR_ENVIRONMENT": "staging"})
    assert there.summary == {"skipped": 3, "passed": 2}


def test_a_slow_pass_is_degraded(suite: Suite) -> None:
    """`degraded_after` is about the whole attempt, and does not touch what failed."""
    suite.write(
        "test_it.py",
        """
        import pytest
        pytestmark = pytest.mark.workflow(degraded_after="1ms")

        def busy():
            from time import perf_counter
            end = perf_counter() + 0.002
            while perf_counter() < end: pass

        def test_slow(): busy()

        def test_slow_and_wrong():
            busy()
            assert False

        @pytest.mark.workflow(degraded_after="1m")
        def test_quick(): pass
        """,
    )
    run = suite.run()
    assert run.statuses == {
        "slow": Status.DEGRADED,
        "slow-and-wrong": Status.FAILED,
        "quick": Status.PASSED,
    }
    (reason,) = run.attempt("slow").degraded
    assert re.fullmatch(r"took \d+\.\d s, longer than degraded_after=0\.001 s", reason)
