"""How long artifacts are kept, and where else: copies to the settings' URL, and retention.

Age alone does not decide. The last good evidence of each workflow and the first of each kind of
failure are always kept. Passes, and repeats of a failure that is known, go first; what is neither
goes later. A limit for the size makes both go earlier, in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from pytest_workflow_monitor.artifact_files import ArtifactFiles
from pytest_workflow_monitor.errors import ArtifactsError
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store.artifacts import Expirable
    from pytest_workflow_monitor.store.connection import Store

BATCH = 200
MAX_FAILURES = 3
"""After so many files in a row that cannot be copied, the others wait for the next session."""

MEGABYTE = 1_000_000
PRUNED_FILE = "artifacts/.pruned"
PRUNE_INTERVAL = timedelta(days=1)
YOUNG = timedelta(hours=1)
"""A file that was written again so lately may belong to a record that is not stored yet."""

ORPHANED = timedelta(days=7)
"""After so long a file that no artifact needs belongs to no record that is still to be stored."""

WHY = {
    "pass": "a pass, and not the last good evidence of its workflow",
    "repeat": "a failure of a kind whose first evidence is kept",
    "other": "neither a first failure of its kind nor the last good evidence",
}


@dataclass
class Uploaded:
    """What became of the files that waited to be copied."""

    files: int = 0
    problem: str = ""


class Leaving(Record, frozen=True, kw_only=True):
    """An artifact that expires, and why now."""

    run_id: str
    attempt: int
    artifact_index: int
    artifact_name: str
    path: str
    size_bytes: int
    workflow_id: str
    environment: str
    started_at: datetime
    why: str


class Plan:
    """What a pruning would do.

    Sizes count each content once, however many artifacts share it. ``orphans`` are files in the
    state directory that no artifact needs, left behind by a process that was killed.

    Args:
        files: How many files are kept now.
        size_bytes: Their bytes together.
    """

    def __init__(self, files: int, size_bytes: int) -> None:
        self.files_before = files
        self.bytes_before = size_bytes
        self.bytes_leaving = 0
        self.leaving: list[Leaving] = []
        self.orphans: list[str] = []
        self.expirable: list[Expirable] = []
        self._users: dict[str, int] = {}

    def add(self, artifact: Expirable, why: str) -> None:
        """Let an artifact go; its file goes with the last artifact that needs it."""
        left = self._users.get(artifact.path, artifact.users) - 1
        self._users[artifact.path] = left
        if left == 0:
            self.bytes_leaving += artifact.size_bytes
        self.expirable.append(artifact)
        self.leaving.append(_leaving(artifact, why))


@dataclass
class Pruned:
    """What a pruning did."""

    artifacts: int = 0
    files: int = 0
    size_bytes: int = 0
    problems: list[str] = field(default_factory=list)


def upload_waiting(store: Store, settings: Settings, *, deadline: float | None = None) -> Uploaded:
    """Copy what waits and lies on this machine to the settings' URL.

    Args:
        store: The database, which knows what waits.
        settings: ``artifacts_url`` says where to; empty means nowhere.
        deadline: When to stop, on the clock of :func:`time.monotonic`; what is left waits.
    """
    done = Uploaded()
    if not settings.artifacts_url:
        return done
    try:
        files = ArtifactFiles(settings.state_path, settings.artifacts_url)
    except ArtifactsError as error:
        done.problem = str(error)
        return done
    failures = 0
    copied: list[str] = []
    for path in store.waiting_uploads(limit=50 * BATCH):
        if failures >= MAX_FAILURES or (deadline is not None and monotonic() > deadline):
            break
        try:
            if files.copy(path):
                copied.append(path)
                failures = 0
        except ArtifactsError as error:
            done.problem = str(error)
            failures += 1
        if len(copied) >= BATCH:
            done.files += _noted(store, copied)
            copied = []
    done.files += _noted(store, copied)
    return done


def plan(store: Store, settings: Settings, *, now: datetime) -> Plan:
    """Decide what expires, without doing it."""
    made = Plan(*store.kept_files())
    young = []
    for each in store.expirable_artifacts():
        days = settings.artifacts_days if each.reason == "other" else settings.artifacts_pass_days
        if each.started_at < now - timedelta(days=days):
            made.add(each, f"{WHY[each.reason]}, and older than {days:g} days")
        else:
            young.append(each)
    limit = settings.artifacts_max_mb * MEGABYTE
    for each in young:
        if not limit or made.bytes_before - made.bytes_leaving <= limit:
            break
        made.add(
            each, f"{WHY[each.reason]}, and more than {settings.artifacts_max_mb:,} MB were kept"
        )
    made.orphans = _orphans(store, settings, now)
    return made


def prune(store: Store, settings: Settings, made: Plan, *, now: datetime) -> Pruned:
    """Let artifacts expire: their rows stay and say so, files that nothing needs are removed."""
    files = ArtifactFiles(settings.state_path, settings.artifacts_url)
    done = Pruned()
    sizes = {each.path: each.size_bytes for each in made.expirable}
    for start in range(0, len(made.expirable), BATCH):
        batch = made.expirable[start : start + BATCH]
        for path in store.expire_artifacts(batch):
            if _is_young(settings, path, now):
                continue
            try:
                files.remove(path)
            except ArtifactsError as error:
                done.problems.append(str(error))
                continue
            done.files += 1
            done.size_bytes += sizes[path]
        done.artifacts += len(batch)
    for path in made.orphans:
        size_bytes = files.size(path)
        try:
            files.remove(path)
        except ArtifactsError as error:
            done.problems.append(str(error))
            continue
        done.files += 1
        done.size_bytes += size_bytes
    return done


def prune_daily(store: Store, settings: Settings) -> Pruned | None:
    """Prune unless that was done less than a day ago; None when it was."""
    mark, now = settings.state_path / PRUNED_FILE, datetime.now(UTC)
    try:
        last = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
    except OSError:
        last = None
    if last is not None and now - last < PRUNE_INTERVAL:
        return None
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        return Pruned(problems=[f"Nothing was pruned: {error}."])
    return prune(store, settings, plan(store, settings, now=now), now=now)


def _noted(store: Store, paths: Sequence[str]) -> int:
    if paths:
        store.note_uploaded(paths)
    return len(paths)


def _leaving(each: Expirable, why: str) -> Leaving:
    return Leaving(
        run_id=each.run_id,
        attempt=each.attempt,
        artifact_index=each.artifact_index,
        artifact_name=each.artifact_name,
        path=each.path,
        size_bytes=each.size_bytes,
        workflow_id=each.workflow_id,
        environment=each.environment,
        started_at=each.started_at,
        why=why,
    )


def _orphans(store: Store, settings: Settings, now: datetime) -> list[str]:
    """Files here that no artifact of any project needs, and have not for long."""
    old = list(ArtifactFiles(settings.state_path).unchanged_since(now - ORPHANED))
    found: list[str] = []
    for start in range(0, len(old), BATCH):
        found += store.unused_paths(old[start : start + BATCH])
    return found


def _is_young(settings: Settings, path: str, now: datetime) -> bool:
    try:
        changed = (settings.state_path / path).stat().st_mtime
    except OSError:
        return False
    return now - datetime.fromtimestamp(changed, UTC) < YOUNG
