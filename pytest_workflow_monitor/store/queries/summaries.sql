-- name: mark_hours
-- Note in which hours of which workflows some executions changed
INSERT INTO workflow_monitor.outdated_hours (project, environment, workflow_id, starts_at)
SELECT DISTINCT %(project)s, %(environment)s, workflow_id, date_trunc('hour', started_at, 'UTC')
FROM unnest(%(workflow_ids)b::text[], %(starts)b::timestamptz[]) AS it (workflow_id, started_at)

-- name: mark_hours_of_runs
-- Note the hours and workflows of executions that are about to change
INSERT INTO workflow_monitor.outdated_hours (project, environment, workflow_id, starts_at)
SELECT DISTINCT project, environment, workflow_id, date_trunc('hour', started_at, 'UTC')
FROM workflow_monitor.workflow_executions
WHERE run_id = ANY (%(run_ids)s::uuid[])

-- name: lock_summaries
-- Let one transaction at a time sum up a project
SELECT pg_advisory_xact_lock(hashtextextended('pytest-workflow-monitor sums ' || %(project)s, 0))

-- name: take_outdated_hours
-- Take the oldest marks off hours that are out of date, and name those hours
WITH taken AS (
    DELETE FROM workflow_monitor.outdated_hours
    WHERE mark_id IN (
        SELECT mark_id
        FROM workflow_monitor.outdated_hours
        WHERE project = %(project)s
        ORDER BY mark_id
        LIMIT %(limit)s
    )
    RETURNING environment, workflow_id, starts_at
)
SELECT array_agg(environment) AS environments,
       array_agg(workflow_id) AS workflow_ids,
       array_agg(starts_at) AS starts
FROM (SELECT DISTINCT environment, workflow_id, starts_at FROM taken) AS hours

-- name: pruned_before
-- Tell before when executions, and their steps and metrics, may have been pruned
SELECT max(before) FILTER (WHERE class = 'executions') AS executions, max(before) AS details
FROM workflow_monitor.prunings
WHERE project = %(project)s AND class IN ('executions', 'details')

-- name: clear_workflow_hours
-- Delete the sums of some hours
DELETE FROM workflow_monitor.workflow_hours AS known
USING unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = hour.starts_at

-- name: sum_workflow_hours
-- Sum up the executions of some hours; durations are those of executions that passed
WITH execution AS MATERIALIZED (
    SELECT hour.environment, hour.workflow_id, hour.starts_at, it.location, it.status,
           it.is_flaky, it.attempts_total,
           CASE WHEN it.status IN ('passed', 'degraded') THEN it.duration_ms END AS duration_ms
    FROM unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
        AS hour (environment, workflow_id, starts_at)
    JOIN workflow_monitor.workflow_executions AS it
        ON it.project = %(project)s
        AND it.workflow_id = hour.workflow_id
        AND it.environment = hour.environment
        AND it.started_at >= hour.starts_at
        AND it.started_at < hour.starts_at + interval '1 hour'
    WHERE it.status <> 'running'
),
spread AS (
    SELECT environment, workflow_id, starts_at, location,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(executions ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, starts_at, location,
               workflow_monitor.bucket_of(duration_ms) AS bucket, count(*)::integer AS executions
        FROM execution
        WHERE duration_ms IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    ) AS filled
    GROUP BY 1, 2, 3, 4
)
INSERT INTO workflow_monitor.workflow_hours (
    project, environment, workflow_id, starts_at, location, runs, passed, degraded, failed, error,
    timed_out, crashed, interrupted, skipped, first_attempt, flaky, attempts, total_ms, longest_ms,
    buckets, counts
)
SELECT %(project)s, environment, workflow_id, starts_at, location,
       count(*),
       count(*) FILTER (WHERE status = 'passed'),
       count(*) FILTER (WHERE status = 'degraded'),
       count(*) FILTER (WHERE status = 'failed'),
       count(*) FILTER (WHERE status = 'error'),
       count(*) FILTER (WHERE status = 'timed_out'),
       count(*) FILTER (WHERE status = 'crashed'),
       count(*) FILTER (WHERE status = 'interrupted'),
       count(*) FILTER (WHERE status = 'skipped'),
       count(*) FILTER (WHERE status IN ('passed', 'degraded') AND NOT is_flaky),
       count(*) FILTER (WHERE is_flaky),
       sum(attempts_total),
       coalesce(sum(duration_ms), 0),
       coalesce(max(duration_ms), 0),
       coalesce(min(spread.buckets), '{}'),
       coalesce(min(spread.counts), '{}')
