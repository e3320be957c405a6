from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from pytest_workflow_monitor.journal import FILE, SHIPPER_LOCK, Journal, Lock, session_folder
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.model import SessionStarted
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


def leave(project: Project, attempts: int = 1) -> SessionStarted:
    """Leave the journal of a session that ended without reaching its database."""
    session = a_session()
    journal = Journal(session_folder(project.path / ".workflow-monitor", session.session_id))
    for record in (session, *(an_attempt(f"flow-{n}") for n in range(attempts)), an_end()):
        journal.append(record)
    journal.close()
    return session


def foreign(project: Project) -> Path:
    """Leave something that is no journal."""
    return project.write(".workflow-monitor/journal/foreign/journal.jsonl", "hello\n")


def test_what_waits_is_stored_once(stored: Project, store: Store) -> None:
    """Journals of sessions that are over reach the database, and then nothing waits."""
    sessions = [leave(stored, attempts=2), leave(stored)]

    said = stored.run("replay")

    assert said.code == 0
    assert said.out.startswith("Stored 2 sessions with 3 executions in postgresql://")
    assert said.err == ""
    assert {it.session_id for it in store.sessions(9)} == {it.session_id for it in sessions}
    again = stored.run("replay")
    assert (again.code, again.out) == (0, "")
    assert again.err == "Nothing waits: every session that is over is stored.\n"


def test_what_is_left_alone_is_told_with_the_reason(stored: Project) -> None:
    """A file that is no journal stays, and the exit code says that not all went well."""
    leave(stored)
    path = foreign(stored)

    said = stored.run("replay", "--json")

    assert said.code == 1
    assert (said.json["sessions"], said.json["executions"]) == (1, 1)
    assert said.json["notices"] == [f"{path} is not a journal of a session; it was left alone."]
    assert path.exists()


def test_a_dry_run_lists_and_changes_nothing(project: Project) -> None:
    """What waits is listed without a database, and stays."""
    session = leave(project)
    path = foreign(project)

    said = project.run("replay", "--dry-run")
    assert said.code == 0
    assert session.session_id in said.out
    assert said.err == f"{path} is not a journal of a session; it was left alone.\n"

    found = {it["session_id"]: it for it in project.run("replay", "--dry-run", "--json").json}
    waiting = found[session.session_id]
    assert (waiting["project"], waiting["environment"]) == ("shop", "production")
    assert waiting["size_bytes"] == (path.parent.parent / session.session_id / FILE).stat().st_size
    assert not (project.path / ".workflow-monitor" / "postgres").exists()


def test_a_journal_that_another_process_is_storing_does_not_wait(project: Project) -> None:
    """The shipper that still works on a journal is left in peace."""
    session = leave(project)
    folder = project.path / ".workflow-monitor" / "journal" / session.session_id
    other = (
        "import sys, pathlib; from pytest_workflow_monitor.journal import Lock; "
        "lock = Lock(pathlib.Path(sys.argv[1])); print(lock.acquire(), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", other, str(folder / SHIPPER_LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert project.run("replay", "--dry-run", "--json").json == []
        holder.communicate("\n")
    assert Lock(folder / SHIPPER_LOCK).acquire()
    assert len(project.run("replay", "--dry-run", "--json").json) == 1


def test_a_database_that_is_away_leaves_everything(project: Project) -> None:
    """Nothing is lost when the database cannot be reached; the exit code tells."""
    session = leave(project)
    project.env["DATABASE_URL"] = "postgresql://127.0.0.1:1/none"

    said = project.run("replay")

    assert (said.code, said.out) == (3, "")
    assert said.err.count("\n") == 1
    assert session_folder(project.path / ".workflow-monitor", session.session_id).exists()


def test_nothing_waits_in_json_too(project: Project) -> None:
    """Programs get the same fields whether or not there was something to do."""
    said = project.run("replay", "--json")

    assert (said.code, said.json["sessions"], said.json["notices"]) == (0, 0, [])
