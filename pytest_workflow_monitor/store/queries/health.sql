-- name: server_state
-- Tell the server's time, and how many ordinary connections are left of how many
SELECT most.connections AS max_connections,
       greatest(most.connections - used.connections, 0) AS free_connections,
       clock_timestamp() AS now
FROM (
    SELECT current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int AS connections
) AS most, (
    SELECT coalesce(sum(numbackends), 0)::int AS connections FROM pg_stat_database
) AS used

-- name: count_connections
-- Count the other connections to this database
SELECT count(*) AS connections
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
  AND pid <> pg_backend_pid()

-- name: schedule_lag
-- Tell how late a scheduler is: since when the oldest is due, and which are beyond their grace;
-- where none was ever seen, nobody was to begin them by our word, such as where crontab runs pytest
SELECT count(*) AS schedules,
       min(next_run_at) FILTER (WHERE next_run_at < %(now)s AND is_ours) AS oldest_due_at,
       coalesce(
           array_agg(workflow_id ORDER BY next_run_at, workflow_id)
           FILTER (
               WHERE next_run_at + make_interval(secs => grace_seconds) < %(now)s AND is_ours
           ),
           '{}'
       ) AS late
FROM workflow_monitor.workflow_schedules AS schedule
CROSS JOIN LATERAL (
    SELECT schedule.run_count + schedule.missed_count > 0 OR schedule.environment IN (
        SELECT process.environment
        FROM workflow_monitor.schedulers AS process
        WHERE process.project = %(project)s AND process.kind = 'scheduler'
    ) AS is_ours
) AS dispatched
WHERE project = %(project)s AND removed_at IS NULL AND enabled
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
  AND (disabled_until IS NULL OR disabled_until <= %(now)s)

-- name: waiting_slots
-- Count the slots that wait for a worker or run
SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
       count(*) FILTER (WHERE status = 'running') AS running,
       min(claimed_at) FILTER (WHERE status = 'queued') AS oldest_queued_at
FROM workflow_monitor.workflow_slots
WHERE project = %(project)s AND status IN ('queued', 'running')
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)

-- name: used_a_browser
-- Return a row if a workflow has had a browser since a moment, or has asked for one
SELECT 1
WHERE EXISTS (
    SELECT
    FROM workflow_monitor.workflow_metrics AS metric
    JOIN workflow_monitor.workflow_executions AS execution USING (run_id)
    WHERE metric.metric_name = 'browser_peak_memory_mb' AND metric.recorded_at >= %(since)s
      AND execution.project = %(project)s AND execution.environment = %(environment)s
) OR EXISTS (
    SELECT
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s AND environment = %(environment)s AND started_at >= %(since)s
      AND dimensions ? 'browser'
)

-- name: add_health_checks
-- Record what checks found
INSERT INTO workflow_monitor.system_health_checks (
    project, environment, location, host, check_name, status, expected_status, actual_status,
    response_time_ms, detail, checked_at
)
SELECT project, environment, location, host, check_name, status, expected_status, actual_status,
       response_time_ms, detail, checked_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS found (
    project text, environment text, location text, host text, check_name text, status text,
    expected_status text, actual_status text, response_time_ms double precision, detail text,
    checked_at timestamptz
)

-- name: forget_health_checks
-- Forget what checks found before a moment
DELETE FROM workflow_monitor.system_health_checks
WHERE project = %(project)s AND environment = %(environment)s AND checked_at < %(before)s

-- name: latest_health_checks
-- Return what each check found last in each environment on each machine since a moment
SELECT DISTINCT ON (environment, host, check_name)
       project, environment, location, host, check_name, status, expected_status, actual_status,
       response_time_ms, detail, checked_at
FROM workflow_monitor.system_health_checks
WHERE project = %(project)s AND checked_at >= %(since)s
ORDER BY environment, host, check_name, checked_at DESC, check_id DESC

-- name: overridden_schedules
-- List the schedules that an operator has stopped for a while
SELECT workflow_id, environment, disabled_until, disabled_by, disabled_reason
FROM workflow_monitor.workflow_schedules
WHERE project = %(project)s AND removed_at IS NULL AND disabled_until > %(now)s
ORDER BY disabled_until, environment, workflow_id

-- name: unrun_slots
-- List the workflows with slots that did not run since a moment, with the reason of the last one
SELECT workflow_id, environment,
       (array_agg(status ORDER BY slot_at DESC))[1] AS status,
       sum(covers) AS slots,
       max(slot_at) AS last_slot_at,
       (array_agg(reason ORDER BY slot_at DESC))[1] AS reason
FROM workflow_monitor.workflow_slots
WHERE project = %(project)s AND slot_at >= %(since)s AND status IN ('missed', 'lost', 'not_run')
GROUP BY workflow_id, environment
ORDER BY last_slot_at DESC, workflow_id, environment

-- name: scheduler_processes
-- List schedulers and workers that gave a sign since a moment and did not stop
SELECT scheduler_id, environment, kind, host, queues, concurrency, started_at, heartbeat_at,
       catalogue_problem
FROM workflow_monitor.schedulers
WHERE project = %(project)s AND heartbeat_at >= %(since)s AND stopped_at IS NULL
ORDER BY kind, host, scheduler_id