FROM execution
LEFT JOIN spread USING (environment, workflow_id, starts_at, location)
GROUP BY environment, workflow_id, starts_at, location

-- name: clear_series_hours
-- Delete the sums of the steps and metrics of some hours
DELETE FROM workflow_monitor.series_hours AS known
USING unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = hour.starts_at

-- name: sum_series_hours
-- Sum up the steps and metrics of the deciding attempts of some hours
WITH execution AS MATERIALIZED (
    SELECT hour.environment, hour.workflow_id, hour.starts_at, it.location, it.run_id,
           it.attempts_total AS attempt
    FROM unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
        AS hour (environment, workflow_id, starts_at)
    JOIN workflow_monitor.workflow_executions AS it
        ON it.project = %(project)s
        AND it.workflow_id = hour.workflow_id
        AND it.environment = hour.environment
        AND it.started_at >= hour.starts_at
        AND it.started_at < hour.starts_at + interval '1 hour'
    WHERE it.status NOT IN ('running', 'skipped')
),
measured AS MATERIALIZED (
    SELECT execution.*, 'step' AS kind, step.step_name AS name, 'ms' AS unit,
           CASE WHEN step.status IN ('passed', 'degraded') THEN step.duration_ms END AS value,
           step.status NOT IN ('passed', 'skipped') AS is_problem
    FROM execution
    JOIN workflow_monitor.workflow_steps AS step USING (run_id, attempt)
    UNION ALL
    SELECT execution.*, 'metric', metric.metric_name, metric.metric_unit, metric.metric_value,
           metric.is_within_threshold IS FALSE
    FROM execution
    JOIN workflow_monitor.workflow_metrics AS metric USING (run_id, attempt)
),
spread AS (
    SELECT environment, workflow_id, starts_at, location, kind, name, unit,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(samples ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, starts_at, location, kind, name, unit,
               workflow_monitor.bucket_of(value) AS bucket, count(*)::integer AS samples
        FROM measured
        WHERE value IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ) AS filled
    GROUP BY 1, 2, 3, 4, 5, 6, 7
)
INSERT INTO workflow_monitor.series_hours (
    project, environment, workflow_id, starts_at, location, kind, name, unit, samples, problems,
    total, lowest, highest, buckets, counts
)
SELECT %(project)s, environment, workflow_id, starts_at, location, kind, name, unit,
       count(*),
       count(*) FILTER (WHERE is_problem),
       coalesce(sum(value), 0),
       min(value),
       max(value),
       coalesce(min(spread.buckets), '{}'),
       coalesce(min(spread.counts), '{}')
FROM measured
LEFT JOIN spread USING (environment, workflow_id, starts_at, location, kind, name, unit)
GROUP BY environment, workflow_id, starts_at, location, kind, name, unit

-- name: clear_workflow_days
-- Delete the sums of the days that some hours belong to
DELETE FROM workflow_monitor.workflow_days AS known
USING unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = date_trunc('day', hour.starts_at, 'UTC')

