from __future__ import annotations

import hashlib
import os
import stat
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.artifact_files import ArtifactFiles
from pytest_workflow_monitor.errors import ArtifactsError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping import artifacts as artifact_keeping
from pytest_workflow_monitor.keeping.artifacts import plan, prune, prune_daily, upload_waiting
from pytest_workflow_monitor.model import Artifact, Error, Phase, Status
from pytest_workflow_monitor.support.wire import encode
from tests.samples import START, a_session, an_attempt, an_end, run_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

    Keep = Callable[..., str]

NOW = START + timedelta(days=30)


@pytest.fixture
def settings(settings_for: Callable[..., Settings], tmp_path: Path) -> Settings:
    """Return settings that copy to a folder."""
    return settings_for(artifacts_url=f"file://{tmp_path}/bucket/evidence")


@pytest.fixture
def keep(store: Store, settings: Settings) -> Keep:
    """Return a function that stores an execution with one artifact, some days after the start."""

    def make(
        content: bytes,
        *,
        day: float = 0,
        status: Status = Status.PASSED,
        fingerprint: str = "",
        workflow: str = "login",
        on_disk: bool = True,
    ) -> str:
        digest = hashlib.sha256(content).hexdigest()
        path = f"artifacts/{digest[:2]}/{digest}.png"
        file = settings.state_path / path
        if on_disk:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            os.utime(file, (START.timestamp(), START.timestamp()))
        error = Error(phase=Phase.CALL, type="E", message="no", fingerprint=fingerprint)
        attempt = an_attempt(
            workflow,
            run_id=run_id(),
            status=status,
            started_at=START + timedelta(days=day),
            errors=(error,) if fingerprint else (),
            artifacts=(
                Artifact(
                    name=content.decode(),
                    kind="screenshot",
                    content_type="image/png",
                    size_bytes=len(content),
                    sha256=digest,
                    path=path,
                ),
            ),
        )
        batch = Batch(attempts=[attempt], raw=[encode(attempt)], running=[], ended=an_end())
        ingest(store, a_session(), batch)
        return path

    return make


def leaving(store: Store, settings: Settings, **when: Any) -> dict[str, str]:
    """What would go, by the artifact's name, and why."""
    made = plan(store, settings, now=when.get("now", NOW))
    return {each.artifact_name: each.why for each in made.leaving}


def test_the_last_good_evidence_and_first_failures_always_stay(
    store: Store, settings: Settings, keep: Keep
) -> None:
    """Ten years later the last pass and the first of each kind of failure are still there."""
    keep(b"old pass", day=0)
    keep(b"last pass", day=1)
    keep(b"first timeout", day=2, status=Status.FAILED, fingerprint="timeout")
    keep(b"second timeout", day=3, status=Status.FAILED, fingerprint="timeout")
    keep(b"first refusal", day=4, status=Status.FAILED, fingerprint="refusal")
    keep(b"pass of another", day=0, workflow="search")
    found = leaving(store, settings, now=START + timedelta(days=3650))
    assert set(found) == {"old pass", "second timeout"}
    assert found["old pass"].startswith("a pass, and not the last good evidence of its workflow")
    assert "first evidence is kept" in found["second timeout"]


def test_passes_and_repeats_expire_before_the_rest(
    store: Store, settings: Settings, keep: Keep
) -> None:
    """A crash without fingerprint stays for 90 days, a pass for 14."""
    keep(b"old pass", day=0)
    keep(b"crash", day=0, status=Status.CRASHED)
    keep(b"young pass", day=20)
    keep(b"last pass", day=21)
    assert set(leaving(store, settings)) == {"old pass"}
    later = START + timedelta(days=91)
    assert set(leaving(store, settings, now=later)) == {"old pass", "young pass", "crash"}


