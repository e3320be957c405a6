"""The history is what its truth says: else nobody could learn from it whether reports are right."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.rows import tuple_row

from pytest_workflow_monitor.store import Store
from tests.history import fill, plan_of, play
from tests.history.playing import Played
from tests.history.template import UNTIL

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.conftest import Server
    from tests.history.truth import Change, Span, Truth

NOT_EXACT = "incident_id,told_at,total,total_ms,total_duration_ms"
"""A number of the database's, how long a message took, and sums in whatever order."""


def ask(store: Store, question: bytes, *values: Any) -> list[tuple[Any, ...]]:
    with store.connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(question, values or None).fetchall()


def p95(store: Store, change: Change, start: datetime, end: datetime) -> float:
    ((found,),) = ask(
        store,
        b"SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms)"
        b" FROM workflow_monitor.workflow_executions"
        b" WHERE workflow_id = %s AND environment = %s AND status = 'passed'"
        b" AND started_at BETWEEN %s AND %s",
        change.workflow_id, change.environment, start, end,
    )  # fmt: skip
    return float(found)


def statuses(store: Store, workflow_id: str, span: Span) -> set[tuple[str, bool]]:
    found = ask(
        store,
        b"SELECT DISTINCT status, is_flaky FROM workflow_monitor.workflow_executions"
        b" WHERE workflow_id = %s AND environment = %s AND started_at BETWEEN %s AND %s",
        workflow_id, span.environment, span.start_at, span.end_at,
    )  # fmt: skip
    return set(found)


def test_the_same_seed_and_end_play_the_same_sessions() -> None:
    """To the last digit, so that what a test found can be found again."""
    truth = plan_of(days=2, seed=3, until=UNTIL)
    assert list(islice(play(truth), 200)) == list(islice(play(truth), 200))
    other = plan_of(days=2, seed=4, until=UNTIL)
    assert next(iter(play(truth))) != next(iter(play(other)))


def test_a_quick_fill_leaves_what_ingest_would(store: Store, server: Server, template: str) -> None:
    """Every table is equal, but for numbers that the database gave."""
    truth = plan_of(days=3, seed=5, until=UNTIL).within(
        UNTIL - timedelta(hours=30), UNTIL - timedelta(hours=8)
    )
    fill(store, truth)
    name = server.create(template)
    with Store(server.url_of(name), project="shop") as exact:
        fill(exact, truth, by_ingest=True)
        for table in (
            "test_sessions", "workflow_executions", "workflow_attempts", "workflow_steps",
            "workflow_metrics", "job_metrics", "workflow_hours", "series_days", "incidents",
            "workflow_versions",
        ):  # fmt: skip
            question = f"""
                SELECT md5(string_agg(it::text, '' ORDER BY it::text)) FROM (
                    SELECT to_jsonb(t) - '{{{NOT_EXACT}}}'::text[]
                    FROM workflow_monitor.{table} AS t
                ) AS it
            """.encode()  # noqa: S608 - names of tables
            assert ask(store, question) == ask(exact, question), table
    server.drop(name)


def test_the_history_holds_what_was_played(shop: Store, truth: Truth) -> None:
    """All of the executions, and nothing that runs or waits."""
    sessions = [it for it in play(truth) if isinstance(it, Played)]
    runs = {attempt.run_id for it in sessions for attempt in it.attempts}
    assert ask(shop, b"SELECT count(*) FROM workflow_monitor.workflow_executions") == [(len(runs),)]
    assert ask(shop, b"SELECT sum(runs) FROM workflow_monitor.workflow_days") == [(len(runs),)]
    assert ask(shop, b"SELECT count(*) FROM workflow_monitor.outdated_hours") == [(0,)]
    unsent = (
        b"SELECT count(*) FROM workflow_monitor.notification_logs"
        b" WHERE delivery_status NOT IN ('SUCCEEDED', 'SUPPRESSED') AND not_before < %s"
    )
    assert ask(shop, unsent, truth.end_at) == [(0,)]


