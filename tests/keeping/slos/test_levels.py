"""Service levels from a real database, cross-checked with SQL that knows nothing of sums."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_workflow_monitor.keeping.slos import OF_MARKER, service_levels
from pytest_workflow_monitor.model import Priority, Status
from pytest_workflow_monitor.settings.alert_rules import Maintenance
from pytest_workflow_monitor.settings.slo_rules import Objective
from pytest_workflow_monitor.store.pruning import DataClass
from tests.keeping.slos.records import execution, record
from tests.samples import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.settings.slo_rules import ServiceLevel
    from pytest_workflow_monitor.store import Store

BEGIN = datetime(2026, 3, 26, 7, 11, tzinfo=UTC)
NOW = datetime(2026, 3, 30, 9, 47, 13, tzinfo=UTC)
"""Between them clocks in Berlin go forward: on the 29th, at 01:00 UTC."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STATUSES = [Status.PASSED] * 12 + [
    Status.DEGRADED, Status.FAILED, Status.FAILED, Status.ERROR, Status.TIMED_OUT, Status.CRASHED,
    Status.SKIPPED, Status.INTERRUPTED,
]  # fmt: skip
MAINTENANCE = (
    Maintenance(
        name="nightly", cron="30 1 * * *", timezone="Europe/Berlin", duration_seconds=7_200.0
    ),
    Maintenance(
        name="of the shop", cron="0 2 * * *", duration_seconds=3_600.0, match={"tag": ("shop",)}
    ),
)
APART = b"""
    WITH apart AS (
        SELECT coalesce(range_agg(tstzrange(opened, opened + lasting)), '{}') AS times
        FROM (
            SELECT (day + time '01:30') AT TIME ZONE 'Europe/Berlin' AS opened,
                   interval '2 hours' AS lasting
            FROM generate_series('2026-03-20'::timestamp, '2026-04-02', '1 day') AS day
            WHERE %(nightly)s
            UNION ALL
            SELECT (day + time '02:00') AT TIME ZONE 'UTC', interval '1 hour'
            FROM generate_series('2026-03-20'::timestamp, '2026-04-02', '1 day') AS day
            WHERE %(shop)s
        ) AS openings
    ),
    judged AS (
        SELECT started_at, lead(started_at) OVER (ORDER BY started_at) AS next_at,
               status IN ('passed', 'degraded') AND (attempts_total = 1 OR NOT %(first)s)
                   AS is_good
        FROM workflow_monitor.workflow_executions
        WHERE workflow_id = %(workflow_id)s
          AND environment = %(environment)s
          AND status IN ('passed', 'degraded', 'failed', 'error', 'timed_out', 'crashed')
    )
"""
EXECUTIONS = (
    APART
    + b"""
    SELECT count(*) FILTER (WHERE NOT is_good) AS bad, count(*) AS total
    FROM judged, apart
    WHERE started_at >= %(start)s AND started_at < %(now)s AND NOT times @> started_at
"""
)
TIME = (
    APART
    + b"""
    , asked AS (
        SELECT tstzmultirange(tstzrange(greatest(%(start)s, min(started_at)), %(now)s)) AS times
        FROM judged
    ),
    down AS (
        SELECT coalesce(range_agg(tstzrange(
            started_at, least(coalesce(next_at, 'infinity'), started_at + interval '1 day')
        )), '{}') AS times
        FROM judged, apart
        WHERE NOT is_good AND NOT apart.times @> started_at
    )
    SELECT (SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)
            FROM unnest(down.times * asked.times - apart.times) AS part) AS bad,
           (SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0)
            FROM unnest(asked.times - apart.times) AS part) AS total
    FROM down, asked, apart
"""
)


@pytest.fixture
def filled(store: Store) -> Store:
    """Four days in two environments; one of three workflows rested for a day and a half."""
    chance = random.Random(11)
    for environment in ("production", "staging"):
        executions = []
        for workflow_id, tags, minutes in (
            ("login", ("smoke",), 20),
            ("order", ("shop",), 35),
            ("stops", ("shop",), 45),
        ):
            at = BEGIN
            while at < NOW:
                if not (workflow_id == "stops" and 30 * HOUR < NOW - at < 66 * HOUR):
                    status = chance.choice(STATUSES)
                    is_flaky = status is Status.PASSED and chance.random() < 0.2
                    executions.append(
                        execution(workflow_id, at, status, is_flaky=is_flaky, tags=tags)
                    )
                at += timedelta(minutes=minutes, seconds=chance.uniform(-300, 300))
        record(store, executions, environment)
    store.sum_up(PROJECT)
    return store


def asked(store: Store, level: ServiceLevel, maintenance: bool) -> tuple[float, float]:
    """What the database says without our help."""
    row: Any = store.connection.execute(
        TIME if level.by == "time" else EXECUTIONS,
        {
            "workflow_id": level.workflow_id,
            "environment": level.environment,
            "start": NOW - timedelta(seconds=level.window_seconds),
            "now": NOW,
            "first": level.attempt == "first",
            "nightly": maintenance,
            "shop": maintenance and level.workflow_id != "login",
        },
    ).fetchone()
    return float(row["bad"]), float(row["total"])


