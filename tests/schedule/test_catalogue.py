from __future__ import annotations

import os
from datetime import timedelta
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Overlap, Priority
from pytest_workflow_monitor.schedule.catalogue import sync_catalogue
from pytest_workflow_monitor.schedule.keeping import KEPT_FILE, collected
from tests.schedule.timetable import ENVIRONMENT, PROJECT, noon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.slots import Schedule

LONG_AGO = 1_700_000_000

SHOP = """
    import pytest

    @pytest.mark.workflow("login", cron="*/15 * * * *", priority="high", timeout="30s", retries=1)
    def test_login(): pass

    @pytest.mark.workflow("often", every="5m", queue="eu", overlap="queue", grace="1s", limit="9s")
    def test_often(): pass

    @pytest.mark.workflow("elsewhere", cron="@daily", environments="production")
    def test_elsewhere(): pass

    @pytest.mark.workflow("off", cron="@daily", enabled=False)
    def test_off(): pass

    @pytest.mark.workflow
    def test_by_hand(): pass
"""
CARTS = """
    import pytest

    @pytest.mark.workflow("cart", cron="0 * * * *")
    def test_cart(): pass
"""


class Code:
    """A project whose files are as old as one says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._age = 0
        self.write("pytest.ini", "[pytest]\naddopts = -p no:asyncio\n")

    def write(self, name: str, text: str) -> None:
        """Write a file that was changed long ago, but later than the one before."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        self._age += 1
        os.utime(path, (LONG_AGO + self._age,) * 2)


@pytest.fixture
def settings(settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "WORKFLOW_MONITOR_"))]:
        monkeypatch.delenv(name)
    return settings_for()


@pytest.fixture
def code(settings: Settings) -> Code:
    made = Code(settings.root)
    made.write("tests/test_shop.py", SHOP)
    return made


def stored(store: Store) -> dict[str, Schedule]:
    return {it.workflow_id: it for it in store.schedules(PROJECT, ENVIRONMENT)}


@pytest.mark.usefixtures("code")
def test_schedules_come_from_the_markers(store: Store, settings: Settings) -> None:
    """Those of this environment; the first slot of each is after now, never before."""
    synced = sync_catalogue(store, settings, noon(1))
    assert (synced.schedules, synced.problem) == (3, "")
    assert synced.changed == ("login", "off", "often")
    found = stored(store)
    login, often, off = found["login"], found["often"], found["off"]
    assert (login.cron_expression, login.every_seconds) == ("*/15 * * * *", None)
    assert (login.priority, login.next_run_at) == (Priority.HIGH, noon(15))
    assert (login.grace_seconds, login.limit_seconds) == (450, 120)
    assert login.nodeids == ("tests/test_shop.py::test_login",)
    assert (often.every_seconds, often.queue, often.overlap) == (300, "eu", Overlap.QUEUE)
    assert (often.grace_seconds, often.limit_seconds) == (1, 9)
    assert often.next_run_at is not None
    assert noon(1) < often.next_run_at <= noon(6)
    assert (off.enabled, off.next_run_at) == (False, None)


def test_the_database_keeps_what_the_code_does_not_know(
    store: Store, settings: Settings, code: Code
) -> None:
    """When it is due, counters and an override outlive a change of the marker."""
    sync_catalogue(store, settings, noon(1))
    store.disable_schedules(
        PROJECT, ENVIRONMENT, ["login"], until=noon(60), actor="kim", reason="move"
    )
    code.write("tests/test_shop.py", SHOP.replace('"high"', '"low"'))
    synced = sync_catalogue(store, settings, noon(20))
    assert synced.changed == ("login",)
    login = stored(store)["login"]
    assert (login.priority, login.next_run_at) == (Priority.LOW, noon(15))
    assert (login.disabled_until, login.disabled_by) == (noon(60), "kim")


def test_other_times_begin_anew(store: Store, settings: Settings, code: Code) -> None:
    """No slot of the new expression is in the past."""
    sync_catalogue(store, settings, noon(1))
    code.write("tests/test_shop.py", SHOP.replace("*/15 * * * *", "*/10 * * * *"))
    sync_catalogue(store, settings, noon(22))
    assert stored(store)["login"].next_run_at == noon(30)


def test_what_is_gone_comes_back_without_catching_up(
    store: Store, settings: Settings, code: Code
) -> None:
    """A schedule that the code has no more is due no more; its counters stay for its return."""
    sync_catalogue(store, settings, noon(1))
    code.write("tests/test_shop.py", CARTS)
    assert sync_catalogue(store, settings, noon(2)).removed == ("login", "off", "often")
    assert set(stored(store)) == {"cart"}
    code.write("tests/test_shop.py", SHOP)
    sync_catalogue(store, settings, noon(100))
    assert stored(store)["login"].next_run_at == noon(105)


def test_a_broken_file_stops_no_other(store: Store, settings: Settings, code: Code) -> None:
    """Its schedules go on as they were; others are brought up to date; there is an alert."""
    code.write("tests/test_carts.py", CARTS)
    sync_catalogue(store, settings, noon(1))
    code.write("tests/test_shop.py", "import no_such_module\n")
    code.write("tests/test_carts.py", CARTS.replace("0 * * * *", "30 * * * *"))
    synced = sync_catalogue(store, settings, noon(2))
    assert synced.removed == ()
    assert "tests/test_shop.py:1 cannot be imported" in synced.problem
    assert "no_such_module" in synced.problem
    found = stored(store)
    assert found["login"].next_run_at == noon(15)
    assert found["cart"].next_run_at == noon(30)
    (alert,) = store.alerts(project=PROJECT, open_only=True)
    assert (alert.workflow_id, alert.kind) == ("schedule-catalogue", "runner")
    code.write("tests/test_shop.py", SHOP)
    assert sync_catalogue(store, settings, noon(3)).problem == ""
    assert store.alerts(project=PROJECT, open_only=True) == ()


