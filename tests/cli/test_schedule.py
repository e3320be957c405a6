from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Status
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

SUITE = """
    import pytest

    @pytest.mark.workflow("login", cron="*/15 * * * *", owner="identity")
    def test_login(): pass

    @pytest.mark.workflow("nightly", cron="30 2 * * mon-fri", timezone="Europe/Berlin")
    def test_nightly(): pass

    @pytest.mark.workflow("often", every="5m")
    def test_often(): pass

    @pytest.mark.workflow("off", cron="@daily", enabled=False)
    def test_off(): pass

    @pytest.mark.workflow
    @pytest.mark.parametrize("currency", ["eur", "usd"])
    def test_by_hand(currency): pass
"""


def test_everything_about_schedules(stored: Project, store: Store) -> None:
    """Each workflow with a schedule: in words, its next three times, its last run in this place."""
    stored.write("tests/test_shop.py", SUITE)
    attempt = an_attempt("login", status=Status.FAILED)
    ingest(store, a_session(), Batch(attempts=[attempt], ended=an_end()))

    said = stored.run("schedule", "list", "--json")

    assert (said.code, said.err) == (0, "")
    found = {it["workflow_id"]: it for it in said.json}
    assert {name: it["words"] for name, it in found.items()} == {
        "login": "every 15 minutes",
        "nightly": "at 02:30 on weekdays",
        "often": "every 5 minutes",
        "off": "at 00:00 every day",
    }
    login = found["login"]
    assert (login["cron"], login["every_seconds"], login["enabled"]) == ("*/15 * * * *", None, True)
    instants = [datetime.fromisoformat(it) for it in login["next_at"]]
    assert [later - earlier for earlier, later in pairwise(instants)] == [timedelta(minutes=15)] * 2
    assert (login["last"]["run_id"], login["last"]["status"]) == (attempt.run_id, "failed")
    assert (found["often"]["every_seconds"], len(found["often"]["next_at"])) == (300, 3)
    assert found["nightly"]["timezone"] == "Europe/Berlin"
    assert (found["off"]["enabled"], found["off"]["next_at"]) == (False, [])
    assert found["off"]["last"] is None


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(stored: Project, store: Store, width: int) -> None:
    """The same facts for people; what has no schedule is counted, not listed."""
    stored.write("tests/test_shop.py", SUITE)
    ingest(store, a_session(), Batch(attempts=[an_attempt("login")], ended=an_end()))

    said = stored.run("schedule", "list", width=width)

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= width
    for fact in ("4 schedules of shop", "every 15 minutes", "at 02:30 on weekdays", "disabled"):
        assert fact in said.out
    for fact in ("30 2 * * mon-fri in Europe/Berlin", "✓ Passed", "1 Mar", "never"):
        assert fact in said.out
    assert "by-hand" not in said.out
    assert said.err == "2 workflows without a schedule: not listed.\n"


def test_properties_narrow_the_list(project: Project) -> None:
    """As those of `list` do."""
    project.write("tests/test_shop.py", SUITE)
    said = project.run("schedule", "list", "--owner", "identity", "--json")
    assert [it["workflow_id"] for it in said.json] == ["login"]
    said = project.run("schedule", "list", "o*", "--json")
    assert [it["workflow_id"] for it in said.json] == ["often", "off"]


def test_without_schedules_the_way_to_one_is_told(project: Project) -> None:
    """An empty list is no mystery."""
    said = project.run("schedule", "list")
    assert (said.code, said.out) == (0, "")
    assert said.err == (
        "There are no workflows yet: mark a test with @pytest.mark.workflow to make one.\n"
    )
    project.write("tests/test_shop.py", "import pytest\n@pytest.mark.workflow\ndef test_a(): pass")
    said = project.run("schedule", "list")
    assert said.err.startswith("No workflow has a schedule: give a marker cron=")


