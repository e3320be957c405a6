"""The process beside a session: follows its journal and does everything slow.

Started as ``python -m pytest_workflow_monitor.shipper`` with an order on its standard input, as
:mod:`~pytest_workflow_monitor.shipping.handoff` says. It outlives the session when it must.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.alerting.rules import rules_of
from pytest_workflow_monitor.errors import (
    ReportError,
    StoreError,
    StoreUnreachableError,
    WorkflowMonitorError,
)
from pytest_workflow_monitor.gate.asking import verdict_of
from pytest_workflow_monitor.journal import SHIPPER_LOCK, Lock, discard, head
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.settings import Settings, load
from pytest_workflow_monitor.shipping.handoff import Order, Session, Shipped
from pytest_workflow_monitor.shipping.shipment import Shipment, replay
from pytest_workflow_monitor.store.connection import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.analysis.gate import Ending, Verdict
    from pytest_workflow_monitor.model import SessionDocument
    from pytest_workflow_monitor.notify.courier import Courier

logger = logging.getLogger("pytest_workflow_monitor.shipper")

TICK_SECONDS = 0.5
"""How long the shipper waits between two looks at the journal."""

BUSY_TICK_SECONDS = 0.25
"""How long it waits after it found something.

A shorter pause costs the tests processor time, as every batch has its price; a longer one leaves
more to be stored when the session ends and somebody waits for it.
"""

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0)
"""Pauses between attempts to reach a database that is away, while the session runs."""

GRACE_SECONDS = 4.0
"""How long a database that was there before is waited for at the end of the session."""

FINAL_UPLOAD_SECONDS = 2.0
"""How long the end of a session waits for artifacts to be copied; the rest is copied after it."""

DELIVERY_SECONDS = 120.0
"""How long the shipper stays after the session for messages that are due, or soon will be."""

UPLOAD_PAUSE_SECONDS = 30.0
"""How long a bucket that could not be reached is left alone."""

TELLING_SECONDS = 0.25
"""How long before the session's deadline the gate judges at the latest, to be heard."""

NICENESS = 5
"""The tests come first: the shipper only gets the processor time they leave."""


