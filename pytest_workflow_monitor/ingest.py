"""The one write path: what a session recorded becomes rows, exactly once.

A batch is one transaction. Transactions of one project follow one another (an advisory lock), so
that whatever is read at the start of one still holds when it writes: which attempts are there, how
their executions stand, what the counters say. Everything derived (an execution from its attempts,
the counters from the executions) depends only on which attempts are known and whether the session
is over. So batches may come split, repeated and in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pytest_workflow_monitor.alerting.rules import Rules
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.analysis.suspicion import Pass, suspicions
from pytest_workflow_monitor.errors import RecordRefusedError
from pytest_workflow_monitor.keeping.alerts import judge
from pytest_workflow_monitor.model import Attempt, AttemptStarted, Execution, Record, Status
from pytest_workflow_monitor.store import rows
from pytest_workflow_monitor.store.collector import paused_collector
from pytest_workflow_monitor.store.definitions import Definition, define, definition_of
from pytest_workflow_monitor.store.letters import DeadLetter, LetterStatus
from pytest_workflow_monitor.store.text import storable
from pytest_workflow_monitor.store.writing import KnownRun
from pytest_workflow_monitor.support import wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_workflow_monitor.model import SessionEnded, SessionStarted
    from pytest_workflow_monitor.store import Store


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What to store of a session.

    Attributes:
        attempts: Attempts that ended, in any order; those that are stored already are ignored.
        raw: The lines of the journal that ``attempts`` came from, one each.
        running: Attempts that are being made now.
        ended: How the session ended, once it has.
    """

    attempts: Sequence[Attempt] = ()
    raw: Sequence[bytes] | None = None
    running: Sequence[AttemptStarted] = ()
    ended: SessionEnded | None = None


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """What a batch changed.

    Attributes:
        executions: Executions that got their final status.
        attempts: Attempts that were not stored before.
        running: Executions that are new and still running.
        dead_lettered: Attempts that PostgreSQL refused and that were put aside.
        suspicious: A sentence for each pass that does not look like those before it.
    """

    executions: int = 0
    attempts: int = 0
    running: int = 0
    dead_lettered: int = 0
    suspicious: tuple[str, ...] = ()

    def __add__(self, other: Ingested) -> Ingested:
        return Ingested(
            executions=self.executions + other.executions,
            attempts=self.attempts + other.attempts,
            running=self.running + other.running,
            dead_lettered=self.dead_lettered + other.dead_lettered,
            suspicious=self.suspicious + other.suspicious,
        )


def ingest(
    store: Store,
    session: SessionStarted,
    batch: Batch,
    rules: Rules | None = None,
    *,
    now: datetime | None = None,
) -> Ingested:
    """Store a batch of a session with what it means for alerts, all of it or nothing.

    An attempt that PostgreSQL refuses because of what is in it is put aside as a dead letter, and
    the others are stored.

    Args:
        store: The database.
        session: Whose batch it is.
        batch: What to store.
        rules: What alerts are decided and told by; without, nobody is told.
        now: The time of the decision; by default the clock's.

    Raises:
        StoreError: The database cannot be used; nothing of the batch was stored.
    """
    session = storable(session)
    items = _items(batch)
    with paused_collector(), store.transaction():
        store.lock_project(session.project)
        ended_at = store.begin_session(session)
        if batch.ended is not None:
            store.end_session(session.session_id, batch.ended)
            ended_at = ended_at or batch.ended.ended_at
        work = _Work(store, session, ended_at)
        done = work.store_all(items)
        if ended_at is not None:
            done += work.settle(store.running_runs(session.session_id))
            store.count_session(session.session_id)
            store.mark_unlearned(session)
        judge(store, rules or Rules(), session, work.ended, now or datetime.now(UTC))
    return done


def retry_dead_letters(
    store: Store, letter_ids: Sequence[int] | None = None, rules: Rules | None = None
) -> Ingested:
    """Try to store refused records again, the waiting ones or those named.

    What is still refused stays a dead letter, with one more attempt and the newest reason. Dead
    letters about messages are left alone.
    """
    status = LetterStatus.PENDING if letter_ids is None else None
    done = Ingested()
    for letter in reversed(store.letters(status=status, letter_ids=letter_ids)):
        if letter.session_id is not None and letter.status is not LetterStatus.SUCCEEDED:
            done += _retry(store, letter, letter.session_id, rules)
    return done


