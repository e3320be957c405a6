-- name: period_workflows
-- Add up the executions of each workflow in a window made of whole hours, or of whole days
WITH part AS MATERIALIZED (
    SELECT *
    FROM workflow_monitor.workflow_hours
    WHERE NOT %(by_days)s
      AND project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND starts_at >= %(start)s
      AND starts_at < %(end)s
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
    UNION ALL
    SELECT *
    FROM workflow_monitor.workflow_days
    WHERE %(by_days)s
      AND project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND starts_at >= %(start)s
      AND starts_at < %(end)s
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
),
several AS MATERIALIZED (
    SELECT environment, workflow_id
    FROM part
    GROUP BY environment, workflow_id
    HAVING count(*) > 1
),
spread AS (
    SELECT environment, workflow_id,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(executions ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, bucket, sum(executions)::integer AS executions
        FROM part
        JOIN several USING (environment, workflow_id),
            unnest(buckets, counts) AS filled (bucket, executions)
        GROUP BY 1, 2, 3
    ) AS merged
    GROUP BY 1, 2
)
SELECT environment, workflow_id, sum(runs)::integer AS runs, sum(passed)::integer AS passed,
       sum(degraded)::integer AS degraded, sum(failed)::integer AS failed,
       sum(error)::integer AS error, sum(timed_out)::integer AS timed_out,
       sum(crashed)::integer AS crashed, sum(interrupted)::integer AS interrupted,
       sum(skipped)::integer AS skipped, sum(first_attempt)::integer AS first_attempt,
       sum(flaky)::integer AS flaky, sum(attempts)::integer AS attempts,
       sum(total_ms) AS total_ms, max(longest_ms) AS longest_ms,
       coalesce(min(spread.buckets), min(part.buckets)) AS buckets,
       coalesce(min(spread.counts), min(part.counts)) AS counts
FROM part
LEFT JOIN spread USING (environment, workflow_id)
GROUP BY environment, workflow_id

-- name: period_workflows_of_executions
-- Add up the executions of each workflow in any window
WITH execution AS MATERIALIZED (
    SELECT environment, workflow_id, status, is_flaky, attempts_total,
           CASE WHEN status IN ('passed', 'degraded') THEN duration_ms END AS duration_ms
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND started_at >= %(start)s
      AND started_at < %(end)s
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
      AND status <> 'running'
),
spread AS (
    SELECT environment, workflow_id,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(executions ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, workflow_monitor.bucket_of(duration_ms) AS bucket,
               count(*)::integer AS executions
        FROM execution
        WHERE duration_ms IS NOT NULL
        GROUP BY 1, 2, 3
    ) AS filled
    GROUP BY 1, 2
)
SELECT environment, workflow_id,
       count(*)::integer AS runs,
       (count(*) FILTER (WHERE status = 'passed'))::integer AS passed,
       (count(*) FILTER (WHERE status = 'degraded'))::integer AS degraded,
       (count(*) FILTER (WHERE status = 'failed'))::integer AS failed,
       (count(*) FILTER (WHERE status = 'error'))::integer AS error,
       (count(*) FILTER (WHERE status = 'timed_out'))::integer AS timed_out,
       (count(*) FILTER (WHERE status = 'crashed'))::integer AS crashed,
       (count(*) FILTER (WHERE status = 'interrupted'))::integer AS interrupted,
       (count(*) FILTER (WHERE status = 'skipped'))::integer AS skipped,
       (count(*) FILTER (WHERE status IN ('passed', 'degraded') AND NOT is_flaky))::integer
           AS first_attempt,
       (count(*) FILTER (WHERE is_flaky))::integer AS flaky,
       sum(attempts_total)::integer AS attempts,
       coalesce(sum(duration_ms), 0) AS total_ms,
       coalesce(max(duration_ms), 0) AS longest_ms,
       coalesce(min(spread.buckets), '{}') AS buckets,
       coalesce(min(spread.counts), '{}') AS counts
FROM execution
LEFT JOIN spread USING (environment, workflow_id)
GROUP BY environment, workflow_id

