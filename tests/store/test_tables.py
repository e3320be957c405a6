from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql

from pytest_workflow_monitor.alerting.rules import Rules
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.store import migrate
from tests.samples import PROJECT, a_full_attempt, a_session, an_attempt, an_end, at, run_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.store import Store

KEYS = {
    "test_sessions": "session_id",
    "workflows": "project, workflow_id",
    "workflow_versions": "project, workflow_id, definition_hash",
    "workflow_executions": "run_id",
    "workflow_attempts": "run_id, attempt",
    "workflow_steps": "run_id, attempt, step_index",
    "workflow_metrics": "run_id, attempt, metric_index",
    "workflow_artifacts": "run_id, attempt, artifact_index",
    "job_metrics": "project, workflow_id, environment",
    "incidents": "incident_id",
    "alerts": "alert_id",
    "alert_events": "event_id",
    "silences": "silence_id",
    "notification_logs": "notification_id",
    "workflow_schedules": "project, workflow_id, environment",
    "workflow_slots": "slot_id",
    "schedulers": "scheduler_id",
    "system_health_checks": "check_id",
    "queue_migrations": "migration",
    "dead_letter_queue": "letter_id",
    "outdated_hours": "mark_id",
    "workflow_hours": "project, environment, workflow_id, starts_at, location",
    "workflow_days": "project, environment, workflow_id, starts_at, location",
    "series_hours": "project, environment, workflow_id, starts_at, kind, name, unit, location",
    "series_days": "project, environment, workflow_id, starts_at, kind, name, unit, location",
    "performance_baselines": "project, environment, workflow_id, kind, name, unit, location",
    "unjudged_sessions": "session_id",
    "execution_anomalies": "run_id, kind, name, unit",
    "deployments": "deployment_id",
    "monitoring_reports": "report_id",
    "prunings": "project, class",
}
"""The tables and their primary keys."""

SCHEDULES: tuple[LiteralString, ...] = (
    """
    INSERT INTO workflow_monitor.workflow_schedules (
        project, workflow_id, environment, workflow_name, nodeid, priority, cron_expression,
        timezone, queue, overlap, grace_seconds, limit_seconds, enabled, collected_at
    ) VALUES ('shop', 'login', 'production', 'Login', 'test_it.py::test_login', 'high',
              '*/5 * * * *', 'UTC', 'default', 'skip', 150, 600, true, now())
    """,
    """
    INSERT INTO workflow_monitor.workflow_slots (
        project, workflow_id, environment, slot_at, status, reason, queue, claimed_at, claimed_by
    ) VALUES ('shop', 'login', 'production', now(), 'queued', '', 'default', now(), 'runner-7')
    """,
    """
    INSERT INTO workflow_monitor.schedulers (
        scheduler_id, project, environment, kind, host, pid, queues, concurrency, started_at,
        heartbeat_at
    ) VALUES ('runner-7/1', 'shop', 'production', 'worker', 'runner-7', 1, '["default"]', 3, now(),
              now())
    """,
    "INSERT INTO workflow_monitor.queue_migrations VALUES ('03.04.00_50_post')",
    """
    INSERT INTO workflow_monitor.system_health_checks (
        project, environment, location, host, check_name, status, expected_status, actual_status,
        detail, checked_at
    ) VALUES ('shop', 'production', '', 'runner-7', 'disk', 'healthy', '', '', '', now())
    """,
)
"""A row for each table that no session fills."""

ANALYSES: tuple[LiteralString, ...] = (
    """
    INSERT INTO workflow_monitor.outdated_hours (project, environment, workflow_id, starts_at)
    VALUES ('shop', 'production', 'login', '2026-03-01 12:00Z')
    """,
    """
    INSERT INTO workflow_monitor.performance_baselines (
        project, workflow_id, environment, location, kind, name, unit, baseline_avg_ms,
        baseline_median_ms, baseline_spread_ms, baseline_p95_ms, sample_size, seasons, state,
        last_run_at, updated_at
    ) VALUES ('shop', 'login', 'production', 'eu-west', 'workflow', '', 'ms', 1500, 1500, 20, 1600,
              40, '{}', '{}', now(), now())
    """,
    """
    INSERT INTO workflow_monitor.execution_anomalies (
        run_id, project, environment, workflow_id, kind, name, unit, value, score, direction,
        observed_at
    ) SELECT run_id, project, environment, workflow_id, 'workflow', '', 'ms', 9000, 0.99, 'high',
             started_at
      FROM workflow_monitor.workflow_executions
      WHERE workflow_id = 'other'
    """,
    """
    INSERT INTO workflow_monitor.unjudged_sessions
    SELECT session_id, project FROM workflow_monitor.test_sessions
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO workflow_monitor.deployments (
        project, environment, deployed_at, name, git_commit, url, noted_by
    ) VALUES ('shop', 'production', now(), '2.4.0', 'a1b2c3', '', 'ada')
    """,
    """
    INSERT INTO workflow_monitor.monitoring_reports (
        project, environment, report_name, report_type, period_start, period_end, total_runs,
        successful_runs, failed_runs, critical_issues, document, generated_at
    ) VALUES ('shop', 'production', 'daily', 'daily', '2026-03-01', '2026-03-02', 2, 1, 1, 0, '{}',
              now())
    """,
    """
    INSERT INTO workflow_monitor.prunings (project, class, before)
    VALUES ('shop', 'logs', '2026-01-01')
    """,
)
"""A row for each table of what is worked out later."""