def _retry(store: Store, letter: DeadLetter, session_id: str, rules: Rules | None) -> Ingested:
    line = letter.event_data.encode()
    with store.transaction():
        session = store.session(session_id)
        if session is None:  # deleted since, and its executions with it
            store.drop_letters([letter.letter_id])
            return Ingested()
        try:
            attempt = msgspec.json.decode(line, type=Attempt)
        except msgspec.MsgspecError as error:  # written by another version, or by hand
            store.add_letter(session_id, line, f"It cannot be read: {error}.")
            return Ingested(dead_lettered=1)
        done = ingest(store, session, Batch(attempts=[attempt], raw=[line]), rules)
        if not done.dead_lettered:
            store.close_letter(letter.letter_id)
    return done


class _Item(Record, frozen=True, kw_only=True):
    record: Attempt | AttemptStarted
    line: bytes | None = None


def _items(batch: Batch) -> list[_Item]:
    lines: Sequence[bytes | None] = batch.raw or [None] * len(batch.attempts)
    pairs = zip(batch.attempts, lines, strict=True)
    items = [_Item(record=storable(attempt, line), line=line) for attempt, line in pairs]
    return items + [_Item(record=storable(started)) for started in batch.running]


class _Change(Record, frozen=True, kw_only=True):
    """An execution as it shall be, with what was there before."""

    execution: Execution
    known: KnownRun | None
    definition: Definition
    new: Sequence[Attempt] = ()

    @property
    def is_final(self) -> bool:
        """Whether the execution is over."""
        return self.execution.status is not Status.RUNNING

    @property
    def was_final(self) -> bool:
        """Whether the execution seemed to be over before, and was counted as that."""
        return self.known is not None and self.known.status is not Status.RUNNING

    @property
    def is_judged(self) -> bool:
        """Whether it is a pass of which nobody knew, to be compared with those before it."""
        last = self.execution.deciding
        return (
            last is not None
            and self.execution.status is Status.PASSED
            and last.workflow.suspicious_passes
            and not last.steps_dropped
            and any(it is last for it in self.new)
        )