class Shipper:
    """Stores one session's journal and writes its reports.

    Args:
        order: What the session asked for.
        listen: Hears what the session has said since, if it is another process.
        delivers: Whether to deliver messages beside the session, if that was asked to notify.
    """

    def __init__(
        self,
        order: Order,
        *,
        listen: Callable[[], None] = lambda: None,
        delivers: bool = False,
    ) -> None:
        self._order = order
        self._settings: Settings = load(Path(order.root), overrides=order.overrides)
        known.learn_environment(os.environ, self._settings.secret_names)
        known.learn(*order.secrets)
        folder = Path(order.folder)
        self._rules = rules_of(self._settings)
        self._shipment = Shipment(folder, head(folder), self._rules, listen=listen, live=True)
        self._delivers = (
            delivers and bool(self._settings.channels) and self._shipment.session.notifies
        )
        self._courier: Courier | None = None
        self._store: Store | None = None
        self._was_connected = False
        self._error: StoreError | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._upload_at = 0.0
        self._upload_problem = ""
        self._stored: SessionDocument | None = None

    @property
    def session_pid(self) -> int:
        """The process that started this one."""
        return self._shipment.session.pid

    def tick(self) -> float:
        """Store what has come, unless the database is away and was asked a moment ago.

        Returns:
            How many seconds to wait until the next time.
        """
        if monotonic() < self._retry_at:
            return TICK_SECONDS
        before = self._shipment.attempts
        if self._drained():
            self._upload(TICK_SECONDS)
        else:
            pause = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
            self._failures += 1
            self._retry_at = monotonic() + pause
        return TICK_SECONDS if self._shipment.attempts == before else BUSY_TICK_SECONDS

    def finish(
        self, ending: Ending | None = None, tell: Callable[[Verdict], None] = lambda _: None
    ) -> Shipped:
        """Store the rest, write the reports, and say what became of it all.

        Args:
            ending: How pytest ended, if the gate is to judge.
            tell: Hears its verdict before the reports are made.
        """
        died_at = datetime.now(UTC)
        judged_by = monotonic() + self._settings.deadline_seconds - TELLING_SECONDS
        give_up_at = monotonic() + (GRACE_SECONDS if self._was_connected else 0.0)
        while not self._drained() and self._may_recover() and monotonic() < give_up_at:
            sleep(TICK_SECONDS)
        if self._shipment.ended is None:  # the session died, or its end could not be stored
            self._shipment.conclude(died_at)
            if self._error is None:
                self._drained()
        verdict = self._judge(ending, judged_by) if ending is not None else None
        if verdict is not None:
            tell(verdict)
        self._upload(FINAL_UPLOAD_SECONDS)
        notices = self._shipment.notices()
        if self._upload_problem:
            notices.append(f"{self._upload_problem} The files are kept here and copied later.")
        shipped = Shipped(
            executions=self._shipment.executions,
            attempts=self._shipment.attempts,
            dead_lettered=self._shipment.dead_lettered,
            database=self._store.location if self._store is not None else "",
            problem=self._kept() if self._error is not None else "",
            verdict=verdict,
        )
        shipped = self._with_reports(shipped, notices)
        if self._shipment.is_complete:
            discard(self._shipment.folder)
        return shipped

    def replay_others(self) -> None:
        """Store what earlier sessions could not."""
        if self._store is None or self._error is not None:
            return
        try:
            replayed = replay(self._settings.state_path, self._store, self._rules)
        except StoreError as error:
            logger.warning("replay stopped: %s", error)
            return
        for notice in replayed.notices:
            logger.warning("%s", notice)

    def analyse(self) -> None:
        """Bring the sums up to date that reports read; look after error budgets, if asked to."""
        if self._store is None or self._error is not None:
            return
        session = self._shipment.session
        try:
            self._store.sum_up(session.project)
            if session.notifies:
                from pytest_workflow_monitor.keeping.slos import watch

                now = self._store.clock()
                watch(self._store, self._settings, now, environments=(session.environment,))
        except StoreError as error:
            logger.warning("analysis: %s", error)

    def learn(self) -> None:
        """Learn what is normal; nobody waits for that."""
        if self._store is None or self._error is not None:
            return
        from pytest_workflow_monitor.keeping.learning import learn

        try:
            learn(self._store, self._settings)
        except StoreError as error:
            logger.warning("learning: %s", error)

    def keep_artifacts(self) -> None:
        """Copy the files that still wait, and once a day let old ones expire."""
        if self._store is None or self._error is not None:
            return
        from pytest_workflow_monitor.keeping.artifacts import prune_daily, upload_waiting

        try:
            uploaded = upload_waiting(self._store, self._settings)
            pruned = prune_daily(self._store, self._settings)
        except WorkflowMonitorError as error:
            logger.warning("artifacts: %s", error)
            return
        for problem in (uploaded.problem, *(pruned.problems if pruned else ())):
            if problem:
                logger.warning("artifacts: %s", problem)

    def finish_deliveries(self) -> None:
        """Stay until the messages are delivered that are due now or soon."""
        if self._courier is not None:
            self._courier.finish(DELIVERY_SECONDS)

    def close(self) -> None:
        """Let go of the database."""
        if self._store is not None:
            with suppress(WorkflowMonitorError):
                self._store.close()
            self._store = None

    def _drained(self) -> bool:
        """Store what the journal holds; False when the database would not have it now."""
        try:
            if self._store is None:
                self._store = open_store(self._settings)
            self._shipment.drain(self._store)
        except StoreError as error:
            logger.warning("%s", error)
            self._error = error
            self.close()
            return False
        self._was_connected = True
        self._error = None
        self._failures = 0
        if self._delivers and self._courier is None:
            self._courier = _courier(self._settings, self._store)
        return True

    def _upload(self, seconds: float) -> None:
        """Copy artifacts for a while; a bucket that is away is asked again a little later."""
        if self._store is None or self._error is not None or monotonic() < self._upload_at:
            return
        if not self._settings.artifacts_url:
            return
        from pytest_workflow_monitor.keeping.artifacts import upload_waiting

        try:
            done = upload_waiting(self._store, self._settings, deadline=monotonic() + seconds)
        except StoreError as error:
            logger.warning("artifacts: %s", error)
            return
        self._upload_problem = done.problem
        if done.problem:
            logger.warning("artifacts: %s", done.problem)
            self._upload_at = monotonic() + UPLOAD_PAUSE_SECONDS

    def _may_recover(self) -> bool:
        return isinstance(self._error, StoreUnreachableError)

    def _kept(self) -> str:
        return (
            f"{self._error} Nothing is lost: the results are kept in {self._shipment.folder} and "
            "stored by the next session or `workflow-monitor replay`."
        )

    def _judge(self, ending: Ending, judged_by: float) -> Verdict:
        """Ask the gate, which needs no history of a database that is away."""
        can_ask = self._store is not None and self._error is None
        return verdict_of(
            self._document(0),
            self._settings.gate,
            ending,
            store=self._store if can_ask else None,
            judged_by=judged_by,
        )

    def _with_reports(self, shipped: Shipped, notices: list[str]) -> Shipped:
        order = self._order
        html = json = ctrf = ""
        if order.html_path or order.json_path or order.ctrf_path or order.markdown_path:
            document = self._document(self._settings.history_length)
            try:
                html, json, ctrf = self._write_reports(document, shipped.verdict)
            except ReportError as error:
                notices.append(str(error))
            except Exception as error:  # the data is stored: a report must not undo that
                logger.exception("no report")
                notices.append(f"The report could not be made: {type(error).__name__}: {error}.")
        return msgspec.structs.replace(
            shipped, html_path=html, json_path=json, ctrf_path=ctrf, notices=tuple(notices)
        )

    def _document(self, history_length: int) -> SessionDocument:
        """Read the session back with its history, or make do with the journal."""
        if self._store is not None and self._error is None:
            try:
                self._stored = self._stored or self._store.session_document(
                    self._shipment.session.session_id
                )
                found = self._store.attach_history(self._stored.executions, history_length)
                return msgspec.structs.replace(
                    self._stored, executions=found, has_history=history_length > 0
                )
            except StoreError as error:
                self._error = error
        return self._shipment.document(f"Without history: {self._error}")

    def _write_reports(
        self, document: SessionDocument, verdict: Verdict | None
    ) -> tuple[str, str, str]:
        from pytest_workflow_monitor import report

        order = self._order
        if order.html_path:
            report.write_html(
                document,
                Path(order.html_path),
                verdict,
                state_path=self._settings.state_path,
                artifacts_http_url=self._settings.artifacts_http_url,
            )
        if order.json_path:
            report.write_json(document, Path(order.json_path), verdict)
        if order.ctrf_path:
            report.write_ctrf(document, Path(order.ctrf_path), verdict)
        if order.markdown_path:
            report.append_markdown(document, Path(order.markdown_path), verdict)
        return order.html_path, order.json_path, order.ctrf_path