@pytest.mark.parametrize("maintenance", [True, False], ids=["maintenance", "none"])
@pytest.mark.parametrize("attempt", ["final", "first"])
@pytest.mark.parametrize("by", ["executions", "time"])
def test_figures_are_those_of_the_executions(
    filled: Store, settings_for: Callable[..., Settings], by: Any, attempt: Any, maintenance: bool
) -> None:
    """To the execution and to the second, in windows from an hour to longer than there is."""
    windows = [HOUR, 7 * HOUR, DAY, 2 * DAY + 3 * HOUR, 30 * DAY]
    settings = settings_for(
        slos=tuple(
            Objective(
                name=str(it), target=90.0, window_seconds=it.total_seconds(), by=by, attempt=attempt
            )
            for it in windows
        ),
        maintenance=MAINTENANCE if maintenance else (),
    )
    levels = service_levels(filled, settings, NOW)
    assert len(levels) == 3 * 2 * len(windows)
    for level in levels:
        expected = asked(filled, level, maintenance)
        assert (level.bad, level.total) == pytest.approx(expected, abs=1e-3), level
        assert level.is_full == (level.window_seconds < 5 * DAY.total_seconds())
    assert any(it.bad for it in levels)


def test_an_objective_is_for_whom_it_says(
    filled: Store, settings_for: Callable[..., Settings]
) -> None:
    """By a match and by environment; workflows may have several, or none."""
    settings = settings_for(
        slos=(
            Objective(name="shop", target=99.0, match={"tag": ("shop",)}),
            Objective(name="live", target=99.9, environments=("production",)),
        )
    )
    found = {
        (it.environment, it.workflow_id, it.objective)
        for it in service_levels(filled, settings, NOW)
    }
    assert found == {
        ("production", "login", "live"),
        ("production", "order", "live"),
        ("production", "order", "shop"),
        ("production", "stops", "live"),
        ("production", "stops", "shop"),
        ("staging", "order", "shop"),
        ("staging", "stops", "shop"),
    }
    staging = service_levels(filled, settings, NOW, environments=("staging",))
    assert {it.environment for it in staging} == {"staging"}


def test_a_marker_sets_an_objective(store: Store, settings_for: Callable[..., Settings]) -> None:
    """With what is known of the workflow; over 30 days where it says nothing else."""
    fields: dict[str, Any] = {"slo": 99.5, "owner": "ann", "priority": Priority.LOW}
    record(store, [execution("login", BEGIN, Status.FAILED, **fields)])
    record(store, [execution("order", BEGIN, slo=95.0, slo_window_seconds=86_400.0)])
    record(store, [execution("other", BEGIN)])
    store.sum_up(PROJECT)
    login, order = service_levels(store, settings_for(), NOW)
    assert (login.workflow_id, login.objective, login.target) == ("login", OF_MARKER, 99.5)
    assert (login.owner, login.priority, login.window_seconds) == ("ann", "low", 30 * 86_400)
    assert (login.availability, login.state, login.since) == (0.0, "young", BEGIN)
    assert (order.workflow_id, order.window_seconds, order.state) == ("order", 86_400, "empty")


def test_the_window_is_full_when_the_first_judged_execution_left_it(
    store: Store, settings_for: Callable[..., Settings]
) -> None:
    """To the second; what was skipped judged nothing."""
    record(store, [execution("login", BEGIN - DAY, Status.SKIPPED), execution("login", BEGIN)])
    store.sum_up(PROJECT)
    settings = settings_for(slos=(Objective(name="day", target=99.0, window_seconds=86_400.0),))
    for now, is_full in ((BEGIN + DAY, True), (BEGIN + DAY - timedelta(seconds=1), False)):
        (level,) = service_levels(store, settings, now)
        assert level.is_full == is_full
        assert level.since == BEGIN
    store.connection.execute("DELETE FROM workflow_monitor.workflow_executions")
    (level,) = service_levels(store, settings, NOW)
    assert level.since == NOW - DAY


def test_no_window_reaches_to_where_executions_may_be_pruned(
    filled: Store, settings_for: Callable[..., Settings]
) -> None:
    """Of what needs them; sums are enough for the others."""
    cutoff = (NOW - DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    filled.promise_pruning(PROJECT, {DataClass.EXECUTIONS: cutoff})
    objective = Objective(name="two", target=90.0, window_seconds=2 * DAY.total_seconds())
    by_time = msgspec.structs.replace(objective, by="time")

    def full(*slos: Objective, **changes: Any) -> set[bool]:
        settings = settings_for(slos=slos, **changes)
        return {it.is_full for it in service_levels(filled, settings, NOW)}

    assert full(objective) == {True}
    assert full(by_time) == full(objective, maintenance=MAINTENANCE) == {False}
    (level, *_) = service_levels(filled, settings_for(slos=(by_time,)), NOW)
    assert (level.since, level.total) == (cutoff, (NOW - cutoff).total_seconds())


def test_without_objectives_one_question_is_asked(
    filled: Store, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every session comes by here, most of them for nothing."""
    statements = []
    fetch = filled.fetch

    def noted(statement: str, /, **parameters: Any) -> Any:
        statements.append(statement)
        return fetch(statement, **parameters)

    monkeypatch.setattr(filled, "fetch", noted)
    assert service_levels(filled, settings_for(maintenance=MAINTENANCE), NOW) == ()
    assert statements == ["slo_has_objectives"]