BROKEN = [
    ("test_sessions", "project", ""),
    ("test_sessions", "environment", ""),
    ("test_sessions", "triggered_by", "magic"),
    ("test_sessions", "tests_collected", -1),
    ("workflows", "workflow_id", ""),
    ("workflows", "priority", "urgent"),
    ("workflow_executions", "status", "great"),
    ("workflow_executions", "priority", "urgent"),
    ("workflow_executions", "triggered_by", "magic"),
    ("workflow_executions", "duration_ms", -0.5),
    ("workflow_executions", "attempts_total", -1),
    ("workflow_executions", "steps_total", -1),
    ("workflow_executions", "status", "running"),
    ("workflow_attempts", "attempt", 0),
    ("workflow_attempts", "status", "running"),
    ("workflow_attempts", "duration_ms", -1),
    ("workflow_attempts", "setup_ms", -1),
    ("workflow_attempts", "steps_dropped", -1),
    ("workflow_steps", "step_index", -1),
    ("workflow_steps", "parent_index", -1),
    ("workflow_steps", "phase", "lunch"),
    ("workflow_steps", "status", "great"),
    ("workflow_steps", "duration_ms", -1),
    ("workflow_metrics", "metric_index", -1),
    ("workflow_artifacts", "artifact_index", -1),
    ("workflow_artifacts", "size_bytes", -1),
    ("job_metrics", "run_count", 99),
    ("job_metrics", "failure_count", -1),
    ("job_metrics", "consecutive_failures", -1),
    ("incidents", "project", ""),
    ("incidents", "reminders", -1),
    ("alerts", "kind", "strange"),
    ("alerts", "status", "resolved"),
    ("alerts", "status", "acknowledged"),
    ("alerts", "failures", 0),
    ("alert_events", "event_type", "lunch"),
    ("alert_events", "actor", ""),
    ("silences", "reason", ""),
    ("silences", "ends_at", "2000-01-01"),
    ("notification_logs", "channel", ""),
    ("notification_logs", "delivery_status", "LOST"),
    ("notification_logs", "delivery_status", "SUCCEEDED"),
    ("notification_logs", "delivery_status", "PROCESSING"),
    ("notification_logs", "retry_count", -1),
    ("workflow_schedules", "every_seconds", 60),
    ("workflow_schedules", "overlap", "perhaps"),
    ("workflow_schedules", "grace_seconds", -1),
    ("workflow_schedules", "run_count", -1),
    ("workflow_slots", "status", "great"),
    ("workflow_slots", "status", "done"),
    ("workflow_slots", "covers", 0),
    ("schedulers", "kind", "boss"),
    ("schedulers", "concurrency", -1),
    ("system_health_checks", "status", "great"),
    ("system_health_checks", "response_time_ms", -1),
    ("dead_letter_queue", "session_id", None),
    ("dead_letter_queue", "status", "LOST"),
    ("dead_letter_queue", "attempts", 0),
    ("workflow_hours", "runs", 99),
    ("workflow_hours", "flaky", -1),
    ("workflow_hours", "buckets", [1, 2, 3]),
    ("workflow_days", "runs", 99),
    ("series_hours", "kind", "lunch"),
    ("series_hours", "counts", [1, 2, 3]),
    ("series_days", "problems", -1),
    ("performance_baselines", "kind", "lunch"),
    ("performance_baselines", "sample_size", -1),
    ("execution_anomalies", "score", 1.5),
    ("execution_anomalies", "direction", "sideways"),
    ("deployments", "name", ""),
    ("monitoring_reports", "report_type", "yearly"),
    ("monitoring_reports", "period_end", "2000-01-01"),
    ("monitoring_reports", "success_rate", 101),
    ("prunings", "class", "secrets"),
]
"""A table, a column, and a value that the column must not take."""


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with one row or more in every table."""
    batch = Batch(
        attempts=[a_full_attempt(), an_attempt("other"), an_attempt(duration_ms=-1.0)],
        ended=an_end(),
    )
    rules = Rules(channels=("team",))
    ingest(store, a_session(notifies=True), batch, rules)
    store.add_silence(
        PROJECT, {"tag": ["a"]}, starts_at=at(0), ends_at=at(60), author="ada", reason="known"
    )
    store.sum_up(PROJECT)
    for statement in SCHEDULES + ANALYSES:
        store.connection.execute(statement)
    return store


@pytest.fixture
def connection(filled: Store) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Return the store's connection."""
    return filled.connection  # type: ignore[return-value]


