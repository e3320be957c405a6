"""Stores one journal: while it grows, at its end, or long after its session died.

The one user of :mod:`~pytest_workflow_monitor.ingest` besides the scheduler; live shipping and
replay differ only in when they call it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.errors import JournalError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.journal import (
    FILE,
    SHIPPER_LOCK,
    Follower,
    Line,
    Lock,
    abandoned,
    decode,
    discard,
    flight_paths,
    head,
)
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import (
    Attempt,
    AttemptStarted,
    Execution,
    JournalRecord,
    SessionDocument,
    SessionEnded,
    SessionStarted,
    Status,
)
from pytest_workflow_monitor.recording.flight import complete, recover, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pytest_workflow_monitor.alerting.rules import Rules
    from pytest_workflow_monitor.store.connection import Store

YOUNG = timedelta(minutes=1)
"""A journal without content that is younger may belong to a session that is just starting."""

MAX_SHOWN = 3

WORTH_TELLING = timedelta(seconds=1)
"""A workflow that runs longer is shown as running while its session lasts."""


class Shipment:
    """One journal on its way into the database.

    Args:
        folder: The session's folder; its shipper lock has to be held.
        session: The first record of the journal.
        rules: What alerts are decided and told by; without, nobody is told.
        listen: Called before what was read is stored, to learn of new secrets.
        live: Whether the session beside masks by the secrets that this process knows now; then
            its records are looked through once more only when others become known.
    """

    def __init__(
        self,
        folder: Path,
        session: SessionStarted,
        rules: Rules | None = None,
        *,
        listen: Callable[[], None] = lambda: None,
        live: bool = False,
    ) -> None:
        self.folder = folder
        self.session = session
        self._rules = rules
        self.executions = 0
        self.attempts = 0
        self.dead_lettered = 0
        self.suspicious: tuple[str, ...] = ()
        self.ended: SessionEnded | None = None
        self._listen = listen
        self._masked_by = known.count if live else None
        self._follower = Follower(folder)
        self._waiting: list[Line] = []
        self._announced: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether the end of the session has been stored, and so everything before it."""
        return self.ended is not None and not self._waiting

    @property
    def skipped_lines(self) -> int:
        """How many lines held no record of ours."""
        return self._follower.skipped

    def advance(self, store: Store) -> bool:
        """Store the next batch.

        Returns:
            Whether there was anything to store.

        Raises:
            StoreError: The database cannot be used now; nothing of the batch is lost or half done.
        """
        if not self._waiting:
            lines = self._follower.read()
            self._listen()
            is_masked = self._masked_by == known.count
            self._waiting = lines if is_masked else [_sealed(line) for line in lines]
        lines = self._waiting
        starting = [] if self.ended else self._newly_running()
        if not lines and not starting:
            return False
        attempts = [line for line in lines if isinstance(line.record, Attempt)]
        ended = next((line.record for line in lines if isinstance(line.record, SessionEnded)), None)
        stored = ingest(
            store,
            self.session,
            Batch(
                attempts=[line.record for line in attempts if isinstance(line.record, Attempt)],
                raw=[line.raw for line in attempts],
                running=starting,
                ended=ended,
            ),
            self._rules,
        )
        self._waiting = []
        self._announced |= {started.run_id for started in starting}
        self.ended = ended or self.ended
        self.executions += stored.executions
        self.attempts += stored.attempts
        self.dead_lettered += stored.dead_lettered
        self.suspicious += stored.suspicious
        return True

    def drain(self, store: Store) -> None:
        """Store everything that the journal holds now.

        What comes meanwhile is left for the next time: a session that is quick enough would keep
        the database busy all the time, with a few attempts in each transaction.

        Raises:
            StoreError: The database cannot be used now.
        """
        end = self._follower.size()
        while self.advance(store) and self._follower.position < end:
            pass

    def conclude(self, died_at: datetime) -> None:
        """Write the end that a dead session could not: its unfinished attempts and itself.

        Does nothing when the journal has its end already. A torn last line is closed first, so
        that it stays the only line that is lost.
        """
        follower = Follower(self.folder)
        while lines := follower.read():
            if any(isinstance(line.record, SessionEnded) for line in lines):
                return
        left = [
            attempt
            for path in flight_paths(self.folder)
            if (attempt := _left_behind(path, died_at)) is not None
        ]
        end = SessionEnded(ended_at=died_at, interrupted=True)
        written = b"".join(known.sealed(record)[1] + b"\n" for record in (*left, end))
        with (self.folder / FILE).open("ab") as file:
            file.write(b"\n" + written if follower.has_torn_end() else written)

    def notices(self) -> list[str]:
        """Sentences about what was left out, and what only the database could tell."""
        found = []
        if self.suspicious:
            found.append(_suspicious(self.suspicious))
        if self.skipped_lines:
            lines = wording.plural(self.skipped_lines, "line")
            found.append(f"{lines} of {self.folder / FILE} could not be read and were skipped.")
        if self.dead_lettered:
            records = wording.plural(self.dead_lettered, "record")
            found.append(
                f"The database refused {records}; see `workflow-monitor dead-letters list`."
            )
        return found

    def document(self, notice: str) -> SessionDocument:
        """Make the session's document from the journal alone, when no database can be asked."""
        attempts: dict[str, dict[int, Attempt]] = {}
        ended = None
        for record in _records(self.folder):
            if isinstance(record, Attempt):
                attempts.setdefault(record.run_id, {}).setdefault(record.number, record)
            elif isinstance(record, SessionEnded):
                ended = record
        return SessionDocument(
            session=self.session,
            ended=ended,
            executions=_executions(self.session, attempts, is_over=ended is not None),
            notices=(notice,),
        )

    def _newly_running(self) -> list[AttemptStarted]:
        """First attempts that test processes are in the middle of and that were not told before."""
        found = (_masked(running(path)) for path in flight_paths(self.folder))
        return [
            started
            for started in found
            if started is not None
            and started.number == 1
            and started.run_id not in self._announced
            and datetime.now(UTC) - started.started_at > WORTH_TELLING
        ]


