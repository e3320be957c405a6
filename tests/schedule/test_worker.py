"""A worker with real pytests: what it records of each way that a run can end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_workflow_monitor.model import Trigger
from pytest_workflow_monitor.words.alerts import AlertKind
from pytest_workflow_monitor.words.slots import SlotStatus
from tests.plugin.stored import until
from tests.schedule.timetable import ENVIRONMENT, PROJECT

if TYPE_CHECKING:
    from tests.schedule.yard import Yard

HANG = """
    import os, signal, subprocess, sys, time
    from pathlib import Path
    import pytest

    CHILD = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True);"

    @pytest.mark.workflow("order")
    def test_order():
        command = [sys.executable, "-c", CHILD + "time.sleep(600)"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        child.stdout.readline()
        Path("pids").write_text(f"{os.getpid()} {child.pid}")
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            if os.environ.get("STUBBORN"):
                time.sleep(600)
            raise
"""
PASS = """
    import pytest

    @pytest.mark.workflow("order")
    def test_order(): pass

    @pytest.mark.workflow("login")
    def test_login(): assert False

    @pytest.mark.workflow("search")
    def test_search(): pass
"""


def pids(yard: Yard) -> list[int]:
    """Return the processes that the test of HANG has said it is made of."""
    return [int(it) for it in (yard.path / "pids").read_text().split()]


def are_gone(found: list[int]) -> bool:
    """Wait until processes have ended."""
    alive = []
    for pid in found:
        with suppress(psutil.NoSuchProcess):
            alive.append(psutil.Process(pid))
    psutil.wait_procs(alive, timeout=10)
    return not any(it.is_running() and it.status() != psutil.STATUS_ZOMBIE for it in alive)


def until_running(yard: Yard) -> None:
    """Wait until the slot runs, and the test of HANG where it is that."""
    has_pids = "pids" in (yard.path / "test_it.py").read_text()

    def is_running() -> bool:
        path = yard.path / "pids"
        is_there = path.exists() and len(path.read_text().split()) == 2
        return yard.slots()["order"].status is SlotStatus.RUNNING and (is_there or not has_pids)

    until(is_running)


def test_a_slot_runs_and_is_recorded(yard: Yard) -> None:
    """The slot knows its session, the session its slot and how late it began."""
    yard.write("test_it.py", PASS)
    yard.queue("order")
    worker = yard.start("worker")
    line = worker.until("slot_done", workflow_id="order")
    slot = yard.slots()["order"]
    assert (slot.status, slot.exit_code, slot.tries, slot.reason) == (SlotStatus.DONE, 0, 1, "")
    assert slot.session_id == line["session_id"]
    document = yard.store.session_document(str(slot.session_id))
    assert document.session.trigger is Trigger.SCHEDULE
    assert document.session.slot_at == slot.slot_at
    assert (document.session.lateness_seconds or 0) >= 2
    assert [it.workflow.workflow_id for it in document.executions] == ["order"]
    (schedule,) = yard.store.schedules(PROJECT, ENVIRONMENT)
    assert (schedule.run_count, schedule.success_count, schedule.last_status) == (1, 1, "passed")
    assert not list(yard.path.glob(".workflow-monitor/runs/*"))


def test_slots_that_are_due_together_share_a_pytest(yard: Yard) -> None:
    """A failure is the workflow's own matter: the slots are done, its output is kept."""
    yard.write("test_it.py", PASS)
    yard.queue("order", "login", "search")
    yard.start("worker").until("slot_done", workflow_id="search")
    found = yard.slots()
    assert {it.status for it in found.values()} == {SlotStatus.DONE}
    assert len({it.session_id for it in found.values()}) == 1
    counted = {it.workflow_id: it for it in yard.store.schedules(PROJECT, ENVIRONMENT)}
    assert (counted["login"].failure_count, counted["order"].success_count) == (1, 1)
    (kept,) = yard.path.glob(".workflow-monitor/runs/*.log")
    assert "test_login" in kept.read_text()


def test_one_that_cannot_run_does_not_keep_the_others_from_it(yard: Yard) -> None:
    """They run one by one then; a test that is not there is a problem that alerts."""
    yard.write("test_it.py", PASS)
    yard.queue("order", "no_such")
    yard.start("worker").until("slot_not_run", workflow_id="no_such")
    found = yard.slots()
    assert found["order"].status is SlotStatus.DONE
    assert found["no_such"].reason.startswith(
        "pytest refused its arguments (exit code 4): not found"
    )
    (alert,) = yard.store.open_alerts(PROJECT, ENVIRONMENT)
    assert (alert.workflow_id, alert.kind) == ("no_such", AlertKind.RUNNER)


EXITS = {
    4: ("import no_such_module", SlotStatus.NOT_RUN, "pytest could not collect the tests"),
    3: ("", SlotStatus.DONE, "pytest itself failed (exit code 3, internal error): broken hook"),
    -9: (PASS, SlotStatus.DONE, "killed by SIGKILL"),
}


@pytest.mark.parametrize("exit_code", EXITS)
def test_what_is_no_result_is_told(yard: Yard, exit_code: int) -> None:
    """A run that says nothing about the workflow says why, keeps its output, and alerts."""
    suite, status, reason = EXITS[exit_code]
    yard.write("test_it.py", suite or PASS)
    if exit_code == 3:
        yard.write(
            "conftest.py", "def pytest_runtestloop(session): raise ValueError('broken hook')"
        )
    if exit_code == -9:
        yard.write(
            "conftest.py",
            "import os\ndef pytest_runtest_call(item): os.kill(os.getpid(), 9)",
        )
    yard.queue("order")
    worker = yard.start("worker")
    line = worker.until(f"slot_{status.value}")
    assert (line["exit_code"], line["status"]) == (exit_code, status.value)
    assert line["reason"].startswith(reason)
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    (alert,) = yard.store.open_alerts(PROJECT, ENVIRONMENT)
    assert alert.kind is AlertKind.RUNNER


@pytest.mark.parametrize("stubborn", ["", "1"])
def test_the_limit_ends_the_whole_tree(yard: Yard, stubborn: str) -> None:
    """A child in a session of its own that ignores SIGTERM goes too; what was recorded stays."""
    yard.write("test_it.py", HANG)
    yard.queue("order", limit_seconds=4.0)
    line = yard.start("worker", STUBBORN=stubborn).until("slot_done")
    assert line["reason"].startswith("stopped at its limit of 4.0 s; its output is in ")
    assert are_gone(pids(yard))


def test_sigterm_lets_a_run_end(yard: Yard) -> None:
    """A worker that is asked to stop finishes what it has begun."""
    yard.write("test_it.py", PASS)
    yard.write("conftest.py", "import os, time\ndef pytest_runtest_call(item): time.sleep(1)")
    yard.queue("order")
    worker = yard.start("worker")
    until_running(yard)
    worker.signal(signal.SIGTERM)
    worker.until("slot_done", workflow_id="order")
    assert worker.wait() == 0
    assert yard.slots()["order"].tries == 1


def test_sigterm_hands_back_what_does_not_end(yard: Yard) -> None:
    """After the time that it has, its slots wait for the next worker, and nothing is left of it."""
    yard.write("test_it.py", HANG)
    yard.queue("order")
    worker = yard.start("worker", "--stop-within", "1s")
    until_running(yard)
    found = pids(yard)
    worker.signal(signal.SIGTERM)
    worker.until("slot_queued", workflow_id="order")
    assert worker.wait() == 0
    assert are_gone(found)
    slot = yard.slots()["order"]
    assert (slot.status, slot.reason) == (SlotStatus.QUEUED, "its worker stopped")
    yard.write("test_it.py", PASS)
    yard.start("worker").until("slot_done", workflow_id="order")
    assert yard.slots()["order"].tries == 2


def test_a_second_signal_hands_back_at_once(yard: Yard) -> None:
    """Whoever asks twice does not wait."""
    yard.write("test_it.py", HANG)
    yard.queue("order")
    worker = yard.start("worker")
    until_running(yard)
    worker.signal(signal.SIGTERM)
    worker.until("stopping")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert yard.slots()["order"].status is SlotStatus.QUEUED


def test_a_killed_worker_leaves_no_run_and_no_slot_behind(yard: Yard) -> None:
    """Its run dies with it; a scheduler lets the slot run again, and loses it the second time."""
    yard.write("test_it.py", HANG)
    yard.queue("order")
    first = yard.start("worker")
    until_running(yard)
    found = pids(yard)
    (yard.path / "pids").unlink()
    first.kill()
    assert are_gone(found)
    scheduler = yard.start("schedule", "run", "--concurrency", "0")
    line = scheduler.until("slot_rescued", workflow_id="order")
    assert line["reason"] == "its worker died"
    second = yard.start("worker")
    until_running(yard)
    second.kill()
    line = scheduler.until("slot_lost", workflow_id="order")
    assert line["reason"] == "its worker died, as the one before it had"
    assert are_gone(pids(yard))


def test_a_run_that_ended_without_its_worker_is_not_repeated(yard: Yard) -> None:
    """The session tells that it ran, though the worker died before it could say so."""
    yard.write("test_it.py", PASS)
    yard.write(
        "conftest.py",
        """
        import os, psutil

        def pytest_unconfigure(config):
            if os.environ.get("KILL_WORKER"):
                guard = psutil.Process().parent()
                guard.parent().kill()
        """,
    )
    yard.queue("order")
    yard.start("worker", KILL_WORKER="1").wait()
    line = yard.start("schedule", "run", "--concurrency", "0").until("slot_done")
    assert line["reason"] == "its worker died; its session did not"
    assert (yard.slots()["order"].tries, yard.slots()["order"].exit_code) == (1, 0)


def test_a_worker_whose_slots_were_taken_over_stops_their_run(yard: Yard) -> None:
    """One that was frozen, or cut off, sees that they are not its own any more."""
    yard.write("test_it.py", HANG)
    (slot_id,) = yard.queue("order")
    worker = yard.start("worker")
    until_running(yard)
    yard.store.hand_back_slots([slot_id], reason="taken over")
    worker.until("slot_taken_over", workflow_id="order")
    assert are_gone(pids(yard))


def test_a_run_is_cancelled_for_the_one_after_it(yard: Yard) -> None:
    """What the dispatch asks to cancel ends at once, with the reason that was noted."""
    yard.write("test_it.py", HANG)
    (slot_id,) = yard.queue("order")
    worker = yard.start("worker")
    until_running(yard)
    yard.store.ask_to_cancel([slot_id], "a later one came")
    yard.store.cancel_jobs([yard.slots()["order"].job_id or 0])
    line = worker.until("slot_cancelled", workflow_id="order")
    assert line["reason"] == "a later one came"
    assert are_gone(pids(yard))


def test_a_slot_that_waited_beyond_its_grace_is_missed(yard: Yard) -> None:
    """Nobody wants yesterday's order today."""
    yard.write("test_it.py", PASS)
    yard.queue("order")
    yard.store.connection.execute(
        "UPDATE workflow_slots SET claimed_at = claimed_at - interval '1 hour'"
    )
    line = yard.start("worker").until("slot_missed", workflow_id="order")
    assert line["reason"] == "no worker took it within its grace"


def test_without_a_network_nothing_is_run(yard: Yard) -> None:
    """The site is not blamed for what the machine lacks."""
    yard.write("test_it.py", PASS)
    yard.queue("order")
    environment = {"WORKFLOW_MONITOR_NETWORK_REFERENCE": "127.0.0.1:9"}
    line = yard.start("worker", **environment).until("slot_not_run", workflow_id="order")
    assert line["reason"].startswith("this machine has no network")


def test_kept_output_holds_no_secrets(yard: Yard) -> None:
    """What pytest says is masked before it is written anywhere."""
    yard.write(
        "test_it.py",
        """
        import os, pytest

        @pytest.mark.workflow("order")
        def test_order():
            print("the password is", os.environ["SHOP_PASSWORD"])
            assert False
        """,
    )
    yard.queue("order")
    yard.start("worker", SHOP_PASSWORD="swordfish-9").until("slot_done")
    (kept,) = yard.path.glob(".workflow-monitor/runs/*.log")
    assert "the password is" in kept.read_text()
    assert "swordfish-9" not in kept.read_text()


def test_the_guard_dies_with_nothing_left(yard: Yard) -> None:
    """Killing the process between worker and pytest kills pytest, and the slot says so."""
    yard.write("test_it.py", HANG)
    yard.queue("order")
    worker = yard.start("worker")
    until_running(yard)
    found = pids(yard)
    (guard,) = psutil.Process(worker.popen.pid).children()
    guard.kill()
    line = worker.until("slot_done", workflow_id="order")
    assert line["reason"].startswith("killed by SIGKILL")
    assert are_gone(found[:1])
    with suppress(ProcessLookupError):
        os.kill(found[1], signal.SIGKILL)