-- name: period_series
-- Add up the steps and metrics of each workflow in a window made of whole hours, or of whole days
WITH part AS MATERIALIZED (
    SELECT *
    FROM workflow_monitor.series_hours
    WHERE NOT %(by_days)s
      AND project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND starts_at >= %(start)s
      AND starts_at < %(end)s
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
    UNION ALL
    SELECT *
    FROM workflow_monitor.series_days
    WHERE %(by_days)s
      AND project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND starts_at >= %(start)s
      AND starts_at < %(end)s
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
),
several AS MATERIALIZED (
    SELECT environment, workflow_id, kind, name, unit
    FROM part
    GROUP BY environment, workflow_id, kind, name, unit
    HAVING count(*) > 1
),
spread AS (
    SELECT environment, workflow_id, kind, name, unit,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(samples ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, kind, name, unit, bucket, sum(samples)::integer AS samples
        FROM (
            SELECT environment, workflow_id, kind, name, unit, filled.*
            FROM part
            JOIN several USING (environment, workflow_id, kind, name, unit),
                unnest(buckets, counts) AS filled (bucket, samples)
        ) AS flat
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS merged
    GROUP BY 1, 2, 3, 4, 5
)
SELECT environment, workflow_id, kind, name, unit, sum(samples)::integer AS samples,
       sum(problems)::integer AS problems, sum(total) AS total, min(lowest) AS lowest,
       max(highest) AS highest,
       coalesce(min(spread.buckets), min(part.buckets)) AS buckets,
       coalesce(min(spread.counts), min(part.counts)) AS counts
FROM part
LEFT JOIN spread USING (environment, workflow_id, kind, name, unit)
GROUP BY environment, workflow_id, kind, name, unit

-- name: period_hours
-- Count what was judged in each hour of a window, and what went wrong
SELECT starts_at,
       sum(runs - skipped - interrupted)::integer AS judged,
       sum(failed + error + timed_out + crashed)::integer AS bad
FROM workflow_monitor.workflow_hours
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND starts_at >= %(start)s
  AND starts_at < %(end)s
  AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
GROUP BY starts_at
ORDER BY starts_at

-- name: period_days
-- Read the days of each workflow in a window, all locations together
WITH part AS MATERIALIZED (
    SELECT *
    FROM workflow_monitor.workflow_days
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND starts_at >= %(start)s
      AND starts_at < %(end)s
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
),
several AS MATERIALIZED (
    SELECT environment, workflow_id, starts_at
    FROM part
    GROUP BY environment, workflow_id, starts_at
    HAVING count(*) > 1
),
spread AS (
    SELECT environment, workflow_id, starts_at,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(executions ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, starts_at, bucket, sum(executions)::integer AS executions
        FROM part
        JOIN several USING (environment, workflow_id, starts_at),
            unnest(buckets, counts) AS filled (bucket, executions)
        GROUP BY 1, 2, 3, 4
    ) AS merged
    GROUP BY 1, 2, 3
)
SELECT environment, workflow_id, starts_at, sum(runs)::integer AS runs, sum(passed)::integer AS passed,
       sum(degraded)::integer AS degraded, sum(failed)::integer AS failed,
       sum(error)::integer AS error, sum(timed_out)::integer AS timed_out,
       sum(crashed)::integer AS crashed, sum(interrupted)::integer AS interrupted,
       sum(skipped)::integer AS skipped, sum(first_attempt)::integer AS first_attempt,
       sum(flaky)::integer AS flaky, sum(attempts)::integer AS attempts,
       sum(total_ms) AS total_ms, max(longest_ms) AS longest_ms,
       coalesce(min(spread.buckets), min(part.buckets)) AS buckets,
       coalesce(min(spread.counts), min(part.counts)) AS counts
FROM part
LEFT JOIN spread USING (environment, workflow_id, starts_at)
GROUP BY environment, workflow_id, starts_at
ORDER BY environment, workflow_id, starts_at

-- name: period_known
-- Read what reports say about workflows themselves
SELECT workflow_id, workflow_name, priority, owner, tags,
       coalesce(definition ->> 'runbook', '') AS runbook,
       (definition ->> 'degraded_after_seconds')::double precision AS degraded_after_seconds,
       coalesce(definition -> 'budgets', '{}') AS budgets,
       (definition ->> 'slo')::double precision AS slo,
       (definition ->> 'slo_window_seconds')::double precision AS slo_window_seconds,
       coalesce((definition ->> 'notify_on_failure')::boolean, true) AS notify_on_failure
FROM workflow_monitor.workflows
WHERE project = %(project)s

-- name: period_last
-- Tell how each workflow stands
SELECT environment, workflow_id, last_status AS status, last_run_at AS at,
       last_run_id::text AS run_id, consecutive_failures
FROM workflow_monitor.job_metrics
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND last_run_id IS NOT NULL

-- name: period_environments
-- List the environments that a project has executions in
SELECT DISTINCT environment FROM workflow_monitor.job_metrics WHERE project = %(project)s

-- name: period_alerts
-- List the alerts that were open in a window, oldest first
SELECT alert_id, incident_id, project, workflow_id, environment, kind, status, workflow_name,
       priority, owner, tags, location, since, opened_at, reason, failures,
       coalesce(first_run_id::text, '') AS first_run_id,
       coalesce(last_run_id::text, '') AS last_run_id, last_status,
       fingerprint, failing_step, causes, quiet, inhibited_by, acknowledged_at, acknowledged_by,
       resolved_at, resolved_by
FROM workflow_monitor.alerts
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND opened_at < %(end)s
  AND (resolved_at IS NULL OR resolved_at >= %(start)s)
ORDER BY alert_id

-- name: period_errors
-- Group the failures of a window by fingerprint, with how often each came in the window before
WITH found AS MATERIALIZED (
    SELECT fingerprint, workflow_id, environment, started_at, run_id, error_message
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND started_at >= %(before)s
      AND started_at < %(end)s
      AND fingerprint IS NOT NULL
      AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
),
grouped AS (
    SELECT fingerprint,
           array_agg(DISTINCT workflow_id) AS workflow_ids,
           array_agg(DISTINCT environment) AS environments,
           (count(*) FILTER (WHERE started_at >= %(start)s))::integer AS count,
           (count(*) FILTER (WHERE started_at < %(start)s))::integer AS count_before,
           max(started_at) AS last_at,
           (array_agg(run_id ORDER BY started_at DESC))[1]::text AS last_run_id,
           coalesce((array_agg(error_message ORDER BY started_at DESC))[1], '') AS message
    FROM found
    GROUP BY fingerprint
)
SELECT grouped.*, first.started_at AS first_at
FROM grouped
CROSS JOIN LATERAL (
    SELECT started_at
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.fingerprint = grouped.fingerprint
      AND execution.project = %(project)s
      AND execution.environment = ANY (%(environments)s::text[])
    ORDER BY started_at
    LIMIT 1
) AS first
ORDER BY count DESC, fingerprint

-- name: period_runs
-- For each of some workflows, read the last executions before an instant that say something of it
SELECT asked.environment, asked.workflow_id, recent.runs
FROM unnest(%(asked_environments)s::text[], %(asked_ids)s::text[]) AS asked (environment, workflow_id)
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object(
               'at', run.started_at, 'status', run.status, 'attempts', run.attempts_total,
               'duration_ms', run.duration_ms, 'commit', session.git_commit,
               'error', coalesce(run.fingerprint, '')
           ))::text AS runs
    FROM (
        SELECT started_at, status, attempts_total, duration_ms, session_id, fingerprint
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = %(project)s
          AND execution.workflow_id = asked.workflow_id
          AND execution.environment = asked.environment
          AND execution.started_at < %(end)s
          AND execution.status NOT IN ('running', 'skipped', 'interrupted')
        ORDER BY started_at DESC
        LIMIT %(limit)s
    ) AS run
    JOIN workflow_monitor.test_sessions AS session USING (session_id)
) AS recent
WHERE recent.runs IS NOT NULL

