-- name: try_lock_pruning
-- Become the one who prunes a project, unless somebody else does
SELECT pg_try_advisory_lock(
    hashtextextended('pytest-workflow-monitor prune ' || %(project)s, 0)
) AS is_ours

-- name: unlock_pruning
-- Let others prune a project
SELECT pg_advisory_unlock(hashtextextended('pytest-workflow-monitor prune ' || %(project)s, 0))

-- name: limit_waiting
-- Let this transaction wait for locks of others only briefly
SELECT set_config('lock_timeout', '2s', true)

-- name: prunings
-- Tell what has been pruned of a project
SELECT class, before, reached, finished_at
FROM workflow_monitor.prunings
WHERE project = %(project)s

-- name: promise_pruning
-- Note what is going to be pruned; what was noted before holds
INSERT INTO workflow_monitor.prunings AS known (project, class, before)
VALUES (%(project)s, %(class)s, %(before)s)
ON CONFLICT (project, class) DO UPDATE SET before = greatest(known.before, excluded.before)

-- name: note_pruned
-- Note how far a class has been pruned
UPDATE workflow_monitor.prunings
SET reached = greatest(reached, %(reached)s)
WHERE project = %(project)s AND class = %(class)s

-- name: note_pruning_finished
-- Note that a project has been pruned
UPDATE workflow_monitor.prunings SET finished_at = %(at)s WHERE project = %(project)s

-- name: next_batch
-- Tell when the last of the next executions began
SELECT max(started_at) AS last_at
FROM (
    SELECT started_at
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s
      AND started_at >= coalesce(%(since)s::timestamptz, '-infinity')
      AND started_at < %(before)s
    ORDER BY started_at
    LIMIT %(limit)s
) AS batch

-- name: runs_between
-- List the executions of a batch
SELECT array_agg(run_id) AS run_ids
FROM workflow_monitor.workflow_executions
WHERE project = %(project)s
  AND started_at >= coalesce(%(since)s::timestamptz, '-infinity')
  AND started_at <= %(last_at)s

-- name: prunable_runs
-- Lock the next executions that may go, the oldest first; those with files that are kept may not
SELECT array_agg(run_id) AS run_ids
FROM (
    SELECT run_id
    FROM workflow_monitor.workflow_executions AS execution
    WHERE project = %(project)s
      AND started_at < %(before)s
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.workflow_artifacts AS artifact
          WHERE artifact.run_id = execution.run_id
            AND artifact.path <> '' AND artifact.expired_at IS NULL
      )
    ORDER BY started_at
    LIMIT %(limit)s
    FOR UPDATE OF execution SKIP LOCKED
) AS batch

-- name: prune_attempt_texts
-- Empty what attempts captured: output, events of pages, and the pages
UPDATE workflow_monitor.workflow_attempts
SET outputs = '[]', events = '[]', pages = '[]'
WHERE run_id = ANY (%(run_ids)s::uuid[])
  AND (outputs <> '[]' OR events <> '[]' OR pages <> '[]')

-- name: prune_steps
-- Delete the steps of executions
DELETE FROM workflow_monitor.workflow_steps WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: prune_metrics
-- Delete the metrics of executions
DELETE FROM workflow_monitor.workflow_metrics WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: prune_anomalies
-- Delete what was not normal in executions
DELETE FROM workflow_monitor.execution_anomalies WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: prune_artifacts
-- Delete what is left of the artifacts of executions: that there were some
DELETE FROM workflow_monitor.workflow_artifacts WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: prune_attempts
-- Delete the attempts of executions
DELETE FROM workflow_monitor.workflow_attempts WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: prune_executions
-- Delete executions
DELETE FROM workflow_monitor.workflow_executions WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: first_series_hour
-- Tell the first hour of which steps and metrics are summed up
SELECT min(first.starts_at) AS starts_at
FROM (
    SELECT DISTINCT environment FROM workflow_monitor.job_metrics WHERE project = %(project)s
) AS known
CROSS JOIN LATERAL (
    SELECT starts_at
    FROM workflow_monitor.series_hours AS hour
    WHERE hour.project = %(project)s AND hour.environment = known.environment
    ORDER BY starts_at
    LIMIT 1
) AS first

-- name: prune_series_hours
-- Delete the hourly sums of steps and metrics between two times; their days stay
DELETE FROM workflow_monitor.series_hours AS hour
USING (
    SELECT DISTINCT environment FROM workflow_monitor.job_metrics WHERE project = %(project)s
) AS known
WHERE hour.project = %(project)s
  AND hour.environment = known.environment
  AND hour.starts_at >= %(since)s
  AND hour.starts_at < %(until)s

-- name: prune_sessions
-- Delete the oldest sessions that have no executions any more
DELETE FROM workflow_monitor.test_sessions
WHERE session_id = ANY (ARRAY(
    SELECT session_id
    FROM workflow_monitor.test_sessions AS session
    WHERE project = %(project)s
      AND started_at < %(before)s
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.workflow_executions AS execution
          WHERE execution.session_id = session.session_id
      )
    ORDER BY started_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))