def test_every_table_is_covered_here(filled: Store) -> None:
    """A new table needs its tests, and its line in ``db info``."""
    rows = filled.connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'workflow_monitor'"
    ).fetchall()
    ours = {row["tablename"] for row in rows if not row["tablename"].startswith("_yoyo")}
    assert ours == set(KEYS) == set(filled.row_counts())
    assert all(filled.row_counts().values())


@pytest.mark.parametrize("table", KEYS)
def test_a_key_is_unique(connection: Any, table: str) -> None:
    """No row can be there twice, whoever writes it."""
    name = sql.Identifier("workflow_monitor", table)
    again = sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM {}").format(name, name)
    with pytest.raises(errors.UniqueViolation, match="pkey"):
        connection.execute(again)


@pytest.mark.parametrize(("table", "column", "value"), BROKEN)
def test_a_wrong_value_is_refused(connection: Any, table: str, column: str, value: object) -> None:
    """What makes no sense cannot be stored, by us or by hand."""
    statement = sql.SQL("UPDATE {} SET {} = %s").format(
        sql.Identifier("workflow_monitor", table), sql.Identifier(column)
    )
    with pytest.raises(errors.CheckViolation):
        connection.execute(statement, [value])


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("workflow_versions", "project"),
        ("workflow_executions", "session_id"),
        ("workflow_executions", "workflow_id"),
        ("workflow_executions", "definition_hash"),
        ("workflow_attempts", "run_id"),
        ("workflow_steps", "run_id"),
        ("workflow_steps", "attempt"),
        ("workflow_metrics", "run_id"),
        ("workflow_artifacts", "run_id"),
        ("job_metrics", "workflow_id"),
        ("alerts", "incident_id"),
        ("alert_events", "alert_id"),
        ("notification_logs", "incident_id"),
        ("notification_logs", "report_id"),
        ("workflow_hours", "workflow_id"),
        ("workflow_days", "workflow_id"),
        ("series_hours", "workflow_id"),
        ("series_days", "workflow_id"),
        ("performance_baselines", "workflow_id"),
        ("unjudged_sessions", "session_id"),
        ("execution_anomalies", "run_id"),
    ],
)
def test_nothing_belongs_to_what_is_not_there(connection: Any, table: str, column: str) -> None:
    """A child without its parent is refused."""
    value = run_id() if column in {"run_id", "session_id", "definition_hash"} else "777"
    target = sql.Identifier("workflow_monitor", table)
    statement = sql.SQL(
        "UPDATE {0} SET {1} = %s WHERE ctid = (SELECT ctid FROM {0} LIMIT 1)"
    ).format(target, sql.Identifier(column))
    with pytest.raises(errors.ForeignKeyViolation):
        connection.execute(statement, [value])


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("test_sessions", "git_branch", "release"),
        ("workflows", "owner", "team-shop"),
        ("workflow_executions", "error_message", "corrected"),
        ("workflow_attempts", "skip_reason", "because"),
        ("workflow_steps", "step_name", "Renamed"),
        ("workflow_metrics", "metric_unit", "s"),
        ("workflow_artifacts", "path", "elsewhere"),
        ("job_metrics", "last_status", "passed"),
        ("incidents", "environment", "staging"),
        ("alerts", "owner", "team-shop"),
        ("alert_events", "reason", "it was the cable"),
        ("silences", "author", "grace"),
        ("notification_logs", "reason", "by hand"),
        ("workflow_schedules", "disabled_reason", "moving house"),
        ("workflow_slots", "reason", "the machine was off"),
        ("schedulers", "host", "runner-8"),
        ("system_health_checks", "detail", "3 GB left"),
        ("dead_letter_queue", "reason", "another"),
        ("outdated_hours", "workflow_id", "elsewhere"),
        ("workflow_hours", "longest_ms", "2000"),
        ("workflow_days", "longest_ms", "2000"),
        ("series_hours", "highest", "2000"),
        ("series_days", "highest", "2000"),
        ("performance_baselines", "baseline_p95_ms", "2000"),
        ("unjudged_sessions", "project", "elsewhere"),
        ("execution_anomalies", "value", "2000"),
        ("deployments", "name", "2.4.1"),
        ("monitoring_reports", "critical_issues", "3"),
        ("prunings", "project", "elsewhere"),
    ],
)
def test_a_row_can_be_corrected(connection: Any, table: str, column: str, value: str) -> None:
    """A person with psql can repair what is wrong."""
    target, field = sql.Identifier("workflow_monitor", table), sql.Identifier(column)
    update = sql.SQL("UPDATE {} SET {} = %s").format(target, field)
    assert connection.execute(update, [value]).rowcount >= 1
    rows = connection.execute(sql.SQL("SELECT {} AS it FROM {}").format(field, target)).fetchall()
    assert {str(row["it"]) for row in rows} <= {value, f"{value}.0"}


