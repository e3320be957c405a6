"""The hooks of a process that runs tests: from pytest's phases to one encoded attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Error, Output, Phase, Status
from pytest_workflow_monitor.recording.artifacts import mask_again
from pytest_workflow_monitor.recording.catalogue import subject_of
from pytest_workflow_monitor.recording.context import process
from pytest_workflow_monitor.recording.errors import describe, from_text, with_traceback
from pytest_workflow_monitor.recording.flight import FlightRecorder
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.recording.plain import Beginning
from pytest_workflow_monitor.recording.recorder import Equipment, Recorder
from pytest_workflow_monitor.recording.verdicts import is_time_limit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.recording.measurements.attempt import Measurements
    from pytest_workflow_monitor.settings import Settings

ATTEMPT = "workflow_monitor_attempt"
"""The attribute of a tear-down report that carries the encoded attempt out of a worker."""

SECRETS = "workflow_monitor_secrets"
"""The attribute that carries what a worker has learnt to be secret, a list of texts."""

WORKER_INPUT = "workflow_monitor_flight"
"""The worker input that names the file of the worker's flight recorder."""

Send = Callable[[pytest.TestReport, Recorder, bytes], None]
"""Takes the teardown report of an attempt, what recorded it, and the attempt encoded."""

AT_ONCE = 32
"""For so many tests that follow one another the beginnings are made together."""

_FAILED = frozenset({"failed", "rerun"})


