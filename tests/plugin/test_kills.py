"""Whatever is killed, what had happened is recorded: session, shipper, or both."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from pytest_workflow_monitor.journal import FILE
from tests.plugin.stored import (
    TWO_WORKFLOWS,
    documents,
    ended,
    go_on,
    start,
    statuses,
    until,
)

if TYPE_CHECKING:
    import subprocess

    from tests.plugin.conftest import Suite

WAYS = pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["plain", "xdist"])


def shipper_of(suite: Suite) -> int:
    """The process id of the shipper that stores the suite's only journal."""
    (folder,) = suite.journals()
    lock = folder / "shipper.lock"
    if not lock.exists():
        return 0
    inode = lock.stat().st_ino
    rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return next((int(row[4]) for row in rows if row[5].endswith(f":{inode}")), 0)


def kill(process: subprocess.Popen[str]) -> None:
    """End a process without giving it a chance."""
    process.kill()
    process.communicate()


@WAYS
def test_a_killed_session_is_recorded_by_its_shipper(
    suite: Suite, database_url: str, options: tuple[str, ...]
) -> None:
    """After SIGKILL what had ended is stored, what was running is interrupted, at once."""
    process = start(suite, database_url, *options)
    until(lambda: documents(database_url) or None)
    kill(process)
    killed_at = datetime.now(UTC)
    (document,) = until(lambda: ended(database_url))
    assert document.ended is not None
    assert document.ended.ended_at - killed_at < timedelta(seconds=2)
    assert statuses(document) == {"first": "passed", "waits": "interrupted"}
    (waits,) = (e for e in document.executions if e.workflow.workflow_id == "waits")
    assert [(s.name, s.status.value) for s in waits.attempts[0].steps] == [
        ("Arrive", "passed"),
        ("Wait", "interrupted"),
    ]
    assert (document.ended.exit_status, document.ended.interrupted) == (None, True)
    until(lambda: not suite.journals())


@WAYS
def test_when_both_are_killed_the_next_session_records(
    suite: Suite, database_url: str, options: tuple[str, ...]
) -> None:
    """With session and shipper gone, the next session stores what they left, steps included."""
    process = start(suite, database_url, *options)
    os.kill(until(lambda: shipper_of(suite)), signal.SIGKILL)
    kill(process)
    (suite.path / "go on").touch()
    left = suite.journals()
    assert len(left) == 1
    suite.write("test_shop.py", TWO_WORKFLOWS)
    suite.run(env={"DATABASE_URL": database_url})
    found = until(lambda: d if len(d := documents(database_url)) == 2 else None)
    until(lambda: not suite.journals())
    assert statuses(found[-1]) == {"first": "passed", "waits": "interrupted"}
    names = [[s.name for s in e.attempts[0].steps] for e in found[-1].executions]
    assert sorted(names) == [["Arrive", "Wait"], ["Done before"]]


def test_a_killed_shipper_loses_nothing(suite: Suite, database_url: str) -> None:
    """The session goes on without it, says so, and the next session stores everything once."""
    process = start(suite, database_url)
    os.kill(until(lambda: shipper_of(suite)), signal.SIGKILL)
    output = go_on(suite, process)
    assert process.returncode == 0
    assert "the next session stores the rest" in output
    suite.write("test_shop.py", TWO_WORKFLOWS)
    suite.run(env={"DATABASE_URL": database_url})
    found = until(lambda: d if len(d := ended(database_url) or []) == 2 else None)
    assert [statuses(document) for document in found] == [
        {"login": "passed", "order": "failed"},
        {"first": "passed", "waits": "passed"},
    ]