class _Work:
    """One batch's transaction.

    Attributes:
        ended: The executions that got their final status.
    """

    def __init__(self, store: Store, session: SessionStarted, ended_at: datetime | None) -> None:
        self._store = store
        self._session = session
        self._ended_at = ended_at
        self.ended: list[Execution] = []

    def store_all(self, items: Sequence[_Item]) -> Ingested:
        """Store items, halving them until one that is refused stands alone."""
        if not items:
            return Ingested()
        try:
            with self._store.transaction():
                return self._write([item.record for item in items])
        except RecordRefusedError as error:
            if len(items) == 1:
                return self._put_aside(items[0], error)
        middle = len(items) // 2
        return self.store_all(items[:middle]) + self.store_all(items[middle:])

    def settle(self, run_ids: Sequence[str]) -> Ingested:
        """Give executions that never ended their final status, now that the session is over."""
        if not run_ids:
            return Ingested()
        known = self._known(run_ids)
        changes = [
            _Change(
                execution=self._interrupted(execution),
                known=known[execution.run_id],
                definition=definition_of(execution.workflow),
            )
            for execution in self._store.executions(run_ids)
        ]
        return self._apply(changes)

    def _put_aside(self, item: _Item, error: RecordRefusedError) -> Ingested:
        if isinstance(item.record, AttemptStarted):  # its attempt will come, and be put aside
            return Ingested()
        line = item.line or wire.encode(item.record)
        self._store.add_letter(self._session.session_id, line, str(error))
        return Ingested(dead_lettered=1)

    def _write(self, records: Sequence[Attempt | AttemptStarted]) -> Ingested:
        attempts: dict[str, dict[int, Attempt]] = defaultdict(dict)
        started: dict[str, AttemptStarted] = {}
        for record in records:
            _check(record)
            if isinstance(record, Attempt):
                attempts[record.run_id].setdefault(record.number, record)
            else:
                started.setdefault(record.run_id, record)
        known = self._known({*attempts, *started})
        changes = [
            *self._ended(attempts, known),
            *(
                self._started(record)
                for run_id, record in started.items()
                if run_id not in known and run_id not in attempts
            ),
        ]
        changes, suspicious = self._doubted(changes)
        return self._apply(changes) + Ingested(suspicious=suspicious)

    def _doubted(self, changes: Sequence[_Change]) -> tuple[list[_Change], tuple[str, ...]]:
        """Degrade passes that do not look like those before them, and say which and why.

        The attempt is stored like that, so whatever is derived from it later agrees.
        """
        passes = [it.execution for it in changes if it.is_judged]
        scope = self._session.project, self._session.environment
        doubtful = self._store.doubtful(*scope, passes) if passes else ()
        if not doubtful:
            return list(changes), ()
        reasons = {
            execution.run_id: suspicions(_pass(execution), earlier)
            for execution, earlier in zip(
                doubtful, self._store.earlier_passes(*scope, doubtful), strict=True
            )
        }
        found = [it.execution for it in changes if reasons.get(it.execution.run_id)]
        return (
            [self._degraded(it, reasons.get(it.execution.run_id, ())) for it in changes],
            tuple(f"{it.workflow.workflow_id}: {'; '.join(reasons[it.run_id])}" for it in found),
        )

    def _degraded(self, change: _Change, reasons: tuple[str, ...]) -> _Change:
        if not reasons:
            return change
        *others, last = change.execution.attempts
        degraded = replace(
            last,
            status=Status.DEGRADED,
            degraded=(*last.degraded, *(f"suspicious: {reason}" for reason in reasons)),
        )
        return replace(
            change,
            execution=execution_of(
                self._session, [*others, degraded], session_is_over=self._ended_at is not None
            ),
            new=[degraded if it is last else it for it in change.new],
        )

    def _known(self, run_ids: Iterable[str]) -> dict[str, KnownRun]:
        return self._store.known_runs(self._session.session_id, run_ids)

    def _ended(
        self, attempts: dict[str, dict[int, Attempt]], known: dict[str, KnownRun]
    ) -> Iterable[_Change]:
        """Combine new attempts with those that are stored; what is stored wins."""
        fresh = {
            run_id: [it for number, it in numbered.items() if number not in known[run_id].attempts]
            if run_id in known
            else list(numbered.values())
            for run_id, numbered in attempts.items()
        }
        partly = [it for it in fresh if fresh[it] and it in known and known[it].attempts]
        stored = {
            execution.run_id: execution.attempts
            for execution in (self._store.executions(partly) if partly else ())
        }
        for run_id, new in fresh.items():
            if new:
                execution = execution_of(
                    self._session,
                    [*stored.get(run_id, ()), *new],
                    session_is_over=self._ended_at is not None,
                )
                yield _Change(
                    execution=execution,
                    known=known.get(run_id),
                    definition=definition_of(execution.workflow),
                    new=new,
                )

    def _started(self, started: AttemptStarted) -> _Change:
        execution = Execution(
            run_id=started.run_id,
            session_id=self._session.session_id,
            project=self._session.project,
            environment=self._session.environment,
            workflow=started.workflow,
            status=Status.RUNNING,
            started_at=started.started_at,
            labels=started.workflow.labels,
            dimensions=started.dimensions,
        )
        if self._ended_at is not None:
            execution = self._interrupted(execution)
        return _Change(execution=execution, known=None, definition=definition_of(started.workflow))

    def _interrupted(self, execution: Execution) -> Execution:
        if execution.attempts:
            return execution_of(self._session, execution.attempts, session_is_over=True)
        return replace(
            execution,
            status=Status.INTERRUPTED,
            completed_at=max(self._ended_at or execution.started_at, execution.started_at),
        )

    def _apply(self, changes: Sequence[_Change]) -> Ingested:
        if not changes:
            return Ingested()
        store, session = self._store, self._session
        define(store, session, list({it.definition.hash: it.definition for it in changes}.values()))
        scope = session.project, session.environment
        counted = [it.execution.run_id for it in changes if it.was_final]
        store.mark_hours_of(counted)
        disturbed = store.uncount(*scope, counted)
        store.add_executions(self._row(it) for it in changes if it.known is None)
        store.replace_executions([self._row(it) for it in changes if it.known is not None])
        new = [attempt for it in changes for attempt in it.new]
        store.add_attempts(new)
        ended = [it.execution for it in changes if it.is_final]
        disturbed |= store.count(*scope, [it.run_id for it in ended])
        if disturbed:
            store.recount_last(*scope, disturbed)
        store.mark_hours(*scope, ended)
        self.ended += ended
        return Ingested(
            executions=len(ended),
            attempts=len(new),
            running=sum(it.known is None and not it.is_final for it in changes),
        )

    def _row(self, change: _Change) -> rows.Row:
        return rows.execution_row(self._session, change.execution, change.definition)


def _pass(execution: Execution) -> Pass:
    last = execution.attempts[-1]
    return Pass(duration_ms=last.duration_ms, call_ms=last.call_ms, steps=last.steps)


def _check(record: Attempt | AttemptStarted) -> None:
    """Refuse what PostgreSQL would have to guess at."""
    if record.started_at.tzinfo is None:
        raise RecordRefusedError(f"PostgreSQL refuses a record: {record.started_at} has no zone.")