def test_a_size_limit_takes_the_least_telling_first(
    store: Store, settings_for: Callable[..., Settings], keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Young evidence goes early, passes before crashes, until the rest fits."""
    monkeypatch.setattr(artifact_keeping, "MEGABYTE", 10)
    keep(b"crash!", day=25, status=Status.CRASHED)
    keep(b"pass 1", day=26)
    keep(b"pass 2", day=27)
    keep(b"pass 3", day=28)  # the last good one
    assert set(leaving(store, settings_for(artifacts_max_mb=2))) == {"pass 1"}
    assert set(leaving(store, settings_for(artifacts_max_mb=1))) == {"pass 1", "pass 2", "crash!"}
    assert leaving(store, settings_for(artifacts_max_mb=0)) == {}


def test_pruning_removes_files_and_leaves_rows_that_say_so(
    store: Store, settings: Settings, keep: Keep
) -> None:
    """Here and in the bucket; a file that another artifact needs stays; a second time is calm."""
    gone = keep(b"unique", day=0)
    shared = keep(b"same picture", day=0)
    keep(b"same picture", day=29)
    upload_waiting(store, settings)
    bucket = settings.root / "bucket" / "evidence"
    assert (bucket / gone).read_bytes() == b"unique"
    made = plan(store, settings, now=NOW)
    assert made.bytes_leaving == len(b"unique")
    done = prune(store, settings, made, now=NOW)
    assert (done.artifacts, done.files, done.problems) == (2, 1, [])
    assert not (settings.state_path / gone).exists()
    assert not (bucket / gone).exists()
    assert (settings.state_path / shared).exists()
    expired = [
        each.attempts[0].artifacts[0].problem
        for each in store.executions([each.run_id for each in made.leaving])
    ]
    assert expired == ["expired", "expired"]
    assert plan(store, settings, now=NOW).leaving == []


def test_a_file_that_was_just_written_again_stays(
    store: Store, settings: Settings, keep: Keep
) -> None:
    """A record that is still in a journal may need it."""
    path = keep(b"old pass", day=0)
    keep(b"last pass", day=1)
    (settings.state_path / path).touch()
    now = START + timedelta(days=3650)
    os.utime(settings.state_path / path, (now.timestamp(), now.timestamp()))
    prune(store, settings, plan(store, settings, now=now), now=now)
    assert (settings.state_path / path).exists()


def test_files_are_copied_once(store: Store, settings: Settings, keep: Keep) -> None:
    """Every file that lies here; one of another machine waits for that machine."""
    here = keep(b"here")
    keep(b"elsewhere", on_disk=False)
    assert upload_waiting(store, settings).files == 1
    bucket = settings.root / "bucket" / "evidence"
    assert (bucket / here).read_bytes() == b"here"
    assert [path.name for path in bucket.rglob("*.part")] == []
    assert upload_waiting(store, settings).files == 0
    assert len(store.waiting_uploads(10)) == 1


def test_a_dead_bucket_costs_nothing_but_says_so(
    store: Store, settings_for: Callable[..., Settings], keep: Keep, tmp_path: Path
) -> None:
    """The files stay here, wait, and are copied when it is back."""
    path = keep(b"evidence")
    (tmp_path / "bucket").write_text("a file where the folder should be")
    settings = settings_for(artifacts_url=f"file://{tmp_path}/bucket/evidence")
    done = upload_waiting(store, settings)
    assert done.files == 0
    assert path in done.problem
    assert "could not be copied to file://" in done.problem
    (tmp_path / "bucket").unlink()
    assert upload_waiting(store, settings).files == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bucket/folder", "is no URL; expected one such as s3://bucket/folder"),
        ("nonsense://x", "artifacts_url = 'nonsense://x'"),
        ("s3://bucket/x", "pip install 'pytest-workflow-monitor[s3]'"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_sentence(tmp_path: Path, url: str, said: str) -> None:
    """No URL, no such protocol, or its package is missing."""
    with pytest.raises(ArtifactsError) as caught:
        ArtifactFiles(tmp_path, url)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_only_our_own_files_are_ever_touched(tmp_path: Path) -> None:
    """A path from a database that was tampered with leads nowhere."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    files = ArtifactFiles(tmp_path / "state")
    files.remove("../precious")
    files.remove(str(precious))
    assert precious.exists()


def test_pruning_by_itself_happens_once_a_day(store: Store, settings: Settings, keep: Keep) -> None:
    """Each session's background process tries; one a day does it."""
    keep(b"x")
    first = prune_daily(store, settings)
    assert first is not None
    assert prune_daily(store, settings) is None
    mark = settings.state_path / artifact_keeping.PRUNED_FILE
    yesterday = mark.stat()[stat.ST_MTIME] - 90_000
    os.utime(mark, (yesterday, yesterday))
    assert prune_daily(store, settings) is not None


def test_a_memory_of_any_fsspec_kind_serves(
    store: Store, settings_for: Callable[..., Settings], keep: Keep
) -> None:
    """Not only folders: whatever fsspec opens."""
    import fsspec  # type: ignore[import-untyped]

    path = keep(b"to memory")
    assert upload_waiting(store, settings_for(artifacts_url="memory://evidence")).files == 1
    assert fsspec.filesystem("memory").cat(f"/evidence/{path}") == b"to memory"


def test_files_that_nobody_needs_go_after_a_week(
    store: Store, settings: Settings, keep: Keep
) -> None:
    """A killed process may leave a file without a row; foreign files are left alone."""
    needed = settings.state_path / keep(b"needed")
    orphan = needed.parent / f"{'0' * 64}.png"
    young = needed.parent / f"{'1' * 64}.png"
    foreign = needed.parent / "README.txt"
    for file in (orphan, young, foreign):
        file.write_text("x")
        os.utime(file, (START.timestamp(), START.timestamp()))
    os.utime(young, (NOW.timestamp(), NOW.timestamp()))
    made = plan(store, settings, now=NOW)
    assert made.orphans == [orphan.relative_to(settings.state_path).as_posix()]
    assert prune(store, settings, made, now=NOW).files == 1
    assert [file.exists() for file in (needed, orphan, young, foreign)] == [True, False, True, True]