@pytest.mark.parametrize("table", KEYS)
def test_a_row_can_be_deleted(filled: Store, table: str) -> None:
    """Deleting takes along what belongs to the row, and nothing else stands in the way."""
    target = sql.Identifier("workflow_monitor", table)
    filled.connection.execute(sql.SQL("DELETE FROM {}").format(target))
    assert filled.row_counts()[table] == 0


def test_a_deleted_workflow_takes_its_executions_along(filled: Store) -> None:
    """Versions, executions, attempts and counters go; sessions, alerts and schedules stay."""
    filled.connection.execute("DELETE FROM workflow_monitor.workflows")
    left = {table for table, count in filled.row_counts().items() if count}
    trail = {"incidents", "alerts", "alert_events", "silences", "notification_logs"}
    schedules = {"workflow_schedules", "workflow_slots", "schedulers", "system_health_checks"}
    schedules |= {"queue_migrations"}
    analyses = {"outdated_hours", "unjudged_sessions", "deployments", "monitoring_reports"}
    analyses |= {"prunings"}
    assert left == {"test_sessions", "dead_letter_queue"} | trail | schedules | analyses


def test_rows_can_be_added_up(filled: Store) -> None:
    """Reports in SQL are possible without knowing our JSON."""
    (row,) = filled.connection.execute(
        """
        SELECT count(*) AS executions,
               avg(duration_ms) AS mean,
               count(*) FILTER (WHERE status = 'failed') AS failures,
               count(DISTINCT fingerprint) AS problems,
               sum(steps_total)::int AS steps,
               jsonb_agg(DISTINCT labels ->> 'season') AS seasons
        FROM workflow_monitor.workflow_executions
        """
    ).fetchall()
    assert row == {
        "executions": 2,
        "mean": 1500.0,
        "failures": 1,
        "problems": 1,
        "steps": 5,
        "seasons": ["winter"],
    }


@pytest.mark.parametrize(
    ("index", "question"),
    [
        (
            "workflow_executions_history",
            (
                "workflow_executions WHERE project = 'p' AND workflow_id = 'w' "
                "AND environment = 'e' ORDER BY started_at DESC LIMIT 20"
            ),
        ),
        ("workflow_executions_started_at", "workflow_executions ORDER BY started_at DESC LIMIT 9"),
        ("workflow_executions_fingerprint", "workflow_executions WHERE fingerprint = 'f'"),
        ("workflow_executions_running", "workflow_executions WHERE status = 'running'"),
        ("workflow_executions_session", f"workflow_executions WHERE session_id = '{UUID(int=1)}'"),
        ("test_sessions_started_at", "test_sessions ORDER BY started_at DESC LIMIT 9"),
        (
            "workflow_schedules_due",
            (
                "workflow_schedules WHERE project = 'p' AND environment = 'e' "
                "AND next_run_at <= now() AND removed_at IS NULL"
            ),
        ),
        ("workflow_slots_job", "workflow_slots WHERE job_id = 1"),
        (
            "alerts_open",
            "alerts WHERE project = 'p' AND environment = 'e' AND status <> 'resolved'",
        ),
        ("alert_events_alert", "alert_events WHERE alert_id = 1 ORDER BY event_id"),
        ("notification_logs_incident", "notification_logs WHERE incident_id = 1"),
        ("workflow_artifacts_sha256", "workflow_artifacts WHERE sha256 = 'ab'"),
        (
            "workflow_hours_time",
            (
                "workflow_hours WHERE project = 'p' AND environment = 'e' "
                "AND starts_at >= now() - interval '1 day' ORDER BY starts_at"
            ),
        ),
    ],
)
def test_ten_million_rows_would_not_be_searched(connection: Any, index: str, question: str) -> None:
    """What is asked often has an index that fits the question."""
    connection.execute("SET enable_seqscan = off")
    connection.execute("SET enable_sort = off")
    query = f"EXPLAIN SELECT * FROM workflow_monitor.{question}"  # noqa: S608 - see above
    plan = connection.execute(query.encode()).fetchall()
    assert index in "".join(row["QUERY PLAN"] for row in plan)


def test_the_sql_files_hold_nothing_unused() -> None:
    """Every named statement is used by its name somewhere in the package."""
    from pytest_workflow_monitor.store.queries import SQL

    package = migrate.FOLDER.parents[1]
    sources = "".join(path.read_text() for path in package.rglob("*.py"))
    assert [name for name in SQL if f'"{name}"' not in sources] == []