@pytest.mark.parametrize("name", ["conftest.py", "tests/conftest.py"])
def test_a_broken_conftest_changes_nothing(
    store: Store, settings: Settings, code: Code, name: str
) -> None:
    """Where pytest can collect nothing below it, all that was there goes on."""
    sync_catalogue(store, settings, noon(1))
    before = stored(store)
    code.write(name, "raise RuntimeError('no')\n")
    assert "no" in sync_catalogue(store, settings, noon(2)).problem
    assert stored(store) == before


def test_a_mistake_in_a_marker_changes_nothing(
    store: Store, settings: Settings, code: Code
) -> None:
    """It is refused; the last good catalogue goes on, and the problem is told."""
    sync_catalogue(store, settings, noon(1))
    before = stored(store)
    code.write("tests/test_shop.py", SHOP.replace("*/15 * * * *", "*/15 * * *"))
    assert "cron='*/15 * * *'" in sync_catalogue(store, settings, noon(2)).problem
    assert stored(store) == before


def test_a_clock_that_went_back_is_noticed(store: Store, settings: Settings, code: Code) -> None:
    """A slot far ahead, of a time that was wrong, gives way to the next one."""
    sync_catalogue(store, settings, noon(1) + timedelta(days=365))
    assert code.root.exists()
    sync_catalogue(store, settings, noon(2))
    assert stored(store)["login"].next_run_at == noon(15)


def test_pytest_is_only_asked_when_something_has_changed(settings: Settings, code: Code) -> None:
    """Files by time and size, folders by what could be tests in them, and after an hour."""
    kept = settings.state_path / KEPT_FILE

    def is_anew(minutes: float) -> bool:
        before = kept.stat().st_mtime_ns if kept.exists() else 0
        collected(settings, noon(minutes))
        return kept.stat().st_mtime_ns != before

    assert is_anew(0)
    assert not is_anew(1)
    code.write("tests/test_shop.py", SHOP + "\n")
    assert is_anew(2)
    code.write("tests/more/test_carts.py", CARTS)
    assert is_anew(3)
    assert len(collected(settings, noon(4)).collection.workflows) == 6
    (code.root / "tests" / "more" / "test_carts.py").unlink()
    assert is_anew(5)
    (code.root / "report.html").write_text("no test")
    assert not is_anew(6)
    assert not is_anew(64)
    assert is_anew(66)
    kept.write_text("{")
    assert is_anew(67)


def test_what_tests_import_counts(settings: Settings, code: Code) -> None:
    """A schedule may come from a module of the project."""
    code.write("times.py", "CRON = '0 * * * *'\n")
    code.write("conftest.py", "")
    code.write(
        "tests/test_shop.py",
        "import pytest, times\n@pytest.mark.workflow('a', cron=times.CRON)\ndef test_a(): pass\n",
    )
    assert collected(settings, noon()).collection.workflows[0].cron == "0 * * * *"
    code.write("times.py", "CRON = '30 * * * *'\n")
    assert collected(settings, noon(1)).collection.workflows[0].cron == "30 * * * *"


def test_a_file_that_is_being_written_is_read_again(settings: Settings, code: Code) -> None:
    """What changed a moment ago may change once more within the same tick of the clock."""
    (code.root / "tests" / "test_new.py").write_text(dedent(CARTS), encoding="utf-8")
    collected(settings, noon())
    assert not (settings.state_path / KEPT_FILE).exists()


def test_nothing_is_compared_when_nothing_has_changed(
    store: Store, settings: Settings, code: Code
) -> None:
    """Unless somebody else has changed the schedules since, or after five minutes."""
    sync_catalogue(store, settings, noon(1))
    assert code.root.exists()
    store.connection.execute("UPDATE workflow_schedules SET next_run_at = next_run_at + '1 year'")
    sync_catalogue(store, settings, noon(2))
    assert stored(store)["login"].next_run_at != noon(15)
    store.remove_schedules(PROJECT, ENVIRONMENT, ["off"], noon(3))
    sync_catalogue(store, settings, noon(4))
    assert set(stored(store)) == {"login", "off", "often"}
    assert stored(store)["login"].next_run_at == noon(15)
    store.connection.execute("UPDATE workflow_schedules SET next_run_at = next_run_at + '1 year'")
    sync_catalogue(store, settings, noon(10))
    assert stored(store)["login"].next_run_at == noon(15)


def test_a_failure_is_not_asked_about_again_and_again(
    store: Store, settings: Settings, code: Code
) -> None:
    """For half a minute, unless a file changes; the problem is told meanwhile."""
    sync_catalogue(store, settings, noon(1))
    code.write("tests/test_shop.py", SHOP.replace("*/15 * * * *", "*/15 * * *"))
    first = sync_catalogue(store, settings, noon(2)).problem
    kept = (settings.state_path / KEPT_FILE).read_bytes()
    assert sync_catalogue(store, settings, noon(2, 20)).problem == first
    assert (settings.state_path / KEPT_FILE).read_bytes() == kept
    code.write("tests/test_shop.py", SHOP)
    assert sync_catalogue(store, settings, noon(2, 25)).problem == ""
