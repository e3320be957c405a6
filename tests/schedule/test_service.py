"""The processes: what signals, a database that goes away and each other do to them."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.store import Store, embedded, places
from pytest_workflow_monitor.words.slots import SlotStatus
from tests.plugin.stored import until
from tests.schedule.timetable import ENVIRONMENT, PROJECT
from tests.schedule.yard import Yard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUITE = """
    import pytest

    @pytest.mark.workflow("order", every="1d")
    def test_order(): pass
"""
MORE = """
    import pytest

    @pytest.mark.workflow("login", cron="*/5 * * * *")
    def test_login(): pass
"""
WAITING = """
    import time
    from pathlib import Path
    import pytest

    @pytest.mark.workflow("order")
    def test_order():
        Path("waits").touch()
        while not Path("go").exists():
            time.sleep(0.02)
"""


def make_due(store: Store) -> None:
    """Let the schedules that there are be due since two seconds ago."""
    store.connection.execute(
        "UPDATE workflow_schedules SET next_run_at = now() - interval '2 seconds'"
    )


def test_a_tick_runs_what_is_due(yard: Yard) -> None:
    """The first learns of the schedule; one that comes when it is due runs it, and ends."""
    yard.write("test_it.py", SUITE)
    assert yard.start("tick").wait() == 0
    assert yard.slots() == {}
    make_due(yard.store)
    assert yard.start("tick").wait() == 0
    slot = yard.slots()["order"]
    assert (slot.status, slot.exit_code) == (SlotStatus.DONE, 0)


def test_a_tick_that_cannot_read_all_tests_goes_on_and_says_so(yard: Yard) -> None:
    """What is known runs; the exit code tells whoever looks after the crontab."""
    yard.write("test_it.py", SUITE)
    assert yard.start("tick").wait() == 0
    yard.write("test_broken.py", "import nothing_of_this_name")
    make_due(yard.store)
    assert yard.start("tick").wait() == 1
    assert yard.slots()["order"].status is SlotStatus.DONE


def test_two_ticks_at_once_run_a_slot_once(yard: Yard) -> None:
    """Whoever is first runs it; the other one ends without a word."""
    yard.write("test_it.py", SUITE)
    assert yard.start("tick").wait() == 0
    make_due(yard.store)
    ticks = [yard.start("tick"), yard.start("tick")]
    assert [it.wait() for it in ticks] == [0, 0]
    (slot,) = yard.store.slots(PROJECT, ENVIRONMENT)
    assert (slot.status, slot.tries) == (SlotStatus.DONE, 1)
    assert yard.store.count_executions(PROJECT, slot.slot_at) == {"passed": 1}


def test_a_tick_without_a_database_says_so(yard: Yard) -> None:
    """It does not wait: the next one comes in a minute."""
    yard.write("test_it.py", SUITE)
    url = "postgresql://nobody@127.0.0.1:9/nothing"
    assert yard.start("tick", DATABASE_URL=url).wait() == 3


def test_a_scheduler_runs_what_is_due_and_hears_of_changes(yard: Yard) -> None:
    """SIGHUP brings a new workflow at once; a mistake in the settings changes nothing."""
    yard.write("test_it.py", SUITE)
    process = yard.start("schedule", "run")
    process.until("catalogue_synced", changed=["order"])
    make_due(yard.store)
    yard.write("test_more.py", MORE)
    process.signal(signal.SIGHUP)
    process.until("reloaded")
    process.until("catalogue_synced", changed=["login"])
    until(lambda: yard.slots().get("order"))
    until(lambda: yard.slots()["order"].status is SlotStatus.DONE)
    yard.write("workflow-monitor.toml", "no_such_setting = 1")
    process.signal(signal.SIGHUP)
    process.until("reload_failed")
    process.signal(signal.SIGTERM)
    process.until("stopped")
    assert process.wait() == 0
    rows = yard.store.connection.execute("SELECT kind, stopped_at FROM schedulers").fetchall()
    assert [(it["kind"], it["stopped_at"] is not None) for it in rows] == [("scheduler", True)]


@pytest.fixture
def own_server(open_folder: Path) -> Iterator[embedded.EmbeddedServer]:
    """Return a server of the test's own, to be restarted."""
    server = embedded.join(open_folder / "state")
    yield server
    server.leave()