def test_a_broken_file_and_a_dead_database_leave_the_rest(project: Project) -> None:
    """Both are told, and the list still prints."""
    project.write("tests/test_shop.py", SUITE)
    project.write("tests/test_broken.py", "import no_such_module\n")
    project.env["DATABASE_URL"] = "postgresql://127.0.0.1:1/none"

    said = project.run("schedule", "list", "login", "nightly")

    assert said.code == 1
    assert "every 15 minutes" in said.out
    assert "unknown" in said.out
    assert "tests/test_broken.py:1 cannot be imported" in said.err
    assert "Without the last runs" in said.err


def test_the_next_times_of_an_expression(project: Project) -> None:
    """JSON is a list of instants in UTC; `--from` without an offset is in the schedule's zone."""
    asked = ("schedule", "next", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--count", "3")

    said = project.run(*asked, "--from", "2026-03-28T02:30", "--json")
    assert said.json == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]

    said = project.run(*asked, "--from", "2026-03-28T01:00:00Z", "--json")
    assert said.json[0] == "2026-03-28T01:30:00Z"

    said = project.run(*asked, "--from", "2026-03-28T02:30")
    assert said.out.startswith("at 02:30 every day (Europe/Berlin)\n")
    assert "Sun 29 Mar 2026 03:00:00 CEST  2026-03-29 01:00:00" in said.out


def test_by_default_ten_times_in_utc_from_now_on(project: Project) -> None:
    """Without options it is about the future."""
    found = project.run("schedule", "next", "--cron", "@hourly", "--json").json
    assert len(found) == 10
    assert found == sorted(found)
    assert all(it.endswith(":00:00Z") for it in found)
    table = project.run("schedule", "next", "--cron", "@hourly").out
    assert table.startswith("every hour (UTC)\n")
    assert len(table.splitlines()) == 13


def test_the_next_times_of_a_workflow(project: Project) -> None:
    """By its id, in its own zone, of an expression or an interval, enabled or not."""
    project.write("tests/test_shop.py", SUITE)
    asked = ("--from", "2026-03-27T12:00:00Z", "--count", "2", "--json")

    nightly = project.run("schedule", "next", "nightly", *asked).json
    assert nightly == ["2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
    often = project.run("schedule", "next", "often", *asked).json
    assert datetime.fromisoformat(often[1]) - datetime.fromisoformat(often[0]) == timedelta(
        minutes=5
    )
    assert project.run("schedule", "next", "off", *asked).json[0] == "2026-03-28T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "Give either the ID of a workflow or --cron."),
        (("",), 5, "There is no workflow ''"),
        (("--cron", "@daily", "--tz", ""), 2, "expected an IANA time zone"),
        (("--cron", "@daily", "--from", ""), 2, "Invalid value for --from"),
        (("login", "--cron", "@daily"), 2, "Give either the ID of a workflow or --cron."),
        (("login", "--tz", "UTC"), 2, "--tz belongs to --cron; a workflow's zone is in its marker"),
        (("--cron", "0 25 * * *"), 2, "the hour field '25': 25 is out of range; allowed 0-23."),
        (("--cron", "0 0 31 2 *"), 2, "there is no such day, so it would never run."),
        (("--cron", "@daily", "--tz", "Mars"), 2, "'Mars': expected an IANA time zone such as"),
        (("--cron", "@daily", "--from", "soon"), 2, "'soon': expected a day or an instant such as"),
        (("--cron", "@daily", "--count", "0"), 2, "0 is not in the range"),
        (("logn",), 5, "There is no workflow 'logn'; did you mean login?"),
        (("by-hand",), 5, "'by-hand' stands for several: by-hand[eur], by-hand[usd]."),
        (("by-hand[eur]",), 5, "The workflow 'by-hand[eur]' has no schedule."),
    ],
)
def test_mistakes_are_one_sentence(
    project: Project, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """What is wrong and what is allowed, or what is nearest."""
    project.write("tests/test_shop.py", SUITE)
    said = project.run("schedule", "next", *arguments)
    assert (said.code, said.out) == (code, "")
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_the_calendar_ends(project: Project) -> None:
    """What never runs again is an empty list."""
    asked = ("schedule", "next", "--cron", "0 0 29 2 *", "--from", "9997-01-01")
    said = project.run(*asked)
    assert (said.code, said.err) == (0, "It never runs again before the end of the calendar.\n")
    assert project.run(*asked, "--json").json == []