-- name: period_retried
-- For each of some workflows, name the error that most of its retried executions of a window had
SELECT DISTINCT ON (environment, workflow_id) environment, workflow_id, message, count
FROM (
    SELECT asked.environment, asked.workflow_id, attempt.errors -> 0 ->> 'fingerprint' AS fingerprint,
           coalesce(min(attempt.errors -> 0 ->> 'message'), '') AS message,
           count(*)::integer AS count
    FROM unnest(%(asked_environments)s::text[], %(asked_ids)s::text[]) AS asked (environment, workflow_id)
    JOIN workflow_monitor.workflow_executions AS execution
        ON execution.project = %(project)s
        AND execution.workflow_id = asked.workflow_id
        AND execution.environment = asked.environment
        AND execution.started_at >= %(start)s
        AND execution.started_at < %(end)s
        AND execution.is_flaky
    JOIN workflow_monitor.workflow_attempts AS attempt
        ON attempt.run_id = execution.run_id AND attempt.attempt = 1
    GROUP BY 1, 2, 3
) AS grouped
ORDER BY environment, workflow_id, count DESC, fingerprint

-- name: period_limits
-- Read the budgets of the metrics of each workflow's latest execution
SELECT counters.environment, counters.workflow_id, 'metric' AS kind, metric.metric_name AS name,
       metric.metric_unit AS unit, max(metric.threshold_value) AS threshold
FROM workflow_monitor.job_metrics AS counters
JOIN workflow_monitor.workflow_metrics AS metric ON metric.run_id = counters.last_run_id
WHERE counters.project = %(project)s
  AND counters.environment = ANY (%(environments)s::text[])
  AND metric.threshold_value IS NOT NULL
  AND (%(workflow_ids)s::text[] IS NULL OR counters.workflow_id = ANY (%(workflow_ids)s))
GROUP BY 1, 2, 3, 4, 5