def control(server: embedded.EmbeddedServer, *command: str) -> None:
    """Stop or start a server."""
    program = str(places.programs(server.data) / "pg_ctl")
    account = places.account_for(server.data)
    subprocess.run(
        [program, "-D", ".", "-l", "log", "-w", *command],
        cwd=server.data,
        user=account and account.uid,
        group=account and account.gid,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def test_a_database_that_restarts_loses_no_slot(
    own_server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    """Scheduler, worker and run go on, and what fell due meanwhile is caught up with."""
    yard = Yard(tmp_path, own_server.url)
    try:
        yard.write("test_it.py", WAITING)
        process = yard.start("schedule", "run")
        process.until("started")
        yard.queue("order")
        until((tmp_path / "waits").exists)
        yard.store.close()
        control(own_server, "-m", "fast", "stop")
        process.until("database_away")
        (tmp_path / "go").touch()
        options = f"-h '' -k {own_server.socket} -p 5432"
        control(own_server, "-o", options, "start")
        process.until("slot_done", workflow_id="order")
        yard.store = Store(own_server.url, project=PROJECT)
        assert (yard.slots()["order"].tries, yard.slots()["order"].exit_code) == (1, 0)
        assert "database_back" in {it.get("action") for it in process.said}
    finally:
        yard.close()


def test_a_scheduler_stops_although_its_database_never_comes_back(
    own_server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    """What runs cannot be handed back then; once it has tried, the process ends all the same."""
    yard = Yard(tmp_path, own_server.url)
    try:
        yard.write("test_it.py", WAITING)
        process = yard.start("schedule", "run", "--stop-within", "1s")
        process.until("started")
        yard.queue("order")
        until((tmp_path / "waits").exists)
        yard.store.close()
        control(own_server, "-m", "fast", "stop")
        process.signal(signal.SIGTERM)
        process.until("left_behind")
        process.until("stopped")
        process.wait()
    finally:
        yard.close()


def test_systemd_hears_that_it_is_ready_alive_and_stopping(yard: Yard, open_folder: Path) -> None:
    """As Type=notify with WatchdogSec wants it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(open_folder / "notify"))
        listener.settimeout(60)
        process = yard.start(
            "worker", NOTIFY_SOCKET=str(open_folder / "notify"), WATCHDOG_USEC="200000"
        )
        heard = [listener.recv(100)]
        while heard[-1] != b"WATCHDOG=1":
            heard.append(listener.recv(100))
        assert b"READY=1" in heard
        process.signal(signal.SIGTERM)
        while heard[-1] != b"STOPPING=1":
            heard.append(listener.recv(100))
    assert process.wait() == 0


@pytest.fixture
def pings() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Return an address, and what is posted to it."""
    posted: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            posted.append((self.path, body.decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/ping", posted
    server.shutdown()
    server.server_close()


def test_somebody_else_hears_how_cycles_go(
    yard: Yard, pings: tuple[str, list[tuple[str, str]]]
) -> None:
    """A heartbeat URL hears of starts, successes and of a database that is away; a file too."""
    url, posted = pings
    heartbeat = yard.path / "alive"
    process = yard.start(
        "schedule", "run", "--heartbeat-file", str(heartbeat), WORKFLOW_MONITOR_HEARTBEAT_URL=url
    )
    process.until("started")
    until(lambda: len(posted) >= 2)
    assert [path for path, _ in posted[:2]] == ["/ping/start", "/ping"]
    assert heartbeat.exists()
    process.kill()
    posted.clear()
    yard.start(
        "schedule",
        "run",
        WORKFLOW_MONITOR_HEARTBEAT_URL=url,
        DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing",
    )
    until(lambda: len(posted) >= 2)
    assert posted[:2] == [("/ping/start", ""), ("/ping/fail", "StoreUnreachableError")]


def test_the_environment_variable_of_a_slot_does_not_reach_the_tests(yard: Yard) -> None:
    """A pytest inside a test is not the slot's."""
    yard.write(
        "test_it.py",
        """
        import os, pytest

        @pytest.mark.workflow("order")
        def test_order():
            assert "WORKFLOW_MONITOR_SLOT" not in os.environ
        """,
    )
    yard.queue("order")
    yard.start("worker").until("slot_done", exit_code=0)


def test_old_jobs_and_slots_are_deleted(yard: Yard) -> None:
    """What ended long ago goes; what is on its way stays."""
    yard.queue("order")
    yard.store.connection.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    yard.store.connection.execute("UPDATE procrastinate_events SET at = now() - interval '9 days'")
    yard.queue("login")
    yard.store.connection.execute(
        "UPDATE workflow_slots SET status = 'lost', ended_at = now() - interval '99 days' "
        "WHERE workflow_id = 'order'"
    )
    assert yard.store.prune_queue(job_days=7, slot_days=90, project=PROJECT) == (1, 1)
    assert list(yard.slots()) == ["login"]
