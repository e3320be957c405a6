"""Every status occurs when it should: plain, on xdist workers, and with retries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Phase, Status

if TYPE_CHECKING:
    from tests.plugin.conftest import Run, Suite

WAYS = pytest.mark.parametrize(
    "options", [[], ["-n", "2"], ["--reruns", "1"]], ids=["plain", "xdist", "retries"]
)

OUTCOMES = """
    import pytest
    from pytest_workflow_monitor import step, degrade

    @pytest.fixture
    def broken_setup():
        with step("Prepare"):
            raise RuntimeError("no database")

    @pytest.fixture
    def broken_teardown():
        yield
        with step("Clean up"):
            raise RuntimeError("cannot delete")

    @pytest.mark.workflow
    def test_passes(): pass

    @pytest.mark.workflow
    def test_degrades(): degrade("half the shelves are empty")

    @pytest.mark.workflow
    def test_fails(): assert 1 == 2, "one is not two"

    @pytest.mark.workflow
    def test_raises(): raise KeyError("cart")

    @pytest.mark.workflow
    def test_setup(broken_setup): pass

    @pytest.mark.workflow
    def test_teardown(broken_teardown): pass

    @pytest.mark.workflow
    def test_fails_twice(broken_teardown): assert False, "first"

    @pytest.mark.workflow
    def test_skips(): pytest.skip("no season")

    @pytest.mark.workflow
    @pytest.mark.skip(reason="by mark")
    def test_skip_mark(): pass

    @pytest.mark.workflow
    @pytest.mark.xfail(reason="known bug")
    def test_xfails(): assert False

    @pytest.mark.workflow
    @pytest.mark.xfail(reason="known bug", strict=False)
    def test_xpasses(): pass

    @pytest.mark.workflow
    @pytest.mark.xfail(reason="fixed", strict=True)
    def test_strict(): pass

    @pytest.mark.workflow(timeout=0.3)
    def test_hangs():
        with step("Wait for ever"):
            while True: pass