class TestProcess:
    """Records the attempts of the tests that run in this process.

    Args:
        settings: The effective settings.
        flight_path: The file of this process's flight recorder.
        worker: The xdist worker's name, or empty.
        send: Where complete attempts go.
        invoked_from: The folder that pytest was started in.
        contexts: Open browser contexts, each with its thread.
        step_evidence: What steps are to leave in those contexts.
        measurements: Measures each attempt.
        has_properties: Whether reports say in properties what workflow they are of.
    """

    __test__ = False

    def __init__(
        self,
        *,
        settings: Settings,
        flight_path: Path | None,
        worker: str,
        send: Send,
        invoked_from: Path,
        contexts: list[Any],
        step_evidence: Any,
        measurements: Measurements,
        has_properties: bool = False,
    ) -> None:
        self._settings = settings
        self._send = send
        self._measurements = measurements
        self._has_properties = has_properties
        self._equipment = Equipment(
            artifact_dir=settings.state_path / "artifacts",
            worker=worker,
            contexts=contexts,
            step_evidence=step_evidence,
            slow_request_ms=settings.slow_request_seconds * 1000,
        )
        self._flight_path = flight_path
        self._invoked_from = invoked_from
        self._outer: Recorder | None = None
        self._item: pytest.Item | None = None
        self._beginnings: dict[int, Beginning | None] = {}  # by the ids of the tests that follow
        self._together: tuple[pytest.Item, ...] = ()  # those tests
        self._upcoming: Iterator[pytest.Item] = iter(())
        self._run_id = ""
        self._number = 0
        self._sections = 0  # how many sections the reports of earlier attempts have left
        self._phases_ms: dict[str, float] = {}
        self._pending: dict[str, Error] = {}
        self._is_skipped = False
        self._skip_reason = ""
        self._timer: tuple[int, float] | None = None
        self._interruption = ""

    def pytest_sessionstart(self) -> None:
        """Open the flight recorder; the controller has made the session's folder by now."""
        self._outer, process.recorder = process.recorder, None
        self._equipment.flight = _open_flight(self._flight_path)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Expect the tests in the order in which they were collected."""
        self._upcoming = iter(session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin an attempt: the same item set up once more is tried again."""
        beginning = self._beginning_of(item)
        if beginning is None:
            process.recorder = None
            return
        if item is self._item:
            self._number += 1
        else:
            self._item = item
            self._run_id = new_id()
            self._number = getattr(item, "execution_count", 0) or 1
            self._sections = 0
        self._phases_ms = {}
        self._pending = {}
        self._is_skipped = False
        self._skip_reason = ""
        process.recorder = recorder = Recorder(
            self._equipment, beginning, self._run_id, self._number
        )
        if self._timer is not None:
            recorder.set_timer(*self._timer)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Steps from here on belong to the tear-down."""
        if process.recorder is not None:
            process.recorder.phase = Phase.TEARDOWN

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, settings: Any) -> None:
        """Note the time limit: its thread method kills this process without a word.

        It is set before the set-up and holds for all attempts together, or before the call.
        """
        self._timer = (perf_counter_ns(), float(settings.timeout))
        if process.recorder is not None:
            process.recorder.set_timer(*self._timer)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_cancel_timer(self) -> None:
        """The time limit no longer holds."""
        self._timer = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> None:
        """Describe the exception while it exists; whether it counts, the report will tell.

        Steps after a set-up belong to the test itself.
        """
        recorder = process.recorder
        if recorder is None:
            return
        if call.excinfo is not None:
            self._pending[call.when] = describe(call.excinfo, call.when)
        elif call.when == "setup":
            recorder.phase = Phase.CALL

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the phases; the tear-down's report, one for each attempt, carries the whole."""
        recorder = process.recorder
        if recorder is None:
            return
        outcome: str = report.outcome
        if outcome in _FAILED:
            recorder.details.errors.append(self._error(report))
        given = report.__dict__
        if "context" in given:
            return  # a subtest: a detail of the test, whose own report follows
        when = report.when
        self._phases_ms[when] = float(report.duration) * 1000
        if outcome == "skipped" or "wasxfail" in given:
            self._note_skip(recorder, report)
        elif outcome == "rerun":
            recorder.will_retry = True
        if when == "teardown":
            self._complete(recorder, report)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember why the session was stopped."""
        text = str(excinfo.value)
        self._interruption = f"{excinfo.typename}: {text}" if text else excinfo.typename

    def pytest_sessionfinish(self) -> None:
        """Leave an attempt that the end of the session cut off to the controller."""
        recorder = process.recorder
        if recorder is None:
            return
        message = self._interruption or "the session was stopped"
        recorder.details.errors.append(
            Error(phase=recorder.phase, type=Status.INTERRUPTED.value, message=message)
        )
        recorder.will_retry = False
        recorder.sealed(
            status=Status.INTERRUPTED,
            phases_ms=self._phases_ms or {recorder.phase.value: recorder.elapsed_ms()},
        )
        process.recorder = None

    def pytest_unconfigure(self) -> None:
        """Let go of the flight recorder's file, and of the recorder.

        A test of a pytest plugin may run a session of its own; the outer test goes on recording.
        """
        process.recorder = self._outer
        if self._equipment.flight is not None:
            self._equipment.flight.close()

    def _beginning_of(self, item: pytest.Item) -> Beginning | None:
        """What is known of a test beforehand, prepared together with some that may follow it."""
        if id(item) not in self._beginnings:
            for upcoming in self._upcoming:
                if upcoming is item:
                    break
            self._together = (item, *islice(self._upcoming, AT_ONCE - 1))
            self._prepare()
        beginning = self._beginnings[id(item)]
        if beginning is not None and beginning.secrets != known.count:
            self._prepare()  # with what is secret by now
            beginning = self._beginnings[id(item)]
        return beginning

    def _prepare(self) -> None:
        self._beginnings = {}
        for item in self._together:
            subject = subject_of(item)
            self._beginnings[id(item)] = subject and Beginning(
                subject.workflow,
                subject.dimensions,
                self._equipment.worker,
                has_limits=bool(self._settings.budgets),
            )

    def _complete(self, recorder: Recorder, report: pytest.TestReport) -> None:
        if (
            recorder.is_empty
            and recorder.beginning.may_be_plain
            and recorder.beginning.secrets == known.count
            and not self._is_skipped
            and not self._pending
            and not self._has_properties
            and not report.sections
            and not report.user_properties
        ):
            process.recorder = None
            self._send(report, recorder, recorder.passed(self._phases_ms))
            return
        if self._pending:  # rerunfailures keeps some reports of an attempt it repeats to itself
            kept_back = [e for phase, e in self._pending.items() if phase not in self._phases_ms]
            recorder.details.errors += kept_back
        if report.user_properties:
            from pytest_workflow_monitor.recording.browser.files import keep_files

            keep_files(recorder, report.user_properties, self._invoked_from)
        is_pass = not (recorder.details.errors or self._is_skipped)
        self._measurements.complete(recorder, is_pass=is_pass)
        if recorder.details.artifacts and known.count != recorder.beginning.secrets:
            mask_again(recorder)
        status = self._status(recorder)
        sections = report.sections
        encoded = recorder.sealed(
            status=status,
            phases_ms=self._phases_ms,
            skip_reason=self._skip_reason,
            outputs=self._outputs(status, sections[self._sections :]),
        )
        self._sections = len(sections)
        if self._has_properties:
            from pytest_workflow_monitor.recording.junit import add_properties

            add_properties(report, recorder)
        process.recorder = None
        self._send(report, recorder, encoded)

    def _error(self, report: pytest.TestReport) -> Error:
        text = report.longreprtext
        error = self._pending.pop(report.when, None)
        return from_text(text, report.when) if error is None else with_traceback(error, text)

    def _note_skip(self, recorder: Recorder, report: pytest.TestReport) -> None:
        self._is_skipped = self._is_skipped or report.skipped
        expected = getattr(report, "wasxfail", None)
        if expected is None:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self._skip_reason = str(reason).removeprefix("Skipped: ")
        elif report.skipped:
            self._skip_reason = f"expected to fail: {expected or 'no reason given'}"
        elif report.passed:
            recorder.degrade(f"passed although it was expected to fail: {expected or 'no reason'}")

    def _status(self, recorder: Recorder) -> Status:
        """Judge the attempt; what failed first counts, and the test itself before its fixtures."""
        details = recorder.details
        if details.errors:  # each failed phase has left one
            return _failure(details.errors, had_timer=recorder.timer is not None)
        if self._is_skipped:
            return Status.SKIPPED
        limit = recorder.workflow.degraded_after_seconds
        if limit is not None and (took := sum(self._phases_ms.values()) / 1000) > limit:
            recorder.degrade(f"took {took:.1f} s, longer than degraded_after={limit:g} s")
        return Status.DEGRADED if details.degraded else Status.PASSED

    def _outputs(self, status: Status, sections: list[tuple[str, str]]) -> tuple[Output, ...]:
        """Keep the end of what this attempt wrote, within the limit for all its sections."""
        wanted = self._settings.output
        if wanted == "never" or (wanted == "failures" and not status.is_problem):
            return ()
        left = self._settings.output_limit_kb * 1024
        kept: list[Output] = []
        for name, text in reversed(sections):
            if len(text) > left:  # cut through, a secret would not be recognised any more
                text = known.text(text)  # noqa: PLW2901
            part = text[-left:] if left else ""
            left -= len(part)
            kept.append(Output(name=name, text=part, dropped_chars=len(text) - len(part)))
        return tuple(reversed(kept))


def _open_flight(path: Path | None) -> FlightRecorder | None:
    if path is None:
        return None
    try:
        return FlightRecorder(path)
    except (OSError, ValueError):
        return None


def _failure(errors: Sequence[Error], *, had_timer: bool) -> Status:
    if had_timer and any(
        error.type == "Failed" and is_time_limit(error.message) for error in errors
    ):
        return Status.TIMED_OUT
    return Status.FAILED if any(error.phase is Phase.CALL for error in errors) else Status.ERROR