-- name: prune_alert_events
-- Delete what happened to alerts that were resolved long ago
DELETE FROM workflow_monitor.alert_events
WHERE event_id = ANY (ARRAY(
    SELECT event_id
    FROM workflow_monitor.alert_events
    JOIN workflow_monitor.alerts AS alert USING (alert_id)
    WHERE alert.project = %(project)s AND alert.resolved_at < %(before)s
    LIMIT %(limit)s
))

-- name: prune_alerts
-- Delete alerts that were resolved long ago
DELETE FROM workflow_monitor.alerts
WHERE alert_id = ANY (ARRAY(
    SELECT alert_id
    FROM workflow_monitor.alerts
    WHERE project = %(project)s AND resolved_at < %(before)s
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))

-- name: prune_incidents
-- Delete old incidents whose alerts are gone, with their messages
DELETE FROM workflow_monitor.incidents
WHERE incident_id = ANY (ARRAY(
    SELECT incident_id
    FROM workflow_monitor.incidents AS incident
    WHERE project = %(project)s
      AND opened_at < %(before)s
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.alerts AS alert
          WHERE alert.incident_id = incident.incident_id
      )
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))

-- name: prune_silences
-- Delete silences that ended long ago
DELETE FROM workflow_monitor.silences
WHERE silence_id = ANY (ARRAY(
    SELECT silence_id
    FROM workflow_monitor.silences
    WHERE project = %(project)s AND ends_at < %(before)s
    LIMIT %(limit)s
))

-- name: prune_deployments
-- Delete notes of old deployments
DELETE FROM workflow_monitor.deployments
WHERE deployment_id = ANY (ARRAY(
    SELECT deployment_id
    FROM workflow_monitor.deployments
    WHERE project = %(project)s AND deployed_at < %(before)s
    LIMIT %(limit)s
))

-- name: prune_baselines
-- Delete what was normal for series that have had no value for long
DELETE FROM workflow_monitor.performance_baselines
WHERE ctid = ANY (ARRAY(
    SELECT ctid
    FROM workflow_monitor.performance_baselines
    WHERE project = %(project)s AND last_run_at < %(before)s
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))

-- name: prune_reports
-- Delete old reports over periods, with the notes of their messages
DELETE FROM workflow_monitor.monitoring_reports
WHERE report_id = ANY (ARRAY(
    SELECT report_id
    FROM workflow_monitor.monitoring_reports
    WHERE project = %(project)s AND period_end < %(before)s
    LIMIT %(limit)s
))

-- name: prune_notifications
-- Delete old messages that are done with, but for those of open incidents and of reports
DELETE FROM workflow_monitor.notification_logs
WHERE notification_id = ANY (ARRAY(
    SELECT notification_id
    FROM workflow_monitor.notification_logs AS message
    WHERE project = %(project)s
      AND created_at < %(before)s
      AND delivery_status IN ('SUCCEEDED', 'FAILED', 'SUPPRESSED')
      AND report_id IS NULL
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.incidents AS incident
          WHERE incident.incident_id = message.incident_id AND incident.closed_at IS NULL
      )
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.dead_letter_queue AS letter
          WHERE letter.notification_id = message.notification_id
            AND letter.status IN ('PENDING', 'PROCESSING')
      )
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))

-- name: prune_letters
-- Delete dead letters that were settled long ago
DELETE FROM workflow_monitor.dead_letter_queue
WHERE letter_id = ANY (ARRAY(
    SELECT letter_id
    FROM workflow_monitor.dead_letter_queue AS letter
    LEFT JOIN workflow_monitor.test_sessions AS session USING (session_id)
    LEFT JOIN workflow_monitor.notification_logs AS message USING (notification_id)
    WHERE coalesce(session.project, message.project) = %(project)s
      AND letter.status IN ('SUCCEEDED', 'FAILED')
      AND letter.last_attempt_at < %(before)s
    LIMIT %(limit)s
))

-- name: prune_health_checks
-- Delete old findings of checks of the monitoring itself
DELETE FROM workflow_monitor.system_health_checks
WHERE check_id = ANY (ARRAY(
    SELECT check_id
    FROM workflow_monitor.system_health_checks
    WHERE project = %(project)s AND checked_at < %(before)s
    LIMIT %(limit)s
))

-- name: prune_old_slots
-- Delete slots that ended long ago
DELETE FROM workflow_monitor.workflow_slots
WHERE slot_id = ANY (ARRAY(
    SELECT slot_id
    FROM workflow_monitor.workflow_slots
    WHERE project = %(project)s AND ended_at < %(before)s
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))