"""


def statuses(run: Run) -> dict[str, Status]:
    ids = {attempt.workflow.workflow_id for attempt in run.attempts}
    return {workflow_id: run.execution(workflow_id).status for workflow_id in ids}


@WAYS
def test_each_outcome_has_its_status(suite: Suite, options: list[str]) -> None:
    """What pytest tells apart, the status tells apart, however the tests are run."""
    suite.write("test_shop.py", OUTCOMES)
    run = suite.run(*options)
    assert statuses(run) == {
        "passes": Status.PASSED,
        "degrades": Status.DEGRADED,
        "fails": Status.FAILED,
        "raises": Status.FAILED,
        "setup": Status.ERROR,
        "teardown": Status.ERROR,
        "fails-twice": Status.FAILED,
        "skips": Status.SKIPPED,
        "skip-mark": Status.SKIPPED,
        "xfails": Status.SKIPPED,
        "xpasses": Status.DEGRADED,
        "strict": Status.FAILED,
        "hangs": Status.TIMED_OUT,
    }
    assert run.ended is not None
    assert run.ended.exit_status == 1
    assert run.ended.tests_collected == 13


def test_what_went_wrong_is_told_with_its_phase_and_place(suite: Suite) -> None:
    """An error names phase, exception, message, file, line and source; reasons are kept."""
    suite.write("test_shop.py", OUTCOMES)
    run = suite.run()
    failed = run.execution("fails").error
    assert failed is not None
    assert (failed.phase, failed.type, failed.file) == (
        Phase.CALL,
        "AssertionError",
        "test_shop.py",
    )
    assert failed.message.startswith("one is not two")
    assert failed.source_line == 'def test_fails(): assert 1 == 2, "one is not two"'
    assert "assert 1 == 2" in failed.traceback
    phases = {
        name: [error.phase for error in run.execution(name).attempts[0].errors]
        for name in ("setup", "teardown", "fails-twice")
    }
    assert phases == {
        "setup": [Phase.SETUP],
        "teardown": [Phase.TEARDOWN],
        "fails-twice": [Phase.CALL, Phase.TEARDOWN],
    }
    reasons = {name: run.execution(name).attempts[0].skip_reason for name in ("skips", "skip-mark")}
    assert reasons == {"skips": "no season", "skip-mark": "by mark"}
    assert run.execution("xfails").attempts[0].skip_reason == "expected to fail: known bug"
    assert run.execution("degrades").attempts[0].degraded == ("half the shelves are empty",)
    hung = run.execution("hangs").attempts[0].steps[0]
    assert (hung.name, hung.status) == ("Wait for ever", Status.TIMED_OUT)


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "xdist"])
def test_retries_are_attempts_of_one_execution(suite: Suite, options: list[str]) -> None:
    """A retry is another attempt with its own steps, output and error; passing late is flaky."""
    suite.write(
        "test_shop.py",
        """
        import pytest
        from pathlib import Path
        from pytest_workflow_monitor import step

        @pytest.mark.workflow(retries=2)
        def test_flaky(tmp_path_factory):
            mark = Path(__file__).with_name("seen")
            tries = len(mark.read_text()) if mark.exists() else 0
            mark.write_text("x" * (tries + 1))
            print(f"try {tries + 1}")
            with step(f"Try {tries + 1}"):
                assert tries == 2, f"try {tries + 1} fails"

        @pytest.mark.workflow(retries=1)
        def test_broken():
            assert False
        """,
    )
    run = suite.run(*options)
    flaky, broken = run.execution("flaky"), run.execution("broken")
    assert (flaky.status, flaky.is_flaky) == (Status.PASSED, True)
    assert [attempt.number for attempt in flaky.attempts] == [1, 2, 3]
    assert [attempt.will_retry for attempt in flaky.attempts] == [True, True, False]
    assert [[s.name for s in attempt.steps] for attempt in flaky.attempts] == [
        ["Try 1"],
        ["Try 2"],
        ["Try 3"],
    ]
    texts = [[output.text for output in attempt.outputs] for attempt in flaky.attempts]
    assert texts == [["try 1\n"], ["try 2\n"], ["try 3\n"]]
    assert flaky.attempts[0].errors[0].fingerprint == flaky.attempts[1].errors[0].fingerprint
    assert (broken.status, broken.is_flaky, len(broken.attempts)) == (Status.FAILED, False, 2)


def test_a_unittest_case_and_coroutines_are_workflows_too(suite: Suite) -> None:
    """Whatever pytest can run, can be a workflow: TestCase, asynchronous tests."""
    suite.write(
        "test_kinds.py",
        """
        import asyncio, unittest
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow("bank")
        class TestBank(unittest.TestCase):
            def test_deposit(self):
                with step("Deposit"):
                    pass

            def test_withdraw(self):
                with self.subTest("overdrawn"):
                    self.assertEqual(1, 2)

        @pytest.mark.workflow
        @pytest.mark.asyncio
        async def test_async():
            async with step("Await"):
                await asyncio.sleep(0)
        """,
    )
    for options in ([], ["-n", "2"], ["--reruns", "1"]):
        run = suite.run(*options)
        assert statuses(run) == {
            "bank.deposit": Status.PASSED,
            "bank.withdraw": Status.FAILED,
            "async": Status.PASSED,
        }
        assert [s.name for s in run.execution("async").attempts[0].steps] == ["Await"]


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="new in pytest 9.0")
def test_subtests_are_details_of_one_workflow(suite: Suite) -> None:
    """A failing part fails the whole, and the test goes on after it."""
    suite.write(
        "test_parts.py",
        """
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow
        def test_parts(subtests):
            with subtests.test("good"):
                pass
            with subtests.test("bad"):
                assert False, "the bad part"
            with step("After the parts"):
                pass
        """,
    )
    for options in ([], ["-n", "2"], ["--reruns", "1"]):
        run = suite.run(*options)
        assert statuses(run) == {"parts": Status.FAILED}
        attempt = run.execution("parts").attempts[-1]
        assert "the bad part" in attempt.errors[0].message
        assert [s.name for s in attempt.steps] == ["After the parts"]


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "xdist"])
def test_leaving_in_the_middle_interrupts(suite: Suite, options: list[str]) -> None:
    """pytest.exit ends the session; the workflow it struck is interrupted, its steps kept."""
    suite.write(
        "test_shop.py",
        """
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow
        def test_leaves():
            with step("Arrive"):
                pass
            with step("Leave"):
                pytest.exit("enough for today")
        """,
    )
    run = suite.run(*options)
    execution = run.execution("leaves")
    assert execution.status is Status.INTERRUPTED
    assert [(s.name, s.status) for s in execution.attempts[0].steps] == [
        ("Arrive", Status.PASSED),
        ("Leave", Status.INTERRUPTED),
    ]
    assert run.ended is not None


def test_stopping_at_the_first_failure_leaves_the_rest_unrecorded(suite: Suite) -> None:
    """With -x what never began is not invented, and what ended is kept."""
    suite.write(
        "test_shop.py",
        """
        import pytest
        pytestmark = pytest.mark.workflow
        def test_one(): pass
        def test_two(): assert False
        def test_three(): pass
        """,
    )
    run = suite.run("-x")
    assert statuses(run) == {"one": Status.PASSED, "two": Status.FAILED}


@pytest.mark.parametrize(
    ("signal", "status"), [("SIGKILL", Status.CRASHED), ("SIGSEGV", Status.CRASHED)]
)
def test_a_worker_that_dies_leaves_its_steps(suite: Suite, signal: str, status: Status) -> None:
    """A worker killed by a signal makes its workflow crashed, with the steps it had done."""
    suite.write(
        "test_shop.py",
        f"""
        import os, signal
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow
        def test_dies():
            with step("Fill the cart"):
                with step("Apples"):
                    pass
            with step("Pay"):
                os.kill(os.getpid(), signal.{signal})

        @pytest.mark.workflow
        def test_lives(): pass
        """,
    )
    run = suite.run("-n", "2")
    died = run.execution("dies")
    assert died.status is status
    assert run.execution("lives").status is Status.PASSED
    assert [(s.name, s.parent, s.status) for s in died.attempts[0].steps] == [
        ("Fill the cart", None, Status.PASSED),
        ("Apples", 0, Status.PASSED),
        ("Pay", None, Status.INTERRUPTED),
    ]
    assert "crashed while running" in died.attempts[0].errors[0].message


def test_a_retry_after_a_crash_belongs_to_the_same_execution(suite: Suite) -> None:
    """A crashed attempt that another worker repeats is attempt 1 of the execution that passes."""
    suite.write(
        "test_shop.py",
        """
        import os, signal
        from pathlib import Path
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow(retries=1)
        def test_dies_once():
            mark = Path(__file__).with_name("seen")
            with step("Look"):
                if not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    run = suite.run("-n", "2")
    execution = run.execution("dies-once")
    assert [attempt.status for attempt in execution.attempts] == [Status.CRASHED, Status.PASSED]
    assert [attempt.number for attempt in execution.attempts] == [1, 2]
    assert (execution.status, execution.is_flaky) == (Status.PASSED, True)


