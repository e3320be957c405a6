from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Artifact
from pytest_workflow_monitor.support.wire import encode
from tests.samples import a_session, an_attempt, an_end, run_id

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


@pytest.fixture
def evidence(stored: Project, store: Store) -> list[Path]:
    """Store three passes with a picture each, 30, 20 and 0 days old; return their files."""
    files = []
    for days in (30, 20, 0):
        content = f"picture of {days} days ago".encode()
        digest = hashlib.sha256(content).hexdigest()
        path = f"artifacts/{digest[:2]}/{digest}.png"
        file = stored.path / ".workflow-monitor" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        files.append(file)
        artifact = Artifact(
            name=f"{days}.png", kind="screenshot", size_bytes=len(content), sha256=digest, path=path
        )
        attempt = an_attempt(
            run_id=run_id(),
            started_at=datetime.now(UTC) - timedelta(days=days),
            artifacts=(artifact,),
        )
        ingest(store, a_session(), Batch(attempts=[attempt], raw=[encode(attempt)], ended=an_end()))
    return files


def test_a_dry_run_says_what_would_go_and_why(stored: Project, evidence: list[Path]) -> None:
    """And keeps everything."""
    said = stored.run("artifacts", "prune", "--dry-run", width=120)
    assert said.code == 0
    for fact in ("2 artifacts would go", "30.png", "20.png", "a pass, and not the last good"):
        assert fact in said.out
    assert "0.png " not in said.out.replace("30.png ", "").replace("20.png ", "")
    assert all(file.exists() for file in evidence)
    found = stored.run("artifacts", "prune", "--dry-run", "--json").json
    assert [each["artifact_name"] for each in found["leaving"]] == ["30.png", "20.png"]
    assert found["bytes_leaving"] == sum(file.stat().st_size for file in evidence[:2])


def test_pruning_says_what_it_did(stored: Project, evidence: list[Path]) -> None:
    """Rows expire and files are gone, but those of the last pass."""
    old = datetime.now(UTC).timestamp() - 7200
    for file in evidence:
        os.utime(file, (old, old))
    said = stored.run("artifacts", "prune")
    assert said.code == 0
    assert "2 artifacts expired; removed 2 files" in said.out
    assert [file.exists() for file in evidence] == [False, False, True]
    assert "No artifact would go: 1 file" in stored.run("artifacts", "prune", "--dry-run").out


def test_upload_needs_to_know_where_to(stored: Project, evidence: list[Path]) -> None:
    """Without the setting one sentence, with it the number of files, with a dead bucket a code."""
    assert evidence
    said = stored.run("artifacts", "upload")
    assert said.code == 2
    assert "artifacts_url is not set" in said.err
    bucket = stored.path / "bucket"
    stored.env["WORKFLOW_MONITOR_ARTIFACTS_URL"] = f"file://{bucket}"
    bucket.write_text("in the way")
    said = stored.run("artifacts", "upload")
    assert said.code == 1
    assert "could not be copied" in said.err
    bucket.unlink()
    assert "Copied 3 files" in stored.run("artifacts", "upload").out
