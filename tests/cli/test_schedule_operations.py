from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.schedule.dispatch import dispatch
from pytest_workflow_monitor.store import queue_schema
from pytest_workflow_monitor.words.slots import SlotStatus
from tests.schedule.timetable import a_schedule, keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

SUITE = """
    import pytest

    @pytest.mark.workflow("login", cron="*/15 * * * *")
    def test_login(): pass

    @pytest.mark.workflow("login-sso", cron="*/15 * * * *", grace="9m")
    def test_login_sso(): pass

    @pytest.mark.workflow("order", every="5m")
    def test_order(): pass
"""


@pytest.fixture
def shop(stored: Project) -> Project:
    stored.write("tests/test_shop.py", SUITE)
    return stored


def test_schedules_can_be_stored_without_a_scheduler(shop: Project) -> None:
    """For crontab and CI; a broken file costs exit code 1, and is named."""
    assert shop.run("schedule", "sync").out == "3 schedules in production, 3 changed, 0 removed.\n"
    assert shop.run("schedule", "sync", "--json").json == {
        "schedules": 3,
        "changed": [],
        "removed": [],
        "problem": "",
    }
    shop.write("tests/test_broken.py", "import no_such_module")
    said = shop.run("schedule", "sync")
    assert said.code == 1
    assert "tests/test_broken.py:1 cannot be imported" in said.err


def test_an_operator_can_let_schedules_rest(shop: Project) -> None:
    """Without a word to the code; `list` says until when, who and why."""
    said = shop.run(
        "schedule", "disable", "login*", "--until", "2h", "--why", "they move", "--by", "kim"
    )
    assert said.code == 0
    assert said.out.startswith("Disabled until ")
    assert "login, login-sso" in said.out
    rows = {it["workflow_id"]: it for it in shop.run("schedule", "list", "--json").json}
    override = rows["login"]["override"]
    assert (override["by"], override["reason"]) == ("kim", "they move")
    assert rows["login"]["next_at"][0] >= override["until"]
    assert rows["order"]["override"] is None
    assert rows["login-sso"]["stored"]["grace_seconds"] == 540
    table = shop.run("schedule", "list", width=120).out
    assert "rests until" in table
    assert "kim: they move" in table


def test_a_rest_can_end_early(shop: Project) -> None:
    """What did not rest is named and left alone."""
    shop.run("schedule", "disable", "login", "--until", "2h", "--why", "x", "--by", "kim")
    assert shop.run("schedule", "enable", "login").out == "Enabled: login.\n"
    said = shop.run("schedule", "enable", "login", "order", "--json")
    assert (said.code, said.json) == (1, {"enabled": [], "left_alone": ["login", "order"]})


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["disable", "nobody", "--until", "2h", "--why", "x"], 5, "no workflow 'nobody'"),
        (["disable", "login", "--until", "2020-01-01", "--why", "x"], 2, "is past"),
        (["disable", "login", "--until", "soon", "--why", "x"], 2, "expected a day or an instant"),
        (["disable", "login", "--until", "2h", "--why", " "], 2, "--why is empty"),
        (["disable", "login", "--until", "2h"], 2, "--why"),
        (["enable", "nobody"], 5, "no workflow 'nobody'"),
        (["disable", "login", "--until", "-1h", "--why", "x"], 2, "Invalid value for --until"),
        (["slots", "--since", "soon"], 2, "expected a duration"),
        (["check", "--since", "-1h"], 2, "Invalid value for '--since'"),
        (["slots", "--since", ""], 2, "Invalid value for '--since'"),
        (["slots", "nobody"], 5, "no workflow 'nobody'"),
        (["check", "nobody"], 5, "no workflow 'nobody'"),
    ],
)
def test_mistakes(shop: Project, arguments: list[str], code: int, reason: str) -> None:
    """One sentence each."""
    shop.run("schedule", "sync")
    by = ["--by", "kim"] if arguments[0] == "disable" else []
    said = shop.run("schedule", *arguments, *by)
    assert said.code == code
    assert reason in said.err


def test_what_became_of_slots(
    shop: Project, store: Store, settings_for: Callable[..., Settings]
) -> None:
    """The latest first, with lateness and reasons; by workflow, time and status."""
    queue_schema.prepare(store)
    now = store.clock()
    due = now - timedelta(minutes=2)
    keep(
        store,
        [
            a_schedule(
                name,
                environment="production",
                cron_expression="0 0 29 2 *",  # no other slot comes between
                next_run_at=due,
                grace_seconds=grace,
            )
            for name, grace in (("login", 600.0), ("order", 1.0))
        ],
    )
    dispatch(store, settings_for(environment="production"), now)
    rows = shop.run("schedule", "slots", "--json").json
    assert {it["workflow_id"]: it["status"] for it in rows} == {
        "login": "queued",
        "order": "missed",
    }
    assert [round(it["lateness_seconds"]) for it in rows] == [120, 120]
    by_status = shop.run("schedule", "slots", "--status", SlotStatus.MISSED.value, "--json").json
    assert [it["workflow_id"] for it in by_status] == ["order"]
    assert shop.run("schedule", "slots", "log*", "--since", "1m", "--json").json == []
    table = shop.run("schedule", "slots", width=120).out
    assert "found too late: the grace is" in table


def test_without_a_scheduler_there_are_no_slots(shop: Project) -> None:
    """It is said who would record some."""
    said = shop.run("schedule", "slots")
    assert (said.code, said.out) == (0, "")
    assert "workflow-monitor schedule run" in said.err


def test_no_slot_in_a_time_says_so(shop: Project) -> None:
    """Schedules that are known are not called unknown because none was due."""
    shop.run("schedule", "sync")
    for arguments in (["--since", "0s"], ["login", "--since", "2999-01-01"]):
        said = shop.run("schedule", "check", *arguments)
        assert (said.code, said.out, said.err) == (0, "", "No slot was due since then.\n")
    said = shop.run("schedule", "slots", "login", "--since", "2h")
    assert (said.code, said.out, said.err) == (0, "", "No slot fits these options.\n")


def test_what_should_have_run(shop: Project, store: Store) -> None:
    """`check` compares schedules with what ran; `--alert` tells people; `status` says it too."""
    now = store.clock()
    keep(
        store,
        [
            a_schedule(
                "login",
                environment="production",
                collected_at=now - timedelta(hours=2),
                grace_seconds=1.0,
                next_run_at=now + timedelta(minutes=1),
            )
        ],
    )
    said = shop.run("schedule", "check", "--since", "1h", "--alert", "--json")
    assert said.code == 1
    assert {it["kind"] for it in said.json["findings"]} == {"missed"}
    assert said.json["expected"] in {12, 13}
    assert "nothing ran" in shop.run("schedule", "check", "login", width=120).out
    (alert,) = json.loads(shop.run("alerts", "list", "--json").out)
    assert (alert["workflow_id"], alert["kind"]) == ("login", "missed")
    assert "did not run" in shop.run("alerts", "show", str(alert["alert_id"])).out
    status = shop.run("status", "--json").json
    assert status["sections"]["punctuality"]["status"] == "UNHEALTHY"
    assert shop.run("schedule", "check", "order").code == 5