-- name: count_prunable
-- Count what would be pruned, table by table
WITH execution AS MATERIALIZED (
    SELECT run_id, session_id
    FROM workflow_monitor.workflow_executions AS execution
    WHERE project = %(project)s
      AND started_at < %(executions)s
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.workflow_artifacts AS artifact
          WHERE artifact.run_id = execution.run_id
            AND artifact.path <> '' AND artifact.expired_at IS NULL
      )
),
detailed AS MATERIALIZED (
    SELECT run_id
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s
      AND started_at >= coalesce(%(details_since)s::timestamptz, '-infinity')
      AND started_at < %(details)s
    UNION
    SELECT run_id FROM execution
),
logged AS MATERIALIZED (
    SELECT run_id
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s
      AND started_at >= coalesce(%(logs_since)s::timestamptz, '-infinity')
      AND started_at < %(logs)s
),
alert AS MATERIALIZED (
    SELECT alert_id, incident_id
    FROM workflow_monitor.alerts
    WHERE project = %(project)s AND resolved_at < %(executions)s
)
SELECT 'workflow_executions' AS name, (SELECT count(*) FROM execution) AS rows
UNION ALL SELECT 'workflow_attempts', (
    SELECT count(*) FROM workflow_monitor.workflow_attempts JOIN execution USING (run_id))
UNION ALL SELECT 'workflow_artifacts', (
    SELECT count(*) FROM workflow_monitor.workflow_artifacts JOIN execution USING (run_id))
UNION ALL SELECT 'workflow_steps', (
    SELECT count(*) FROM workflow_monitor.workflow_steps JOIN detailed USING (run_id))
UNION ALL SELECT 'workflow_metrics', (
    SELECT count(*) FROM workflow_monitor.workflow_metrics JOIN detailed USING (run_id))
UNION ALL SELECT 'execution_anomalies', (
    SELECT count(*) FROM workflow_monitor.execution_anomalies JOIN detailed USING (run_id))
UNION ALL SELECT 'series_hours', (
    SELECT count(*) FROM workflow_monitor.series_hours
    WHERE project = %(project)s AND starts_at < %(details)s)
UNION ALL SELECT 'texts of workflow_attempts', (
    SELECT count(*) FROM workflow_monitor.workflow_attempts JOIN logged USING (run_id)
    WHERE outputs <> '[]' OR events <> '[]' OR pages <> '[]')
UNION ALL SELECT 'test_sessions', (
    SELECT count(*) FROM workflow_monitor.test_sessions AS session
    WHERE project = %(project)s AND started_at < %(executions)s
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.workflow_executions AS kept
          WHERE kept.session_id = session.session_id
            AND kept.run_id NOT IN (SELECT run_id FROM execution)))
UNION ALL SELECT 'alerts', (SELECT count(*) FROM alert)
UNION ALL SELECT 'alert_events', (
    SELECT count(*) FROM workflow_monitor.alert_events JOIN alert USING (alert_id))
UNION ALL SELECT 'incidents', (
    SELECT count(*) FROM workflow_monitor.incidents AS incident
    WHERE project = %(project)s AND opened_at < %(executions)s
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.alerts AS kept
          WHERE kept.incident_id = incident.incident_id
            AND kept.alert_id NOT IN (SELECT alert_id FROM alert)))
UNION ALL SELECT 'silences', (
    SELECT count(*) FROM workflow_monitor.silences
    WHERE project = %(project)s AND ends_at < %(executions)s)
UNION ALL SELECT 'deployments', (
    SELECT count(*) FROM workflow_monitor.deployments
    WHERE project = %(project)s AND deployed_at < %(executions)s)
UNION ALL SELECT 'performance_baselines', (
    SELECT count(*) FROM workflow_monitor.performance_baselines
    WHERE project = %(project)s AND last_run_at < %(executions)s)
UNION ALL SELECT 'monitoring_reports', (
    SELECT count(*) FROM workflow_monitor.monitoring_reports
    WHERE project = %(project)s AND period_end < %(executions)s)
UNION ALL SELECT 'notification_logs', (
    SELECT count(*) FROM workflow_monitor.notification_logs AS message
    WHERE project = %(project)s AND created_at < %(logs)s
      AND delivery_status IN ('SUCCEEDED', 'FAILED', 'SUPPRESSED') AND report_id IS NULL
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.incidents AS incident
          WHERE incident.incident_id = message.incident_id AND incident.closed_at IS NULL)
      AND NOT EXISTS (
          SELECT FROM workflow_monitor.dead_letter_queue AS letter
          WHERE letter.notification_id = message.notification_id
            AND letter.status IN ('PENDING', 'PROCESSING')))
UNION ALL SELECT 'dead_letter_queue', (
    SELECT count(*)
    FROM workflow_monitor.dead_letter_queue AS letter
    LEFT JOIN workflow_monitor.test_sessions AS session USING (session_id)
    LEFT JOIN workflow_monitor.notification_logs AS message USING (notification_id)
    WHERE coalesce(session.project, message.project) = %(project)s
      AND letter.status IN ('SUCCEEDED', 'FAILED') AND letter.last_attempt_at < %(logs)s)
UNION ALL SELECT 'system_health_checks', (
    SELECT count(*) FROM workflow_monitor.system_health_checks
    WHERE project = %(project)s AND checked_at < %(logs)s)
UNION ALL SELECT 'workflow_slots', (
    SELECT count(*) FROM workflow_monitor.workflow_slots
    WHERE project = %(project)s AND ended_at < %(slots)s)
