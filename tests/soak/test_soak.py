"""``workflow-monitor soak`` with real parts: scheduler, queue, worker, pytest, database."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pytest_workflow_monitor.store import Store, embedded
from pytest_workflow_monitor.store.database import connect
from tests.cli.conftest import FOREIGN
from tests.plugin.stored import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 300.0
SETTINGS = """
    [tool.workflow_monitor]
    project = "shop"

    [tool.pytest.ini_options]
    testpaths = ["."]
    addopts = ["-p", "no:asyncio"]
"""


def suite(cron: str, grace: str) -> str:
    """Return a workflow that is always fine, and whose slots wait for one another."""
    return f"""
        import pytest

        @pytest.mark.workflow("order", cron="{cron}", grace="{grace}", overlap="queue")
        def test_order(): pass
    """


class Soak:
    """A soak as a process of its own, in a folder of its own."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.write("pyproject.toml", SETTINGS)
        kept = {name: it for name, it in os.environ.items() if not name.startswith(FOREIGN)}
        self._environment = kept | ({"DATABASE_URL": database_url} if database_url else {})
        self.popen: subprocess.Popen[str] | None = None

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.folder / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def start(self, *arguments: str) -> None:
        """Start it, and return at its first checkpoint."""
        self._start("--checkpoint", "1s", *arguments)

    def start_again(self, *arguments: str) -> None:
        """Let it go on, and return at its next checkpoint."""
        self._start("--continue", *arguments)

    def _start(self, *arguments: str) -> None:
        self.close()
        command = [sys.executable, "-m", "pytest_workflow_monitor.cli", "soak", "--json"]
        self.popen = subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.until("expected", 0)

    def until(self, what: str, count: int) -> int:
        """Wait for a checkpoint with so many slots of a kind, and return how many there are."""
        assert self.popen is not None
        assert self.popen.stderr is not None
        said = []
        for line in self.popen.stderr:
            said.append(line)
            found = re.search(rf"(\d+) {what}", line)
            if found and int(found[1]) >= count:
                return int(found[1])
        raise AssertionError(f"there were not {count} {what}: {said}")

    def service(self) -> psutil.Process:
        """Return the scheduler with its worker."""
        (found,) = self.services()
        return found

    def services(self) -> list[psutil.Process]:
        """Return the scheduler with its worker of each stretch."""
        assert self.popen is not None
        return psutil.Process(self.popen.pid).children()

    def end(self) -> tuple[int, Any]:
        """Wait for its end, and return its exit code and verdict."""
        assert self.popen is not None
        out, _ = self.popen.communicate(timeout=PATIENCE)
        return self.popen.returncode, json.loads(out) if out else None

    def interrupt(self) -> Any:
        """Press Ctrl-C, and return the verdict so far."""
        assert self.popen is not None
        self.popen.send_signal(signal.SIGINT)
        code, found = self.end()
        assert code == 130
        return found

    def close(self) -> None:
        """End it, if it has not; its service ends then by itself."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.communicate()


@pytest.fixture
def soak(tmp_path: Path, database_url: str) -> Iterator[Soak]:
    """A soak that keeps its records in a given database."""
    made = Soak(tmp_path, database_url)
    yield made
    made.close()


def test_a_day_at_a_compressed_speed(soak: Soak, database_url: str) -> None:
    """Two minutes in six seconds: every slot runs once; the history of the project stays."""
    soak.write("test_it.py", suite("* * * * * */30", "1h"))
    soak.start("--for", "2m", "--speed", "20", "--in-database")
    code, found = soak.end()
    account = found["account"]
    assert (found["result"], found["reasons"], code) == ("passed", [], 0), found["account"]
    assert (account["expected"], account["run"], account["statuses"]) == (4, 4, {"done": 4})
    assert found["is_complete"]
    assert found["memory"]["end"] > 10
    assert found["connections"]["end"] >= 1
    with Store(database_url) as store:
        assert not store.job_metrics(project="shop")
        rows = store.connection.execute("SELECT DISTINCT project FROM workflow_slots").fetchall()
    assert [row["project"].startswith("shop-soak-") for row in rows] == [True]


def test_stretches_are_played_at_once(open_folder: Path) -> None:
    """Each with a database of its own; together they are the time that was asked for, whole."""
    soak = Soak(open_folder)
    soak.write("test_it.py", suite("* * * * *", "1h"))
    try:
        soak.start("--for", "6m", "--speed", "10", "--stretches", "2")
        assert len(soak.services()) == 2
        assert len(list((open_folder / ".workflow-monitor" / "soak").glob("*/*/postgres"))) == 2
        code, found = soak.end()
    finally:
        soak.close()
    account = found["account"]
    assert (found["result"], found["reasons"], code) == ("passed", [], 0), account
    assert (account["expected"], account["run"], account["statuses"]) == (6, 6, {"done": 6})
    assert (found["stretches"], found["parts"], found["is_complete"]) == (2, 1, True)
    assert found["played_seconds"] == pytest.approx(360)
    began, ended = (datetime.fromisoformat(found[it]) for it in ("began_at", "ended_at"))
    assert (ended - began).total_seconds() == pytest.approx(360)


def test_stretches_go_on(soak: Soak) -> None:
    """Each where it was; one that has come to its end is not played again."""
    soak.write("test_it.py", suite("* * * * * */20", "1h"))
    soak.start("--for", "80s", "--stretches", "2", "--in-database")
    (first,) = (soak.folder / ".workflow-monitor" / "soak").glob("*/01/progress.json")
    until(lambda: json.loads(first.read_text()).get("is_complete"), PATIENCE)
    found = soak.interrupt()
    assert (found["result"], found["is_complete"]) == ("passed", False)
    played = first.read_text()
    soak.start_again()
    code, found = soak.end()
    assert (code, found["result"], found["is_complete"]) == (0, "passed", True), found
    assert (found["stretches"], found["parts"]) == (2, 2)
    assert found["played_seconds"] == pytest.approx(80, abs=0.1)
    assert found["account"]["run"] == found["account"]["expected"] >= 3
    assert first.read_text() == played


def test_a_stretch_that_dies_ends_them_all(soak: Soak) -> None:
    """At once, and the verdict says why."""
    soak.write("test_it.py", suite("* * * * * */5", "1h"))
    soak.start("--for", "1h", "--stretches", "2", "--in-database")
    soak.services()[0].kill()
    code, found = soak.end()
    assert (code, found["result"], found["is_complete"]) == (1, "failed", False)
    assert found["reasons"][0] == "the service ended with exit code -9"


FORGET = """
    DELETE FROM workflow_slots
    WHERE slot_at = (SELECT max(slot_at) FROM workflow_slots WHERE status = 'done')
    RETURNING slot_at