-- name: sum_workflow_days
-- Add up the hours of the days that some hours belong to
WITH day AS (
    SELECT DISTINCT environment, workflow_id, date_trunc('day', starts_at, 'UTC') AS starts_at
    FROM unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
        AS hour (environment, workflow_id, starts_at)
),
hour AS MATERIALIZED (
    SELECT day.starts_at AS day, it.*
    FROM day
    JOIN workflow_monitor.workflow_hours AS it
        ON it.project = %(project)s
        AND it.environment = day.environment
        AND it.workflow_id = day.workflow_id
        AND it.starts_at >= day.starts_at
        AND it.starts_at < day.starts_at + interval '1 day'
),
spread AS (
    SELECT environment, workflow_id, day, location,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(executions ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, day, location, bucket, sum(executions)::integer AS executions
        FROM hour, unnest(buckets, counts) AS filled (bucket, executions)
        GROUP BY 1, 2, 3, 4, 5
    ) AS merged
    GROUP BY 1, 2, 3, 4
)
INSERT INTO workflow_monitor.workflow_days (
    project, environment, workflow_id, starts_at, location, runs, passed, degraded, failed, error,
    timed_out, crashed, interrupted, skipped, first_attempt, flaky, attempts, total_ms, longest_ms,
    buckets, counts
)
SELECT %(project)s, environment, workflow_id, day, location, sum(runs), sum(passed), sum(degraded),
       sum(failed), sum(error), sum(timed_out), sum(crashed), sum(interrupted), sum(skipped),
       sum(first_attempt), sum(flaky), sum(attempts), sum(total_ms), max(longest_ms),
       coalesce(min(spread.buckets), '{}'), coalesce(min(spread.counts), '{}')
FROM hour
LEFT JOIN spread USING (environment, workflow_id, day, location)
GROUP BY environment, workflow_id, day, location

-- name: clear_series_days
-- Delete the sums of the steps and metrics of the days that some hours belong to
DELETE FROM workflow_monitor.series_days AS known
USING unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = date_trunc('day', hour.starts_at, 'UTC')

-- name: sum_series_days
-- Add up the hours of the steps and metrics of the days that some hours belong to
WITH day AS (
    SELECT DISTINCT environment, workflow_id, date_trunc('day', starts_at, 'UTC') AS starts_at
    FROM unnest(%(environments)s::text[], %(workflow_ids)s::text[], %(starts)s::timestamptz[])
        AS hour (environment, workflow_id, starts_at)
),
hour AS MATERIALIZED (
    SELECT day.starts_at AS day, it.*
    FROM day
    JOIN workflow_monitor.series_hours AS it
        ON it.project = %(project)s
        AND it.environment = day.environment
        AND it.workflow_id = day.workflow_id
        AND it.starts_at >= day.starts_at
        AND it.starts_at < day.starts_at + interval '1 day'
),
spread AS (
    SELECT environment, workflow_id, day, location, kind, name, unit,
           array_agg(bucket ORDER BY bucket) AS buckets,
           array_agg(samples ORDER BY bucket) AS counts
    FROM (
        SELECT environment, workflow_id, day, location, kind, name, unit, bucket,
               sum(samples)::integer AS samples
        FROM (
            SELECT environment, workflow_id, day, location, kind, name, unit, filled.*
            FROM hour, unnest(buckets, counts) AS filled (bucket, samples)
        ) AS flat
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ) AS merged
    GROUP BY 1, 2, 3, 4, 5, 6, 7
)
INSERT INTO workflow_monitor.series_days (
    project, environment, workflow_id, starts_at, location, kind, name, unit, samples, problems,
    total, lowest, highest, buckets, counts
)
SELECT %(project)s, environment, workflow_id, day, location, kind, name, unit, sum(samples),
       sum(problems), sum(total), min(lowest), max(highest),
       coalesce(min(spread.buckets), '{}'), coalesce(min(spread.counts), '{}')
FROM hour
LEFT JOIN spread USING (environment, workflow_id, day, location, kind, name, unit)
GROUP BY environment, workflow_id, day, location, kind, name, unit
