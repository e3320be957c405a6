"""The controller's part of a session: reports become records of the journal.

It appends what test processes encoded, starts the shipper that does everything slow, and waits
for it at the end. It changes no outcome, and no exit code unless a gate is asked for.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from pytest_workflow_monitor.analysis import gate, wording
from pytest_workflow_monitor.analysis.tally import MAX_SHOWN, Tally
from pytest_workflow_monitor.errors import JournalError
from pytest_workflow_monitor.journal import Journal, flight_path, flight_paths, session_folder
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import Attempt, SessionEnded, Status
from pytest_workflow_monitor.recording.flight import recover
from pytest_workflow_monitor.recording.identity import new_id
from pytest_workflow_monitor.session.context import describe_session
from pytest_workflow_monitor.shipping.handoff import LOG_FILE, Order, Shipped, ShipperProcess
from pytest_workflow_monitor.words.queues import take_appointment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.analysis.gate import Ending, Verdict
    from pytest_workflow_monitor.analysis.tally import HasOutcome
    from pytest_workflow_monitor.gate.watching import Gatekeeper
    from pytest_workflow_monitor.settings import Settings

MAX_LINES = 9
"""How long the terminal summary may become, below its headline."""

MAX_GATE_LINES = 4

PYTEST_RETRY = (
    "pytest-retry hides attempts from other plugins, so only the last one of each test is "
    "recorded: use the marker's retries instead."
)

_attempts = msgspec.json.Decoder(Attempt)


class Monitor:
    """Controls the monitoring of one session.

    Args:
        config: pytest's configuration.
        settings: The effective settings.
        ship_in_place: Stores the journal in this process, where no other can be started.
    """

    def __init__(
        self, config: pytest.Config, settings: Settings, ship_in_place: Callable[[Order], Shipped]
    ) -> None:
        self._config = config
        self._settings = settings
        self._ship_in_place = ship_in_place
        appointment = take_appointment(os.environ)
        self._session = describe_session(
            appointment.session_id if appointment else new_id(),
            settings,
            arguments=tuple(str(argument) for argument in config.invocation_params.args),
            is_interactive=sys.stdin is not None and sys.stdin.isatty(),
            notify=config.option.workflow_notify,
            slot_at=appointment.slot_at if appointment else None,
        )
        self._folder = session_folder(settings.state_path, self._session.session_id)
        self._journal: Journal | None = None
        self._shipper: ShipperProcess | None = None
        self._shipped: Shipped | None = None
        self._problem = ""
        self._tally = Tally()
        self._interruption = ""
        self._observed = False
        self._told = 0
        self._gatekeeper: Gatekeeper | None = None
        self._verdict: Verdict | None = None

    def guard(self) -> None:
        """Let a gate decide pytest's exit code."""
        from pytest_workflow_monitor.gate.watching import Gatekeeper

        self._gatekeeper = Gatekeeper(self._settings.gate, self._session)
        self._config.pluginmanager.register(self._gatekeeper, "workflow-monitor-gate")

    def flight_path(self, worker: str) -> Path:
        """Where a test process keeps its flight recorder."""
        return flight_path(self._folder, worker)

    def take(self, outcome: HasOutcome, attempt: bytes) -> None:
        """Write an encoded and masked attempt, of this or another process, to the journal."""
        if self._gatekeeper is not None:
            self._gatekeeper.take(attempt)
        if self._journal is not None:
            if known.learnt_count != self._told:
                self._hand_over_secrets()
            self._journal.append_encoded(attempt)
        self._tally.count(outcome, attempt)
        if self._observed:
            self._config.hook.pytest_workflow_attempt(
                config=self._config, attempt=_attempts.decode(attempt)
            )

    def pytest_report_header(self) -> str:
        """Say on one line where results are filed."""
        settings = self._settings
        return f"workflow monitor: project {settings.project}, environment {settings.environment}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Open the journal and start the shipper."""
        self._observed = bool(self._config.hook.pytest_workflow_attempt.get_hookimpls())
        try:
            self._journal = Journal(self._folder)
        except JournalError as error:
            self._problem = str(error)
            return
        self._journal.append(self._session)
        self._told = known.learnt_count
        try:
            self._shipper = ShipperProcess(self._order(), self._folder / LOG_FILE)
        except OSError:
            self._shipper = None

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember why the session was stopped."""
        text = str(excinfo.value)
        self._interruption = f"{excinfo.typename}: {text}" if text else excinfo.typename

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close the journal, wait within the deadline until all is stored, and heed the gate."""
        if self._journal is not None:
            self._end(session, exitstatus, self._journal)
        if self._gatekeeper is not None:
            if self._verdict is None:
                ending = self._gatekeeper.ending(session)
                self._verdict = self._gatekeeper.judge_alone(ending, self._why_alone())
            session.exitstatus = self._verdict.exit_status

    def _end(self, session: pytest.Session, exitstatus: int, journal: Journal) -> None:
        self._record_unfinished(self._interruption or "the session was stopped")
        journal.append(
            SessionEnded(
                ended_at=datetime.now(UTC),
                exit_status=int(exitstatus),
                tests_collected=session.testscollected,
                interrupted=bool(self._interruption),
            )
        )
        self._note_unwritten(journal)
        journal.close()
        self._shipped = self._ship(self._gatekeeper.ending(session) if self._gatekeeper else None)

    def _why_alone(self) -> str:
        """Say why the shipper had no verdict."""
        if self._journal is None:
            return "there is no journal"
        if self._shipped is None:
            return "no answer within deadline_seconds"
        return "the background process ended"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say in a few lines what happened and where the data and the report went."""
        terminalreporter.section("workflow monitor")
        whereabouts = self._whereabouts()
        room = MAX_LINES - 1 - len(whereabouts)
        said = gate.lines(self._verdict, min(room, MAX_GATE_LINES)) if self._verdict else []
        shown = min(MAX_SHOWN, max(room - len(said) - 1, 0))
        for line in self._tally.lines(self._session, shown) + said + whereabouts:
            terminalreporter.line(line)

    def _whereabouts(self) -> list[str]:
        """Say where data and reports went, and what went wrong with that, if anything."""
        if self._journal is None:
            return [self._problem]
        shipped = self._shipped
        if shipped is None:
            deadline = self._settings.deadline_seconds
            return [
                f"Not all is stored after {deadline:g} s; a background process goes on with it."
            ]
        lines = [text for text in (self._problem, shipped.problem) if text]
        if not lines:
            lines = [f"stored in {shipped.database}, session {self._session.session_id}"]
        written = (shipped.html_path, shipped.json_path, shipped.ctrf_path)
        lines += [f"report: {path}" for path in written if path]
        return lines + _few([*self._unsupported(), *shipped.notices])

    def _unsupported(self) -> list[str]:
        if not self._config.pluginmanager.hasplugin("pytest-retry"):
            return []
        return [PYTEST_RETRY]

    def _order(self, ending: Ending | None = None) -> Order:
        option, settings = self._config.option, self._settings
        start = self._config.invocation_params.dir
        return Order(
            folder=str(self._folder),
            root=str(settings.root),
            overrides={
                key: _as_text(getattr(settings, key))
                for key, source in settings.sources.items()
                if source == "command line"
            },
            html_path=str(start / option.workflow_report) if option.workflow_report else "",
            json_path=str(start / option.workflow_json) if option.workflow_json else "",
            ctrf_path=str(start / option.workflow_ctrf) if option.workflow_ctrf else "",
            markdown_path=os.environ.get("GITHUB_STEP_SUMMARY", ""),
            secrets=known.learnt(),
            ending=ending,
        )

    def _hand_over_secrets(self) -> None:
        """Tell the shipper what it must not let pass; it cannot know from its environment."""
        fresh = known.learnt(self._told)
        self._told += len(fresh)
        if self._shipper is not None:
            self._shipper.tell(fresh)

    def _record_unfinished(self, message: str) -> None:
        now = datetime.now(UTC)
        for path in flight_paths(self._folder):
            attempt = recover(path, died_at=now, status=Status.INTERRUPTED, message=message)
            if attempt is not None:
                self.take(*known.sealed(attempt))

    def _note_unwritten(self, journal: Journal) -> None:
        if journal.waiting_bytes:
            self._problem = (
                f"{journal.waiting_bytes} bytes of results could not be written to "
                f"{self._folder}: {journal.error}."
            )

    def _ship(self, ending: Ending | None) -> Shipped | None:
        if self._shipper is None:
            shipped = self._ship_in_place(self._order(ending))
            self._verdict = shipped.verdict
            return shipped
        try:
            return self._shipper.finish(
                self._settings.deadline_seconds, ending=ending, on_verdict=self._hear
            )
        except KeyboardInterrupt:
            return None

    def _hear(self, verdict: Verdict) -> None:
        self._verdict = verdict


def _as_text(value: object) -> str:
    """Write a setting as the environment would."""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _few(notices: Sequence[str]) -> list[str]:
    """Keep the summary short: the first notice, and how many more there are."""
    more = f" (and {wording.plural(len(notices) - 1, 'more notice')})" if len(notices) > 1 else ""
    return [f"{notices[0]}{more}"] if notices else []