"""


def test_planted_misses_are_found(soak: Soak, database_url: str) -> None:
    """One kind is recorded, as of a scheduler that hung; the other is a slot nobody knows of."""
    soak.write("test_it.py", suite("* * * * * */5", "1s"))
    soak.start("--for", "25s", "--in-database")
    soak.until("run", 1)
    connection = connect(database_url)
    until(lambda: connection.execute(FORGET).fetchall())
    connection.close()
    soak.service().suspend()
    soak.until("expected", soak.until("expected", 0) + 2)
    soak.service().resume()
    code, found = soak.end()
    assert (code, found["result"]) == (1, "failed")
    troubles = found["account"]["troubles"]
    said = {it["kind"]: it["said"] for it in troubles}
    assert said["silent"] == "nothing was recorded"
    assert said["missed"].startswith("missed: ")
    assert [it["kind"] for it in troubles].count("silent") == 1
    assert not any(it["by_speed"] for it in troubles)


def test_ctrl_c_gives_the_verdict_so_far(soak: Soak) -> None:
    """What is on its way is nobody's fault, no process is left, and it can go on."""
    soak.write("test_it.py", suite("* * * * * */5", "1h"))
    soak.start("--for", "1h", "--in-database")
    soak.until("run", 1)
    service = soak.service()
    found = soak.interrupt()
    assert (found["result"], found["is_complete"], found["parts"]) == ("passed", False, 1)
    run = found["account"]["run"]
    assert run >= 1
    assert not service.is_running()
    soak.start_again()
    soak.until("run", run + 1)
    found = soak.interrupt()
    assert (found["result"], found["is_complete"], found["parts"]) == ("passed", False, 2)


