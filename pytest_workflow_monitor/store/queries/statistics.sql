-- name: table_sizes
-- Tell the size of each table with its indexes, and about how many rows it has
SELECT c.relname AS name, greatest(c.reltuples, 0)::bigint AS estimated_rows,
       c.reltuples >= 0 AS is_known, pg_table_size(c.oid) AS table_bytes,
       pg_indexes_size(c.oid) AS index_bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'workflow_monitor' AND c.relkind = 'r'
ORDER BY c.relname

-- name: spans
-- Tell the oldest and newest of each table that has times, and how many rows the last week added
WITH place AS MATERIALIZED (
    SELECT DISTINCT project, environment FROM workflow_monitor.job_metrics
)
SELECT 'test_sessions' AS name, min(started_at) AS oldest_at, max(started_at) AS newest_at,
       (SELECT count(*) FROM workflow_monitor.test_sessions WHERE started_at >= %(since)s) AS added
FROM workflow_monitor.test_sessions
UNION ALL
SELECT 'workflow_executions', min(started_at), max(started_at),
       (SELECT count(*) FROM workflow_monitor.workflow_executions WHERE started_at >= %(since)s)
FROM workflow_monitor.workflow_executions
UNION ALL
SELECT 'workflow_slots', min(ended_at), max(ended_at),
       (SELECT count(*) FROM workflow_monitor.workflow_slots WHERE ended_at >= %(since)s)
FROM workflow_monitor.workflow_slots
UNION ALL
SELECT 'system_health_checks', min(checked_at), max(checked_at),
       (SELECT count(*) FROM workflow_monitor.system_health_checks WHERE checked_at >= %(since)s)
FROM workflow_monitor.system_health_checks
UNION ALL
SELECT 'notification_logs', min(created_at), max(created_at),
       count(*) FILTER (WHERE created_at >= %(since)s)
FROM workflow_monitor.notification_logs
UNION ALL
SELECT 'alerts', min(opened_at), max(opened_at), count(*) FILTER (WHERE opened_at >= %(since)s)
FROM workflow_monitor.alerts
UNION ALL
SELECT 'alert_events', min(at), max(at), count(*) FILTER (WHERE at >= %(since)s)
FROM workflow_monitor.alert_events
UNION ALL
SELECT 'incidents', min(opened_at), max(opened_at),
       count(*) FILTER (WHERE opened_at >= %(since)s)
FROM workflow_monitor.incidents
UNION ALL
SELECT 'dead_letter_queue', min(created_at), max(created_at),
       count(*) FILTER (WHERE created_at >= %(since)s)
FROM workflow_monitor.dead_letter_queue
UNION ALL
SELECT 'monitoring_reports', min(period_end), max(period_end),
       count(*) FILTER (WHERE generated_at >= %(since)s)
FROM workflow_monitor.monitoring_reports
UNION ALL
SELECT 'deployments', min(deployed_at), max(deployed_at),
       count(*) FILTER (WHERE deployed_at >= %(since)s)
FROM workflow_monitor.deployments
UNION ALL
SELECT 'execution_anomalies', min(observed_at), max(observed_at),
       count(*) FILTER (WHERE observed_at >= %(since)s)
FROM workflow_monitor.execution_anomalies
UNION ALL
SELECT 'workflow_hours', min(ends.oldest_at), max(ends.newest_at), NULL
FROM place
CROSS JOIN LATERAL (
    SELECT min(starts_at) AS oldest_at, max(starts_at) AS newest_at
    FROM workflow_monitor.workflow_hours AS hour
    WHERE hour.project = place.project AND hour.environment = place.environment
) AS ends
UNION ALL
SELECT 'workflow_days', min(ends.oldest_at), max(ends.newest_at), NULL
FROM place
CROSS JOIN LATERAL (
    SELECT min(starts_at) AS oldest_at, max(starts_at) AS newest_at
    FROM workflow_monitor.workflow_days AS day
    WHERE day.project = place.project AND day.environment = place.environment
) AS ends
UNION ALL
SELECT 'series_hours', min(ends.oldest_at), max(ends.newest_at), NULL
FROM place
CROSS JOIN LATERAL (
    SELECT min(starts_at) AS oldest_at, max(starts_at) AS newest_at
    FROM workflow_monitor.series_hours AS hour
    WHERE hour.project = place.project AND hour.environment = place.environment
) AS ends
UNION ALL
SELECT 'series_days', min(ends.oldest_at), max(ends.newest_at), NULL
FROM place
CROSS JOIN LATERAL (
    SELECT min(starts_at) AS oldest_at, max(starts_at) AS newest_at
    FROM workflow_monitor.series_days AS day
    WHERE day.project = place.project AND day.environment = place.environment
) AS ends

-- name: rows_of_latest_runs
-- Count what the latest executions hold, for how much a day adds
WITH run AS MATERIALIZED (
    SELECT run_id
    FROM workflow_monitor.workflow_executions
    ORDER BY started_at DESC
    LIMIT %(limit)s
)
SELECT (SELECT count(*) FROM run) AS runs,
       (SELECT count(*) FROM workflow_monitor.workflow_attempts
        WHERE run_id = ANY (ARRAY(SELECT run_id FROM run))) AS workflow_attempts,
       (SELECT count(*) FROM workflow_monitor.workflow_steps
        WHERE run_id = ANY (ARRAY(SELECT run_id FROM run))) AS workflow_steps,
       (SELECT count(*) FROM workflow_monitor.workflow_metrics
        WHERE run_id = ANY (ARRAY(SELECT run_id FROM run))) AS workflow_metrics,
       (SELECT count(*) FROM workflow_monitor.workflow_artifacts
        WHERE run_id = ANY (ARRAY(SELECT run_id FROM run))) AS workflow_artifacts

-- name: details_reached
-- Tell the earliest moment up to which all steps and metrics of some project are gone
SELECT min(reached) AS reached FROM workflow_monitor.prunings WHERE class = 'details'
