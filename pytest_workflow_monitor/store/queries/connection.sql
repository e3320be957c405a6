-- name: prepare_connection
-- Make a new connection ours: UTC, our schema only, and no waiting without end
SELECT set_config('search_path', 'workflow_monitor', false),
       set_config('TimeZone', 'UTC', false),
       set_config('lock_timeout', '30s', false),
       set_config('idle_in_transaction_session_timeout', '60s', false),
       set_config('statement_timeout', '0', false)

-- name: count_guests
-- Count the other clients that are connected to this server
SELECT count(*)
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()

-- name: describe_database
-- Tell the server's version, the database's size and the name of both ends
SELECT current_setting('server_version') AS server_version,
       current_database() AS database,
       current_user AS role,
       pg_database_size(current_database()) AS database_bytes,
       (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'workflow_monitor' AND c.relkind = 'r') AS schema_bytes

-- name: count_rows
-- Count the rows of every table, or of some
SELECT table_name, row_count
FROM (
    SELECT 'test_sessions' AS table_name, (SELECT count(*) FROM workflow_monitor.test_sessions) AS row_count
    UNION ALL SELECT 'workflows', (SELECT count(*) FROM workflow_monitor.workflows)
    UNION ALL SELECT 'workflow_versions', (SELECT count(*) FROM workflow_monitor.workflow_versions)
    UNION ALL SELECT 'workflow_executions', (SELECT count(*) FROM workflow_monitor.workflow_executions)
    UNION ALL SELECT 'workflow_attempts', (SELECT count(*) FROM workflow_monitor.workflow_attempts)
    UNION ALL SELECT 'workflow_steps', (SELECT count(*) FROM workflow_monitor.workflow_steps)
    UNION ALL SELECT 'workflow_metrics', (SELECT count(*) FROM workflow_monitor.workflow_metrics)
    UNION ALL SELECT 'workflow_artifacts', (SELECT count(*) FROM workflow_monitor.workflow_artifacts)
    UNION ALL SELECT 'job_metrics', (SELECT count(*) FROM workflow_monitor.job_metrics)
    UNION ALL SELECT 'incidents', (SELECT count(*) FROM workflow_monitor.incidents)
    UNION ALL SELECT 'alerts', (SELECT count(*) FROM workflow_monitor.alerts)
    UNION ALL SELECT 'alert_events', (SELECT count(*) FROM workflow_monitor.alert_events)
    UNION ALL SELECT 'silences', (SELECT count(*) FROM workflow_monitor.silences)
    UNION ALL SELECT 'notification_logs', (SELECT count(*) FROM workflow_monitor.notification_logs)
    UNION ALL SELECT 'workflow_schedules', (SELECT count(*) FROM workflow_monitor.workflow_schedules)
    UNION ALL SELECT 'workflow_slots', (SELECT count(*) FROM workflow_monitor.workflow_slots)
    UNION ALL SELECT 'schedulers', (SELECT count(*) FROM workflow_monitor.schedulers)
    UNION ALL SELECT 'queue_migrations', (SELECT count(*) FROM workflow_monitor.queue_migrations)
    UNION ALL SELECT 'system_health_checks', (SELECT count(*) FROM workflow_monitor.system_health_checks)
    UNION ALL SELECT 'dead_letter_queue', (SELECT count(*) FROM workflow_monitor.dead_letter_queue)
    UNION ALL SELECT 'workflow_hours', (SELECT count(*) FROM workflow_monitor.workflow_hours)
    UNION ALL SELECT 'workflow_days', (SELECT count(*) FROM workflow_monitor.workflow_days)
    UNION ALL SELECT 'series_hours', (SELECT count(*) FROM workflow_monitor.series_hours)
    UNION ALL SELECT 'series_days', (SELECT count(*) FROM workflow_monitor.series_days)
    UNION ALL SELECT 'outdated_hours', (SELECT count(*) FROM workflow_monitor.outdated_hours)
    UNION ALL SELECT 'performance_baselines', (SELECT count(*) FROM workflow_monitor.performance_baselines)
    UNION ALL SELECT 'unjudged_sessions', (SELECT count(*) FROM workflow_monitor.unjudged_sessions)
    UNION ALL SELECT 'execution_anomalies', (SELECT count(*) FROM workflow_monitor.execution_anomalies)
    UNION ALL SELECT 'deployments', (SELECT count(*) FROM workflow_monitor.deployments)
    UNION ALL SELECT 'monitoring_reports', (SELECT count(*) FROM workflow_monitor.monitoring_reports)
    UNION ALL SELECT 'prunings', (SELECT count(*) FROM workflow_monitor.prunings)
) AS counted
WHERE %(tables)s::text[] IS NULL OR table_name = ANY (%(tables)s::text[])