-- name: period_series_by_day
-- Read the days of some steps or metrics in a window, all locations together
SELECT position, starts_at, array_agg(bucket ORDER BY bucket) AS buckets,
       array_agg(samples ORDER BY bucket) AS counts
FROM (
    SELECT position, starts_at, bucket, sum(samples)::integer AS samples
    FROM (
        SELECT asked.position, series.starts_at, filled.*
        FROM unnest(
                 %(of_environments)s::text[], %(of_workflows)s::text[], %(kinds)s::text[],
                 %(names)s::text[], %(units)s::text[]
             ) WITH ORDINALITY AS asked (environment, workflow_id, kind, name, unit, position)
        JOIN workflow_monitor.series_days AS series
            ON series.project = %(project)s
            AND series.environment = asked.environment
            AND series.workflow_id = asked.workflow_id
            AND series.kind = asked.kind
            AND series.name = asked.name
            AND series.unit = asked.unit
            AND series.starts_at >= %(start)s
            AND series.starts_at < %(end)s
        CROSS JOIN unnest(series.buckets, series.counts) AS filled (bucket, samples)
    ) AS flat
    GROUP BY 1, 2, 3
) AS merged
GROUP BY position, starts_at
ORDER BY position, starts_at

-- name: period_slots
-- Count the slots of a window that did not run as planned
SELECT environment, workflow_id, status, reason, sum(covers)::integer AS count,
       min(slot_at) AS first_at, max(slot_at) AS last_at
FROM workflow_monitor.workflow_slots
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND slot_at >= %(start)s
  AND slot_at < %(end)s
  AND status IN ('missed', 'skipped', 'lost', 'cancelled', 'not_run')
  AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
GROUP BY environment, workflow_id, status, reason
ORDER BY environment, workflow_id, first_at

-- name: period_suppressed
-- Count the messages of a window that were never sent, by the reason
SELECT reason, count(*)::integer AS count
FROM workflow_monitor.notification_logs
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND created_at >= %(start)s
  AND created_at < %(end)s
  AND delivery_status = 'SUPPRESSED'
GROUP BY reason
ORDER BY count DESC, reason

-- name: period_silences
-- List the silences that held in a window
SELECT silence_id, match, starts_at, ends_at, author, reason, created_at, ended_by
FROM workflow_monitor.silences
WHERE project = %(project)s AND starts_at < %(end)s AND ends_at >= %(start)s
ORDER BY starts_at

-- name: period_anomalies
-- List the values of a window that were not normal when they came
SELECT environment, workflow_id, kind, name, unit, run_id::text AS run_id, value, expected_low,
       expected_high, score, direction, observed_at
FROM workflow_monitor.execution_anomalies
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND observed_at >= %(start)s
  AND observed_at < %(end)s
  AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
ORDER BY observed_at

-- name: period_deployments
-- List what was deployed in a window
SELECT environment, deployed_at, name, git_commit, url
FROM workflow_monitor.deployments
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND deployed_at >= %(start)s
  AND deployed_at < %(end)s
ORDER BY deployed_at

-- name: period_commits_seen
-- Tell when each commit was first run in a window
SELECT environment, git_commit, min(started_at) AS first_at
FROM workflow_monitor.test_sessions
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND started_at >= %(start)s
  AND started_at < %(end)s
  AND git_commit <> ''
GROUP BY environment, git_commit
ORDER BY first_at

-- name: period_durations
-- Read how long a workflow took when it passed in a window, with the commits, oldest first
SELECT execution.started_at AS at, execution.duration_ms AS value,
       execution.run_id::text AS run_id, session.git_commit
FROM workflow_monitor.workflow_executions AS execution
JOIN workflow_monitor.test_sessions AS session USING (session_id)
WHERE execution.project = %(project)s
  AND execution.workflow_id = %(workflow_id)s
  AND execution.environment = %(environment)s
  AND execution.started_at >= %(start)s
  AND execution.started_at < %(end)s
  AND execution.status IN ('passed', 'degraded')
ORDER BY execution.started_at

-- name: period_steps
-- Read how long a workflow's steps took when it passed in a window, oldest first
SELECT step.step_name AS name, execution.started_at AS at, step.duration_ms AS value,
       execution.run_id::text AS run_id
FROM workflow_monitor.workflow_executions AS execution
JOIN workflow_monitor.workflow_steps AS step
    ON step.run_id = execution.run_id AND step.attempt = execution.attempts_total
WHERE execution.project = %(project)s
  AND execution.workflow_id = %(workflow_id)s
  AND execution.environment = %(environment)s
  AND execution.started_at >= %(start)s
  AND execution.started_at < %(end)s
  AND execution.status IN ('passed', 'degraded')
  AND step.status IN ('passed', 'degraded')
ORDER BY execution.started_at