def _suspicious(passes: Sequence[str]) -> str:
    count = len(passes)
    what = "1 pass is" if count == 1 else f"{count:,} passes are"
    more = f", and {count - MAX_SHOWN:,} more" if count > MAX_SHOWN else ""
    return f"{what} suspicious, and so degraded: {', '.join(passes[:MAX_SHOWN])}{more}."


def _masked(started: AttemptStarted | None) -> AttemptStarted | None:
    return None if started is None else known.sealed(started)[0]


@dataclass
class Replayed:
    """What a replay did: totals over all journals, and a sentence for each that it left alone."""

    sessions: int = 0
    executions: int = 0
    attempts: int = 0
    dead_lettered: int = 0
    notices: list[str] = field(default_factory=list)

    def add(self, shipment: Shipment) -> None:
        """Count one more stored journal."""
        self.sessions += 1
        self.executions += shipment.executions
        self.attempts += shipment.attempts
        self.dead_lettered += shipment.dead_lettered
        self.notices += shipment.notices()


def replay(
    state_path: Path,
    store: Store,
    rules: Rules | None = None,
    *,
    on_session: Callable[[Shipment], None] = lambda _: None,
) -> Replayed:
    """Store every journal whose session is over and which nobody else is storing.

    Args:
        state_path: The state directory.
        store: The database.
        rules: What alerts are decided and told by; without, nobody is told.
        on_session: Called after each journal that was stored.

    Raises:
        StoreError: The database cannot be used now; what was stored stays, the rest waits.
    """
    replayed = Replayed()
    for folder in abandoned(state_path):
        lock = Lock(folder / SHIPPER_LOCK)
        try:
            if not lock.acquire():
                continue
            shipment = _replay_one(folder, store, rules)
        except JournalError as error:
            if not _is_young(folder):
                replayed.notices.append(str(error))
        except OSError as error:
            replayed.notices.append(f"{folder} cannot be read: {error}.")
        else:
            replayed.add(shipment)
            on_session(shipment)
        finally:
            lock.release()
    return replayed


def _replay_one(folder: Path, store: Store, rules: Rules | None) -> Shipment:
    shipment = Shipment(folder, head(folder), rules)
    shipment.conclude(_last_change(folder))
    shipment.drain(store)
    discard(folder)
    return shipment


def _last_change(folder: Path) -> datetime:
    """When a dead session last wrote something: the best guess at when it died."""
    newest = max(path.stat().st_mtime for path in (folder / FILE, *flight_paths(folder)))
    return datetime.fromtimestamp(newest, UTC)


def _is_young(folder: Path) -> bool:
    age = datetime.now(UTC) - datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return age < YOUNG and not (folder / FILE).exists()


def _sealed(line: Line) -> Line:
    """Look once more for secrets in a line: more may be known now than when it was written."""
    if line.record is None:
        return line
    raw = known.sealed_line(line.raw, decode)
    return line if raw is line.raw else Line(raw=raw, record=decode(raw))


def _records(folder: Path) -> Iterator[JournalRecord]:
    follower = Follower(folder)
    while lines := follower.read():
        yield from (line.record for line in lines if line.record is not None)


def _left_behind(path: Path, died_at: datetime) -> Attempt | None:
    message = "the session ended before the test did"
    return complete(path) or recover(
        path, died_at=died_at, status=Status.INTERRUPTED, message=message
    )


def _executions(
    session: SessionStarted, attempts: dict[str, dict[int, Attempt]], *, is_over: bool
) -> tuple[Execution, ...]:
    return tuple(
        execution_of(session, list(numbered.values()), session_is_over=is_over)
        for numbered in attempts.values()
    )