def _courier(settings: Settings, store: Store) -> Courier:
    """Start to deliver; without channels, nothing of it is imported."""
    from pytest_workflow_monitor.notify.courier import Courier

    return Courier(settings, store.url)


def ship(order: Order) -> Shipped:
    """Store a session that is over, in this process.

    Used where no other process can be started. Its messages are left to the next one.
    """
    lock = Lock(Path(order.folder) / SHIPPER_LOCK)
    try:
        lock.acquire()
        shipper = Shipper(order)
    except (WorkflowMonitorError, OSError) as error:
        return Shipped(problem=str(error))
    try:
        return shipper.finish(order.ending)
    finally:
        shipper.close()
        lock.release()


def main() -> int:
    """Serve the session at the other end of standard input until it is over."""
    with suppress(OSError):
        os.nice(NICENESS)
    _log_masked()
    session = Session(sys.stdin.fileno())
    order = session.order()
    lock = Lock(Path(order.folder) / SHIPPER_LOCK)
    if not lock.acquire():
        return 0  # another process got there first and stores this journal
    shipper = Shipper(order, listen=session.listen, delivers=True)
    try:
        pause = TICK_SECONDS
        while not session.is_over(shipper.session_pid, pause):
            pause = shipper.tick()
        _tell(shipper.finish(session.ending, _tell))
        shipper.replay_others()
        shipper.analyse()
        shipper.keep_artifacts()
        shipper.finish_deliveries()
        shipper.learn()
    except Exception as error:  # the one edge at which an error of ours ends
        logger.exception("stopped")
        _tell(Shipped(problem=_unexpected(error, order)))
        return 1
    finally:
        shipper.close()
    return 0


def _unexpected(error: Exception, order: Order) -> str:
    return (
        f"The background process stopped: {type(error).__name__}: {error}. Nothing is lost: the "
        f"results and the details are in {order.folder}."
    )


class _MaskingFormatter(logging.Formatter):
    """Keeps secrets out of the log, which lies beside the journal."""

    def format(self, record: logging.LogRecord) -> str:
        return known.text(super().format(record))


def _log_masked() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_MaskingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)


def _tell(answer: Shipped | Verdict) -> None:
    """Answer the session, if it still listens."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
