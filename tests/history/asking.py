"""Questions to the raw tables, written without looking at how reports read the sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.rows import dict_row

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from pytest_workflow_monitor.words.periods import Period

OF_EACH: LiteralString = """
    SELECT workflow_id, count(*) AS runs,
           count(*) FILTER (WHERE NOT good) AS bad,
           avg(good::int) AS availability,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
           percentile_disc(0.95) WITHIN GROUP (ORDER BY ms) AS p95,
           percentile_disc(0.99) WITHIN GROUP (ORDER BY ms) AS p99
    FROM run GROUP BY workflow_id
"""
OVERALL: LiteralString = """
    SELECT count(*) AS runs, avg(good::int) AS rate, avg((good AND attempts = 1)::int) AS first,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY ms) AS median
    FROM run
"""
BY_HOUR: LiteralString = """
    SELECT (middle AT TIME ZONE %(zone)s)::date AS day,
           extract(hour FROM middle AT TIME ZONE %(zone)s)::int AS hour,
           count(*) AS judged, count(*) FILTER (WHERE NOT good) AS bad
    FROM (
        SELECT good,
               date_trunc('hour', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '30 minutes'
                   AS middle
        FROM run
    ) AS it
    GROUP BY 1, 2
"""
BY_DAY: LiteralString = """
    SELECT date_trunc('day', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS day,
           avg(good::int) AS rate
    FROM run GROUP BY 1 ORDER BY 1
"""
P95_BY_DAY: LiteralString = """
    SELECT workflow_id, array_agg(p95 ORDER BY day) AS days
    FROM (
        SELECT workflow_id, (at AT TIME ZONE 'UTC')::date AS day,
               percentile_disc(0.95) WITHIN GROUP (ORDER BY ms) AS p95
        FROM run GROUP BY 1, 2
    ) AS it
    GROUP BY 1
"""
STEPS: LiteralString = """
    SELECT run.workflow_id, step_name AS step, count(*) AS runs,
           count(*) FILTER (WHERE step.status NOT IN ('passed', 'degraded')) AS problems,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY
               CASE WHEN step.status IN ('passed', 'degraded') THEN step.duration_ms END) AS p50,
           percentile_disc(0.95) WITHIN GROUP (ORDER BY
               CASE WHEN step.status IN ('passed', 'degraded') THEN step.duration_ms END) AS p95
    FROM run
    JOIN workflow_monitor.workflow_steps AS step
        ON step.run_id = run.run_id AND step.attempt = run.attempts
    GROUP BY 1, 2
"""
ERRORS: LiteralString = """
    SELECT left(fingerprint, 12) AS fingerprint, count(*) AS count,
           string_agg(DISTINCT workflow_id, ', ' ORDER BY workflow_id) AS workflows,
           max(at) AS last
    FROM run WHERE NOT good GROUP BY 1
"""
RUN: LiteralString = """
    WITH run AS (
        SELECT run_id, workflow_id, started_at AS at, fingerprint, attempts_total AS attempts,
               status IN ('passed', 'degraded') AS good,
               CASE WHEN status IN ('passed', 'degraded') THEN duration_ms END AS ms
        FROM workflow_monitor.workflow_executions
        WHERE environment = %(environment)s AND started_at >= %(start)s AND started_at < %(end)s
          AND status NOT IN ('running', 'skipped', 'interrupted')
    )
"""
SLOTS: LiteralString = """
    SELECT workflow_id, count(*) AS count, min(slot_at) AS first, max(slot_at) AS last
    FROM workflow_monitor.workflow_slots
    WHERE environment = %(environment)s AND slot_at >= %(start)s AND slot_at < %(end)s
      AND status = 'missed'
    GROUP BY 1
"""
TIMES: LiteralString = """
    WITH RECURSIVE severe AS (
        SELECT * FROM workflow_monitor.alerts AS one
        WHERE environment = %(environment)s AND kind IN ('failing', 'missed', 'runner')
          AND opened_at < %(end)s AND coalesce(resolved_at, 'infinity') >= %(start)s
          AND NOT (
              kind = 'failing' AND failures < 3
              AND NOT EXISTS (
                  SELECT FROM jsonb_array_elements_text(causes) AS cause WHERE cause LIKE 'host|%%'
              )
              AND EXISTS (
                  SELECT FROM workflow_monitor.alerts AS other
                  WHERE other.kind = 'flapping' AND other.workflow_id = one.workflow_id
                    AND other.environment = one.environment AND other.opened_at < %(end)s
                    AND coalesce(other.resolved_at, 'infinity') >= %(start)s
                    AND other.since <= coalesce(one.resolved_at, 'infinity')
                    AND one.since <= coalesce(other.resolved_at, 'infinity')
              )
          )
    ),
    pair AS (
        SELECT one.alert_id AS one, other.alert_id AS other
        FROM severe AS one CROSS JOIN severe AS other
        WHERE one.incident_id = other.incident_id
           OR (
               one.since <= coalesce(other.resolved_at, 'infinity')
               AND other.since <= coalesce(one.resolved_at, 'infinity')
               AND (
                   other.alert_id = one.inhibited_by
                   OR one.alert_id = other.inhibited_by
                   OR EXISTS (
                       SELECT FROM jsonb_array_elements_text(one.causes) AS cause
                       WHERE cause ~ '^(host|slots)[|]' AND other.causes ? cause
                   )
               )
           )
    ),
    reached (one, other) AS (
        SELECT one, other FROM pair
        UNION
        SELECT reached.one, pair.other FROM reached JOIN pair ON pair.one = reached.other
    ),
    incident AS (
        SELECT min(since) AS since, min(opened_at) AS opened_at,
               CASE WHEN count(*) = count(resolved_at) THEN max(resolved_at) END AS resolved_at
        FROM severe
        JOIN (SELECT one, min(other) AS number FROM reached GROUP BY 1) AS found
            ON found.one = severe.alert_id
        GROUP BY number
    )
    SELECT count(*) AS severe,
           extract(epoch FROM avg(opened_at - since) FILTER (WHERE opened_at >= %(start)s)) * 1000
               AS detect,
           extract(epoch FROM avg(resolved_at - since) FILTER (WHERE resolved_at < %(end)s)) * 1000
               AS recover
    FROM incident
"""


def ask(
    store: Store, question: LiteralString, period: Period, environment: str = "production"
) -> list[dict[str, Any]]:
    """Ask about the executions of a period."""
    head: LiteralString = RUN if "FROM run" in question else ""
    with store.connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            head + question,
            {
                "environment": environment,
                "start": period.start,
                "end": period.end,
                "zone": period.timezone,
            },
        ).fetchall()