def test_interrupting_leaves_a_complete_record(suite: Suite, database_url: str) -> None:
    """Ctrl-C ends the session as ever; the shipper is not struck and stores what there was."""
    process = start(suite, database_url)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "KeyboardInterrupt" in output
    (document,) = until(lambda: ended(database_url))
    assert statuses(document) == {"first": "passed", "waits": "interrupted"}
    assert document.ended is not None
    assert document.ended.exit_status == 2
    (waits,) = (e for e in document.executions if e.workflow.workflow_id == "waits")
    assert waits.attempts[0].errors[0].message.startswith("KeyboardInterrupt")


def test_ctrl_c_while_waiting_for_the_database_lets_go_at_once(
    suite: Suite, database_url: str
) -> None:
    """A second Ctrl-C at the end does not wait for the deadline; the shipper finishes alone."""
    suite.write("workflow-monitor.toml", "deadline_seconds = 90")
    process = start(suite, database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE workflow_monitor.test_sessions")
        (suite.path / "go on").touch()
        (folder,) = suite.journals()
        until(lambda: b"session_ended" in (folder / FILE).read_bytes())
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
    assert "INTERNALERROR" not in output
    assert "a background process goes on" in output
    (document,) = until(lambda: ended(database_url))
    assert statuses(document) == {"first": "passed", "waits": "passed"}


@WAYS
def test_a_time_limit_that_ends_the_whole_session_is_a_time_out(
    suite: Suite, database_url: str, options: tuple[str, ...]
) -> None:
    """pytest-timeout's thread method exits the process; the workflow has timed out."""
    suite.write(
        "test_shop.py",
        """
        import pytest
        from pytest_workflow_monitor import step

        @pytest.mark.workflow
        @pytest.mark.timeout(0.5, method="thread")
        def test_hangs():
            with step("Wait for ever"):
                while True: pass
        """,
    )
    suite.run(*options, env={"DATABASE_URL": database_url})
    (document,) = until(lambda: ended(database_url))
    assert statuses(document) == {"hangs": "timed_out"}


def test_the_shipper_survives_a_child_that_holds_the_pipe(suite: Suite, database_url: str) -> None:
    """A daemon forked by a test keeps the pipe open; the session's death is noticed anyway."""
    suite.write(
        "test_shop.py",
        """
        import os, pathlib, signal, time
        import pytest

        @pytest.mark.workflow
        def test_forks():
            child = os.fork()
            if child == 0:
                while not pathlib.Path("stop").exists():
                    time.sleep(0.05)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    run = suite.run("-s", env={"DATABASE_URL": database_url})
    assert run.result.ret == -signal.SIGKILL
    try:
        (document,) = until(lambda: ended(database_url))
        assert statuses(document) == {"forks": "interrupted"}
    finally:
        (suite.path / "stop").touch()


def test_a_running_workflow_can_be_seen_by_others(suite: Suite, database_url: str) -> None:
    """While a session lasts, what it is in the middle of is a row with status running."""
    process = start(suite, database_url)
    seen = until(
        lambda: next((d for d in documents(database_url) if statuses(d).get("waits")), None)
    )
    assert statuses(seen) == {"first": "passed", "waits": "running"}
    go_on(suite, process)
    (document,) = documents(database_url)
    assert statuses(document) == {"first": "passed", "waits": "passed"}
    assert len({e.run_id for e in (*seen.executions, *document.executions)}) == 2


def test_two_sessions_at_once_share_state_and_database(suite: Suite, database_url: str) -> None:
    """Two sessions on one state directory and one database are both recorded, each once."""
    first = start(suite, database_url)
    (suite.path / "waiting").unlink()
    second = start(suite, database_url, "-n", "2")
    outputs = [go_on(suite, process) for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert all("stored in" in output for output in outputs)
    found = documents(database_url)
    assert [statuses(d) for d in found] == [{"first": "passed", "waits": "passed"}] * 2
    with psycopg.connect(database_url) as connection:
        counts = connection.execute(
            "SELECT workflow_id, run_count FROM workflow_monitor.job_metrics ORDER BY 1"
        ).fetchall()
    assert counts == [("first", 2), ("waits", 2)]
