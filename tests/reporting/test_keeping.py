from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.errors import StoreUnreachableError, TransportError
from pytest_workflow_monitor.report.period import RENDERERS
from pytest_workflow_monitor.report.period.document import read_document
from pytest_workflow_monitor.reporting import make, make_due
from pytest_workflow_monitor.reporting.times import due_period
from pytest_workflow_monitor.settings.alert_rules import ChannelRule
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.store import Store
from pytest_workflow_monitor.words.alerts import DeliveryStatus, NotificationKind
from pytest_workflow_monitor.words.periods import PeriodKind
from tests.delivery.office import Notebook
from tests.reporting.newsroom import DAILY, MORNING, TEAM, newsroom, report_rows
from tests.samples import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.words.period_report import PeriodReport

    Settled = Callable[..., Settings]

MINUTE = (MORNING - START).total_seconds() / 60
AT_ONCE = 6


def test_a_report_that_is_due_is_kept_with_its_figures(store: Store, settings_for: Settled) -> None:
    """The columns say what the document says."""
    desk = newsroom(store, settings_for)
    (kept,) = make_due(store, desk.settings, MORNING)
    (row,) = report_rows(store)
    assert (kept.report_name, kept.report_type, kept.environment) == (
        "daily",
        PeriodKind.DAILY,
        "production",
    )
    assert (row["total_runs"], row["successful_runs"], row["failed_runs"]) == (11, 10, 1)
    assert row["success_rate"] == pytest.approx(100 * 10 / 11)
    assert row["document"]["verdict"] == kept.verdict
    assert row["notified_at"] is None


def test_a_kept_report_reads_as_it_was_made(store: Store, settings_for: Settled) -> None:
    """In every format, also with instants, which JSON knows only as texts."""
    desk = newsroom(store, settings_for)
    made = make(store, desk.settings, DAILY, due_period(DAILY, desk.settings, MORNING), MORNING)
    (kept,) = make_due(store, desk.settings, MORNING)
    again = read_document(store.report_document("shop", kept.report_id) or b"")
    for render in RENDERERS.values():
        if render is not RENDERERS["json"]:
            assert render(again) == render(made)
    assert again.sections == made.sections


def test_a_second_run_makes_no_second_report(store: Store, settings_for: Settled) -> None:
    """Until the next period is due; then there is one more."""
    desk = newsroom(store, settings_for)
    assert len(make_due(store, desk.settings, MORNING)) == 1
    assert make_due(store, desk.settings, MORNING + timedelta(hours=23)) == ()
    desk.deliver_all(MINUTE)
    assert make_due(store, desk.settings, MORNING + timedelta(hours=1)) == ()
    assert len(make_due(store, desk.settings, MORNING + timedelta(days=1))) == 1
    assert len(report_rows(store)) == 2