def test_a_soak_that_was_killed_goes_on(open_folder: Path) -> None:
    """With the slots, the database and the plan that it had; what lies between does not count."""
    soak = Soak(open_folder)
    soak.write("test_it.py", suite("* * * * * */5", "1h"))
    try:
        soak.start("--for", "20s")
        soak.until("expected", 1)
        service = soak.service()
        soak.close()
        service.wait(PATIENCE)
        soak.start_again()
        code, found = soak.end()
        assert (code, found["result"], found["is_complete"]) == (0, "passed", True), found
        assert found["parts"] == 2
        assert found["played_seconds"] == pytest.approx(20, abs=0.1)
        assert found["account"]["expected"] + found["cut_off"] >= 3
        assert found["account"]["run"] == found["account"]["expected"]
        with pytest.raises(AssertionError, match=r"was interrupted: begin one without"):
            soak.start_again()
    finally:
        soak.close()


STUCK = """
    from pathlib import Path
    from time import sleep

    import pytest

    HERE = Path(__file__).parent

    @pytest.mark.workflow("order", cron="* * * * * */15", grace="1h")
    def test_order():
        (HERE / "begun").touch()
        while (HERE / "stuck").exists():
            sleep(0.05)
"""


def test_a_run_that_a_kill_cut_off_is_in_nobodys_way(soak: Soak) -> None:
    """The slots after it would be skipped, because its worker cannot say that it has ended."""
    soak.write("test_it.py", STUCK)
    soak.write("stuck", "")
    soak.start("--for", "75s", "--in-database")
    until((soak.folder / "begun").exists)
    service = soak.service()
    soak.close()
    service.kill()
    service.wait(PATIENCE)
    (soak.folder / "stuck").unlink()
    soak.start_again()
    code, found = soak.end()
    assert (code, found["result"], found["is_complete"]) == (0, "passed", True), found
    assert found["account"]["run"] == found["account"]["expected"] >= 2


def test_a_soak_goes_on_as_it_was_begun(soak: Soak) -> None:
    """Neither with other options, nor with other schedules."""
    soak.write("test_it.py", suite("* * * * * */5", "1h"))
    soak.start("--for", "1h", "--in-database")
    soak.close()
    with pytest.raises(AssertionError, match="as the soak was begun: leave out --for"):
        soak.start_again("--for", "2h")
    soak.write("test_it.py", suite("* * * * * */7", "1h"))
    with pytest.raises(AssertionError, match="not those that the soak began with"):
        soak.start_again()


def test_a_service_that_dies_is_told(soak: Soak) -> None:
    """The soak ends at once, and says why."""
    soak.write("test_it.py", suite("* * * * * */5", "1h"))
    soak.start("--for", "1h", "--in-database")
    soak.service().kill()
    code, found = soak.end()
    assert (code, found["result"]) == (1, "failed")
    assert found["reasons"][0] == "the service ended with exit code -9"


def test_nothing_outlives_a_soak_that_is_killed(open_folder: Path) -> None:
    """Its service ends by itself, and with it the embedded server; the next one cleans up."""
    soak = Soak(open_folder)
    soak.write("test_it.py", suite("* * * * * */5", "1h"))
    try:
        soak.start("--for", "1h")
        service = soak.service()
        soak.close()
        service.wait(PATIENCE)
        (folder,) = (open_folder / ".workflow-monitor" / "soak").iterdir()
        until(lambda: not (folder / "01" / "postgres" / "postmaster.pid").exists())
        soak.start("--for", "5s")
        code, _ = soak.end()
        assert code in {0, 1}
        (left,) = (open_folder / ".workflow-monitor" / "soak").iterdir()
        assert left != folder
        assert not (open_folder / ".workflow-monitor" / "postgres").exists()
        with pytest.raises(Exception, match="not running"):
            embedded.join(left / "01", start=False)
    finally:
        soak.close()


def test_a_project_without_schedules_cannot_be_played(soak: Soak) -> None:
    """It says what is missing."""
    soak.write("test_it.py", "def test_it(): pass")
    with pytest.raises(AssertionError, match="No workflow here has a schedule"):
        soak.start("--in-database")
    assert soak.end() == (4, None)