def test_a_time_limit_that_kills_the_worker_is_a_time_out(suite: Suite) -> None:
    """pytest-timeout's thread method ends the worker; that is no crash, but a time-out."""
    suite.write(
        "test_shop.py",
        """
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow
        @pytest.mark.timeout(0.3, method="thread")
        def test_hangs():
            with step("Wait for ever"):
                while True: pass
        """,
    )
    run = suite.run("-n", "2")
    execution = run.execution("hangs")
    assert execution.status is Status.TIMED_OUT
    assert [s.name for s in execution.attempts[0].steps] == ["Wait for ever"]
    assert run.ended is not None


@pytest.mark.parametrize(
    "plugin", ["xdist", "rerunfailures", "timeout", "playwright", "terminal", "asyncio"]
)
def test_each_partner_can_be_absent(suite: Suite, plugin: str) -> None:
    """Without one of the plugins we build on, recording goes on and nothing breaks."""
    suite.write(
        "test_shop.py",
        """
        import pytest

        @pytest.mark.workflow(retries=1, timeout=5)
        def test_fails(): assert False

        @pytest.mark.workflow
        def test_passes(): pass
        """,
    )
    run = suite.run("-p", f"no:{plugin}")
    assert statuses(run) == {"fails": Status.FAILED, "passes": Status.PASSED}
    assert run.result.ret == 1
    run.result.stderr.no_fnmatch_line("*INTERNALERROR*")


def test_hostile_text_is_recorded_safely(suite: Suite) -> None:
    """Surrogates, NULs, control characters and megabytes neither break a run nor get lost.

    A surrogate in the exception itself is left out: xdist alone breaks on that.
    """
    suite.write(
        "test_shop.py",
        r"""
        import pytest
        from pytest_workflow_monitor import step, label, metric, degrade

        @pytest.mark.workflow
        def test_hostile():
            label("sur\ud800rogate", "nul\0 \x1b[31m")
            with step("step \udfff \0 \x07"):
                pass
            print("o" * 3_000_000)
            raise ValueError("\0 \x07 " + "m" * 3_000_000)
        """,
    )
    for options in ([], ["-n", "2"]):
        run = suite.run(*options)
        attempt = run.execution("hostile").attempts[0]
        assert attempt.status is Status.FAILED
        assert attempt.labels == {"sur?rogate": "nul\0 \x1b[31m"}
        assert attempt.steps[0].name == "step ? \0 \x07"
        assert len(attempt.errors[0].message) == 10_000
        assert attempt.outputs[0].dropped_chars > 2_900_000
        assert len(attempt.outputs[0].text) == 64 * 1024