def test_a_mistake_in_one_report_does_not_cost_the_next(
    store: Store,
    settings_for: Settled,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log says which; the database is not to blame."""
    rules = (ReportRule(name="first"), ReportRule(name="second"))
    desk = newsroom(store, settings_for, reports=rules)

    def broken(store: Store, settings: Settings, rule: ReportRule, *times: Any) -> PeriodReport:
        if rule.name == "first":
            raise ZeroDivisionError
        return make(store, settings, rule, *times)

    monkeypatch.setattr("pytest_workflow_monitor.reporting.due.make", broken)
    assert [it.report_name for it in make_due(store, desk.settings, MORNING)] == ["second"]
    assert "report first" in caplog.text


def test_schedulers_at_once_make_one_and_send_one(store: Store, settings_for: Settled) -> None:
    """However many look at the same second, and deliver at once."""
    notebook = Notebook()
    desk = newsroom(store, settings_for, {"team": notebook})
    together = threading.Barrier(AT_ONCE)

    def work() -> None:
        with Store(store.url, project="shop") as own:
            together.wait()
            make_due(own, desk.settings, MORNING)
            office = type(desk)(own, desk.settings, desk.channels)
            office.deliver_all(MINUTE)

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(report_rows(store)) == 1
    assert len(notebook.seen) == 1


KILLED = """
    import os, sys
    from datetime import datetime
    from pathlib import Path
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule
    from pytest_workflow_monitor.reporting import make_due
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store

    settings = Settings(
        root=Path.cwd(), sources={}, project="shop", environment="production",
        channels=(ChannelRule(name="team", type="webhook"),),
    )
    with Store(sys.argv[1], project="shop") as store:
        if sys.argv[3] == "between":
            store.add_notifications = lambda _: os._exit(9)
        make_due(store, settings, datetime.fromisoformat(sys.argv[2]))
        os._exit(9)
"""


@pytest.mark.parametrize(("when", "left"), [("between", 0), ("before sending", 1)])
def test_a_process_killed_on_the_way_loses_and_doubles_nothing(
    store: Store, settings_for: Settled, when: str, left: int
) -> None:
    """A report and the messages about it are kept together or not at all."""
    notebook = Notebook()
    desk = newsroom(store, settings_for, {"team": notebook})
    code = [sys.executable, "-c", dedent(KILLED), store.url, MORNING.isoformat(), when]
    assert subprocess.run(code, check=False).returncode == 9
    assert len(report_rows(store)) == left

    assert len(make_due(store, desk.settings, MORNING)) == 1 - left
    desk.deliver_all(MINUTE)
    assert len(report_rows(store)) == len(notebook.seen) == 1


def test_a_database_that_goes_away_has_its_report_later(
    store: Store, settings_for: Settled, database_url: str
) -> None:
    """What failed is tried again as if nothing had been."""
    desk = newsroom(store, settings_for)
    with Store(database_url, project="shop") as other:
        (row,) = other.connection.execute("SELECT pg_backend_pid() AS pid").fetchall()
        store.connection.execute("SELECT pg_terminate_backend(%s)", [row["pid"]])
        with pytest.raises(StoreUnreachableError):
            make_due(other, desk.settings, MORNING)
    assert report_rows(store) == []
    assert len(make_due(store, desk.settings, MORNING)) == 1


def test_there_is_no_report_of_a_time_before_anything_ran(
    store: Store, settings_for: Settled
) -> None:
    """Nor of an environment where nothing ever did; a day without runs later has one."""
    desk = newsroom(store, settings_for)
    assert make_due(store, desk.settings, MORNING - timedelta(days=1)) == ()
    elsewhere = newsroom(store, settings_for, environment="staging")
    assert make_due(store, elsewhere.settings, MORNING) == ()
    (kept,) = make_due(store, desk.settings, MORNING + timedelta(days=3))
    assert kept.verdict.startswith("No workflow ran in this period")


PAGER = ChannelRule(name="pager", type="pagerduty")
QUIET = ReportRule(name="daily", only_when="attention")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (DAILY, ["team"]),
        (ReportRule(name="daily", channels=()), []),
        (ReportRule(name="daily", channels=("pager",)), ["pager"]),
        (QUIET, ["team"]),
    ],
)
def test_who_is_told(
    store: Store, settings_for: Settled, rule: ReportRule, told: list[str]
) -> None:
    """By default every channel that takes summaries: nobody is called out of bed for a report."""
    desk = newsroom(store, settings_for)
    settings = settings_for(
        store.url, environment="production", channels=(TEAM, PAGER), reports=(rule,)
    )
    make_due(store, settings, MORNING)
    assert [it.channel for it in desk.rows()] == told
    assert len(report_rows(store)) == 1


def test_when_all_is_well_only_those_hear_who_want_to(store: Store, settings_for: Settled) -> None:
    """``only_when = "attention"`` keeps the report of a good day and tells nobody."""
    desk = newsroom(store, settings_for)
    good = ReportRule(name="orders", match={"workflow": ("order",)}, only_when="attention")
    settings = settings_for(store.url, environment="production", channels=(TEAM,), reports=(good,))
    (kept,) = make_due(store, settings, MORNING)
    assert kept.verdict == "All 1 workflow passed every time"
    assert desk.rows() == ()


def test_it_is_noted_when_the_first_channel_took_it(store: Store, settings_for: Settled) -> None:
    """Not when it was made, nor when a second one took it."""

    def refuse(_: Message) -> None:
        if not is_open:
            raise TransportError("away")

    is_open = False
    late = ChannelRule(name="late", type="webhook")
    channels: dict[str, Any] = {"team": Notebook(act=refuse), "late": Notebook(act=refuse)}
    room = newsroom(store, settings_for, channels)
    room.settings = settings_for(
        store.url, environment="production", channels=(TEAM, late), routes=()
    )
    make_due(store, room.settings, MORNING)
    room.deliver(MINUTE)
    assert report_rows(store)[0]["notified_at"] is None
    is_open = True
    room.deliver(MINUTE + 5)
    noted = report_rows(store)[0]["notified_at"]
    assert noted is not None
    assert [it.status for it in room.rows()] == [DeliveryStatus.SUCCEEDED] * 2


def test_summaries_are_neither_limited_nor_joined(store: Store, settings_for: Settled) -> None:
    """Many reports at once are as many messages, although the channel's limit is one an hour."""
    notebook = Notebook()
    room = newsroom(store, settings_for, {"team": notebook})
    rules = tuple(ReportRule(name=f"report {number}") for number in range(8))
    narrow = ChannelRule(name="team", type="webhook", per_hour=1)
    room.settings = settings_for(
        store.url, environment="production", channels=(narrow,), reports=rules, routes=()
    )
    make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    assert [message.kind for message, _ in notebook.seen] == [NotificationKind.SUMMARY] * 8
    assert len({message.word for message, _ in notebook.seen}) == 8


def test_silences_do_not_hold_a_report_back(store: Store, settings_for: Settled) -> None:
    """They are about alerts; a report says what was silenced."""
    notebook = Notebook()
    room = newsroom(store, settings_for, {"team": notebook})
    store.add_silence(
        "shop",
        {"workflow": ("*",)},
        starts_at=START,
        ends_at=MORNING + timedelta(days=9),
        author="maria",
        reason="quiet",
    )
    make_due(store, room.settings, MORNING)
    room.deliver_all(MINUTE)
    assert len(notebook.seen) == 1