def test_changes_are_as_large_as_they_say(shop: Store, truth: Truth) -> None:
    """The 95th percentile of the days before and after, to within a few per cent."""
    assert len(truth.regressions) == len(truth.improvements) == 1
    for change in truth.changes:
        before = p95(shop, change, truth.start_at, change.at)
        after = p95(shop, change, change.at, truth.end_at)
        assert before == pytest.approx(change.before_p95_ms, rel=0.05)
        assert after == pytest.approx(change.after_p95_ms, rel=0.05)
        rise = b"""
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY step.duration_ms)
                       FILTER (WHERE execution.started_at >= %s)
                 - percentile_cont(0.5) WITHIN GROUP (ORDER BY step.duration_ms)
                       FILTER (WHERE execution.started_at < %s)
            FROM workflow_monitor.workflow_steps AS step
            JOIN workflow_monitor.workflow_executions AS execution USING (run_id)
            WHERE step_name = %s AND execution.status = 'passed' AND workflow_id = %s
              AND environment = %s
        """
        ((found,),) = ask(
            shop, rise, change.at, change.at, change.step, change.workflow_id, change.environment
        )
        assert found == pytest.approx(change.step_change_ms, rel=0.05)
        assert ask(
            shop,
            b"SELECT DISTINCT git_commit FROM workflow_monitor.deployments"
            b" WHERE environment = %s AND deployed_at = %s",
            change.environment, change.at,
        ) == [(change.commit,)]  # fmt: skip


def test_each_failure_is_where_the_truth_has_it(shop: Store, truth: Truth) -> None:
    """Every fingerprint is known, and each incident fails in all its workflows from first to last.

    What fails outside of them is flaky, masked, broken, silenced or a blip.
    """
    found = ask(
        shop,
        b"SELECT DISTINCT error ->> 'fingerprint' FROM workflow_monitor.workflow_attempts,"
        b" jsonb_array_elements(errors) AS error",
    )
    assert {it[0] for it in found} == {it.fingerprint for it in truth.failures}
    for incident in truth.incidents:
        for failure in incident.failures:
            assert statuses(shop, failure.workflow_id, incident) <= {(failure.status.value, False)}
    for broken in truth.broken:
        assert statuses(shop, broken.failure.workflow_id, broken) == {("failed", False)}
    for flaky in truth.flaky:
        assert statuses(shop, flaky.failure.workflow_id, flaky) == {
            ("failed", False),
            ("passed", False),
        }


def test_what_is_masked_passes_only_by_retry(shop: Store, truth: Truth) -> None:
    """And nothing else does, but for blips and what failed in an incident meanwhile."""
    (masked,) = truth.masked
    assert statuses(shop, masked.failure.workflow_id, masked) == {
        ("passed", True),
        ("failed", False),
    }
    others = (
        b"SELECT count(*) FROM workflow_monitor.workflow_executions"
        b" WHERE is_flaky AND workflow_id <> %s"
    )
    assert ask(shop, others, masked.failure.workflow_id) == [(len(truth.blips),)]


def test_alerts_came_of_it_as_rules_would_have_it(shop: Store, truth: Truth) -> None:
    """One alert for each workflow of an incident, opened in it, and one incident for a cause."""
    for incident in truth.incidents:
        alerts = ask(
            shop,
            b"SELECT workflow_id, status, resolved_at - opened_at < %s FROM workflow_monitor.alerts"
            b" WHERE kind = 'failing' AND opened_at BETWEEN %s AND %s + interval '30 s'"
            b" AND workflow_id = ANY (%s) AND workflow_id <> 'newsletter-signup'",
            timedelta(hours=4), incident.start_at, incident.end_at,
            [it.workflow_id for it in incident.failures],
        )  # fmt: skip
        assert alerts
        assert {it[1:] for it in alerts} == {("resolved", True)}
        assert len({it[0] for it in alerts}) == len(alerts)
    open_ones = ask(
        shop,
        b"SELECT environment, workflow_id FROM workflow_monitor.alerts"
        b" WHERE status <> 'resolved' AND kind = 'failing' ORDER BY 1, 2",
    )
    assert ("staging", "invoice-export") in open_ones
    assert {it[1] for it in open_ones} <= {"invoice-export", "newsletter-signup"}


