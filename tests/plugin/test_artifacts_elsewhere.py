from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Suite

EVIDENCE = """
    from pytest_workflow_monitor import attach

    def test_it():
        attach(b"what was seen", name="seen.txt")

    def test_that():
        attach(b"what was heard", name="heard.txt")
"""


def copies(folder: Path) -> set[bytes]:
    """What lies in a bucket."""
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["serial", "n2"])
def test_artifacts_are_in_the_bucket_when_the_session_ends(
    suite: Suite, database_url: str, tmp_path: Path, how: list[str]
) -> None:
    """The background process copies them; the test process knows nothing of it."""
    suite.write("test_it.py", EVIDENCE)
    bucket = tmp_path / "bucket"
    env = {"DATABASE_URL": database_url, "WORKFLOW_MONITOR_ARTIFACTS_URL": f"file://{bucket}"}
    run = suite.run("--workflow-all", *how, env=env)
    assert run.summary == {"passed": 2}
    assert copies(bucket) == {b"what was seen", b"what was heard"}


def test_a_dead_bucket_does_not_touch_the_run(
    suite: Suite, database_url: str, tmp_path: Path
) -> None:
    """One line says so; outcome and exit code are the tests' own; the next session copies."""
    suite.write("test_it.py", EVIDENCE)
    bucket = tmp_path / "bucket"
    bucket.write_text("in the way")
    env = {"DATABASE_URL": database_url, "WORKFLOW_MONITOR_ARTIFACTS_URL": f"file://{bucket}/x"}
    run = suite.run("--workflow-all", env=env)
    assert run.summary == {"passed": 2}
    assert run.result.ret == 0
    assert f"could not be copied to file://{bucket}/x" in run.output
    assert "The files are kept here and copied later." in run.output
    bucket.unlink()
    suite.run("--workflow-all", env=env)
    assert copies(bucket) == {b"what was seen", b"what was heard"}
