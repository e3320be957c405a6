"""An error budget that burns is one alert, until it burns no more or nobody asks for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.keeping.slos import watch
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.settings.alert_rules import ChannelRule, Maintenance, Route
from pytest_workflow_monitor.settings.slo_rules import Objective
from pytest_workflow_monitor.words.alerts import AlertKind
from tests.keeping.slos.records import execution, record
from tests.samples import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.alerts import Alert

NOW = datetime(2026, 3, 30, 9, 47, tzinfo=UTC)
DAY = 86_400.0
OBJECTIVE = Objective(name="all", target=99.0, window_seconds=DAY)
STRICT = Objective(name="strict", target=99.9, window_seconds=2 * DAY, attempt="first")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


class Shop:
    """A workflow that is executed every five minutes, and who watches it."""

    def __init__(self, store: Store, make: Callable[..., Settings]) -> None:
        self.store = store
        self.make = make
        record(store, [execution("login", NOW - timedelta(days=3))])

    def run(
        self,
        since: float,
        until: float,
        status: Status = Status.PASSED,
        *,
        is_flaky: bool = False,
        environment: str = "production",
        **workflow: Any,
    ) -> None:
        """Let it run from so many minutes ago until before so many."""
        record(
            self.store,
            [
                execution("login", NOW - minutes(ago), status, is_flaky=is_flaky, **workflow)
                for ago in range(int(since), int(until), -5)
            ],
            environment,
        )

    def watch(
        self, minute: float = 0, *objectives: Objective, asked: Any = None, **changes: Any
    ) -> None:
        """Look at it so many minutes later."""
        fields = {
            "channels": (ChannelRule(name="team", type="webhook"),),
            "routes": (Route(),),
            "slos": objectives or (OBJECTIVE,),
        }
        settings = self.make(**(fields | changes))
        watch(self.store, settings, NOW + minutes(minute), environments=asked)

    def alerts(self, *, open_only: bool = True) -> list[Alert]:
        """The alerts about error budgets, oldest first."""
        found = self.store.alerts(project=PROJECT, open_only=open_only)
        return [it for it in reversed(found) if it.kind is AlertKind.BURNING]

    def story(self, alert: Alert) -> list[str]:
        """What happened to an alert."""
        return [it.kind.value for it in self.store.alert_events([alert.alert_id])]


@pytest.fixture
def shop(store: Store, settings_for: Callable[..., Settings]) -> Shop:
    return Shop(store, settings_for)


def test_a_budget_that_burns_is_one_alert(shop: Shop) -> None:
    """Opened once with what people route by, told once, resolved when it goes well again."""
    shop.run(360, 15)
    shop.run(15, 0, Status.FAILED, owner="ann", tags=("money",))
    for minute in (0, 1, 2):
        shop.watch(minute)
    (alert,) = shop.alerts()
    assert (alert.workflow_id, alert.environment) == ("login", "production")
    assert (alert.owner, alert.tags, alert.priority) == ("ann", ("money",), "critical")
    assert alert.reason == (
        "the error budget of 99 % in 1 d burns more than 14.4 times too quickly, over 1 h and "
        "over 5 min"
    )
    assert shop.story(alert) == ["opened"]
    messages = shop.store.connection.execute(
        "SELECT channel, notification_type FROM workflow_monitor.notification_logs"
    ).fetchall()
    assert messages == [{"channel": "team", "notification_type": "opened"}]

    shop.run(0, -15)
    shop.watch(12)
    assert shop.alerts() == []
    assert shop.story(alert) == ["opened", "resolved"]


def test_several_objectives_that_burn_are_one_alert(shop: Shop) -> None:
    """It says both, and is over when neither burns."""
    shop.run(360, 15)
    shop.run(15, 0, Status.FAILED)
    shop.watch(0, OBJECTIVE, STRICT)
    (alert,) = shop.alerts()
    assert "of 99 % in 1 d burns" in alert.reason
    assert "; the error budget of 99.9 % in 2 d burns" in alert.reason

    shop.run(0, -15, is_flaky=True)
    shop.watch(12, OBJECTIVE, STRICT)
    (alert,) = shop.alerts()
    assert alert.reason.startswith("the error budget of 99.9 % in 2 d burns more than 14.4")
    shop.run(-15, -50)
    shop.watch(27, OBJECTIVE, STRICT)
    (alert,) = shop.alerts()
    assert alert.reason.endswith("burns more than 6 times too quickly, over 6 h and over 30 min")
    shop.watch(47, OBJECTIVE, STRICT)
    assert shop.alerts() == []
    assert len(shop.alerts(open_only=False)) == 1


def test_what_was_stored_after_the_last_sums_counts(shop: Shop) -> None:
    """Whoever watches brings the sums up to date first."""
    shop.run(360, 0)
    shop.watch()
    assert shop.alerts() == []
    shop.run(14, 0, Status.TIMED_OUT)
    shop.watch()
    assert len(shop.alerts()) == 1


def test_nothing_is_said_before_a_window_is_full(shop: Shop) -> None:
    """Nor of a single failure."""
    shop.run(15, 0, Status.FAILED)
    shop.watch(0, Objective(name="month", target=99.0))
    assert shop.alerts() == []
    shop.run(500, 495, Status.FAILED)
    shop.watch(-490)
    assert shop.alerts() == []


@pytest.mark.parametrize(
    ("minute", "changes"),
    [
        (10, {"slos": ()}),
        (10, {"slos": (Objective(name="else", target=99.0, match={"tag": ("else",)}),)}),
        (361, {}),
    ],
    ids=["nothing is expected", "of others", "it is not executed any more"],
)
def test_no_alert_stays_for_ever(shop: Shop, minute: float, changes: dict[str, Any]) -> None:
    """An objective may be taken away, and so may the workflow."""
    shop.run(15, 0, Status.FAILED)
    shop.watch()
    assert len(shop.alerts()) == 1
    shop.watch(minute, **changes)
    assert shop.alerts() == []


def test_an_environment_is_looked_after_by_itself(shop: Shop) -> None:
    """A session of one environment neither opens nor resolves alerts of another."""
    record(shop.store, [execution("login", NOW - timedelta(days=3))], "staging")
    shop.run(15, 0, Status.FAILED)
    shop.run(15, 0, Status.FAILED, environment="staging")
    shop.watch(asked=("staging",))
    assert [it.environment for it in shop.alerts()] == ["staging"]
    shop.watch(asked=("production",), slos=())
    assert [it.environment for it in shop.alerts()] == ["staging"]
    shop.watch()
    assert {it.environment for it in shop.alerts()} == {"staging", "production"}
    shop.watch(slos=())
    assert shop.alerts() == []


def test_whoever_wants_to_hear_nothing_hears_nothing(shop: Shop) -> None:
    """The alert is there, and says why nobody was told."""
    shop.run(15, 0, Status.FAILED, notify_on_failure=False)
    for minute in (0, 1):
        shop.watch(minute)
    (alert,) = shop.alerts()
    assert alert.quiet == "the workflow has notify_on_failure=False"
    assert shop.story(alert) == ["opened", "not_notified"]
    assert shop.store.row_counts()["notification_logs"] == 0


def test_maintenance_burns_nothing(shop: Shop) -> None:
    """What fails while a window is open is as if it had not run."""
    shop.run(360, 30)
    shop.run(30, 0, Status.FAILED)
    window = Maintenance(name="now", cron="0 9 * * *", duration_seconds=3_600.0)
    shop.watch(maintenance=(window,))
    assert shop.alerts() == []
    shop.watch(maintenance=(Maintenance(name="then", cron="0 7 * * *", duration_seconds=3_600.0),))
    assert len(shop.alerts()) == 1