def test_nobody_was_told_in_a_silence(shop: Store, truth: Truth) -> None:
    """The alert is there, and no message about it was sent."""
    (silenced,) = truth.silenced
    sent = ask(
        shop,
        b"SELECT count(*) FILTER (WHERE delivery_status = 'SUCCEEDED'), count(DISTINCT alert_id)"
        b" FROM workflow_monitor.alerts"
        b" LEFT JOIN workflow_monitor.notification_logs USING (incident_id)"
        b" WHERE workflow_id = %s AND kind = 'failing' AND opened_at BETWEEN %s AND %s",
        silenced.failure.workflow_id, silenced.start_at, silenced.end_at,
    )  # fmt: skip
    assert sent == [(0, 1)]


def test_slots_were_missed_and_alerted(shop: Store, truth: Truth) -> None:
    """For as long as nobody started anything."""
    (missed,) = truth.missed
    slots = ask(
        shop,
        b"SELECT count(*), min(slot_at) >= %s, max(slot_at) < %s"
        b" FROM workflow_monitor.workflow_slots WHERE status = 'missed'",
        missed.start_at, missed.end_at,
    )  # fmt: skip
    assert slots[0][0] > 20
    assert slots[0][1:] == (True, True)
    assert ask(
        shop,
        b"SELECT count(*) FROM workflow_monitor.workflow_executions"
        b" JOIN workflow_monitor.test_sessions USING (session_id)"
        b" WHERE workflow_executions.environment = %s AND slot_at >= %s AND slot_at < %s",
        missed.environment, missed.start_at, missed.end_at,
    ) == [(0,)]  # fmt: skip
    alerts = (
        b"SELECT count(*), count(resolved_at) FROM workflow_monitor.alerts WHERE kind = 'missed'"
    )
    ((opened, resolved),) = ask(shop, alerts)
    assert opened == resolved > 5


def test_metrics_drift_and_break_their_thresholds_as_planned(shop: Store, truth: Truth) -> None:
    """Beyond the threshold only in the breach; the drift has not reached its limit yet."""
    (breach,) = truth.breaches
    broken = ask(
        shop,
        b"SELECT DISTINCT workflow_id, metric_name, execution.status"
        b" FROM workflow_monitor.workflow_metrics"
        b" JOIN workflow_monitor.workflow_executions AS execution USING (run_id)"
        b" WHERE NOT is_within_threshold AND recorded_at BETWEEN %s AND %s",
        breach.start_at, breach.end_at,
    )  # fmt: skip
    assert broken == [(breach.workflow_id, breach.metric, "degraded")]
    outside = b"""
        SELECT count(*) FROM workflow_monitor.workflow_metrics
        WHERE NOT is_within_threshold AND recorded_at NOT BETWEEN %s AND %s
    """
    assert ask(shop, outside, breach.start_at, breach.end_at) == [(0,)]
    (drift,) = truth.drifts
    assert drift.breaks_at > truth.end_at
    for day in (truth.start_at, truth.end_at - timedelta(days=1)):
        ((found,),) = ask(
            shop,
            b"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY metric_value)"
            b" FROM workflow_monitor.workflow_metrics"
            b" WHERE metric_name = %s AND recorded_at BETWEEN %s AND %s",
            drift.metric, day, day + timedelta(days=1),
        )  # fmt: skip
        assert found == pytest.approx(drift.value_at(day + timedelta(hours=12)), rel=0.02)


def test_seasons_show_in_the_durations(shop: Store, truth: Truth) -> None:
    """A workflow is slower at its peak than at night by what the truth says."""
    season = next(it for it in truth.seasons if it.workflow_id == "user-login")
    around: Callable[[float], float] = lambda hour: ask(  # noqa: E731 - asked twice
        shop,
        b"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms)"
        b" FROM workflow_monitor.workflow_executions"
        b" WHERE workflow_id = 'user-login' AND environment = 'production' AND status = 'passed'"
        b" AND extract(hour FROM started_at AT TIME ZONE 'UTC') = %s",
        int(hour),
    )[0][0]
    ratio = around(season.peak_hour) / around((season.peak_hour + 12) % 24)
    assert ratio == pytest.approx((1 + season.daily) / (1 - season.daily), rel=0.06)
