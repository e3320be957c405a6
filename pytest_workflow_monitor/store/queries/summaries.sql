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

-- name: newest_mark
-- Tell the newest mark of an hour that is out of date
SELECT coalesce(max(mark_id), 0) AS newest
FROM workflow_monitor.outdated_hours
WHERE project = %(project)s

-- name: take_outdated_hours
-- Take the oldest marks off hours that are out of date, and name those hours
WITH taken AS (
    DELETE FROM workflow_monitor.outdated_hours
    WHERE mark_id IN (
        SELECT mark_id
        FROM workflow_monitor.outdated_hours
        WHERE project = %(project)s AND mark_id <= %(newest)s
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
USING unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = hour.starts_at

-- name: sum_workflow_hours
-- Sum up the executions of some hours; durations are those of executions that passed
INSERT INTO workflow_monitor.workflow_hours (
    project, environment, workflow_id, starts_at, location, runs, passed, degraded, failed, error,
    timed_out, crashed, interrupted, skipped, first_attempt, flaky, attempts, total_ms, longest_ms,
    buckets, counts
)
SELECT %(project)s, hour.environment, hour.workflow_id, hour.starts_at, total.*
FROM unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
CROSS JOIN LATERAL ( -- by the index for each, whatever the planner believes of new tables
    SELECT location, sum(runs), sum(passed), sum(degraded), sum(failed), sum(error),
           sum(timed_out), sum(crashed), sum(interrupted), sum(skipped), sum(first_attempt),
           sum(flaky), sum(attempts), coalesce(sum(total_ms), 0), coalesce(max(longest_ms), 0),
           coalesce(array_agg(bucket ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '{}'),
           coalesce(array_agg(runs ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '{}')
    FROM (
        SELECT location,
               CASE WHEN duration_ms IS NOT NULL
                   THEN workflow_monitor.bucket_of(duration_ms)
               END AS bucket,
               count(*)::integer AS runs,
               count(*) FILTER (WHERE status = 'passed') AS passed,
               count(*) FILTER (WHERE status = 'degraded') AS degraded,
               count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE status = 'error') AS error,
               count(*) FILTER (WHERE status = 'timed_out') AS timed_out,
               count(*) FILTER (WHERE status = 'crashed') AS crashed,
               count(*) FILTER (WHERE status = 'interrupted') AS interrupted,
               count(*) FILTER (WHERE status = 'skipped') AS skipped,
               count(*) FILTER (WHERE status IN ('passed', 'degraded') AND NOT is_flaky)
                   AS first_attempt,
               count(*) FILTER (WHERE is_flaky) AS flaky,
               sum(attempts_total) AS attempts,
               sum(duration_ms) AS total_ms,
               max(duration_ms) AS longest_ms
        FROM (
            SELECT it.location, it.status, it.is_flaky, it.attempts_total,
                   CASE WHEN it.status IN ('passed', 'degraded') THEN it.duration_ms END
                       AS duration_ms
            FROM workflow_monitor.workflow_executions AS it
            WHERE it.project = %(project)s
              AND it.workflow_id = hour.workflow_id
              AND it.environment = hour.environment
              AND it.started_at >= hour.starts_at
              AND it.started_at < hour.starts_at + interval '1 hour'
              AND it.status <> 'running'
        ) AS execution
        GROUP BY 1, 2
    ) AS filled
    GROUP BY location
) AS total

-- name: clear_series_hours
-- Delete the sums of the steps and metrics of some hours
DELETE FROM workflow_monitor.series_hours AS known
USING unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = hour.starts_at

-- name: sum_series_hours
-- Sum up the steps and metrics of the deciding attempts of some hours
INSERT INTO workflow_monitor.series_hours (
    project, environment, workflow_id, starts_at, location, kind, name, unit, samples, problems,
    total, lowest, highest, buckets, counts
)
SELECT %(project)s, hour.environment, hour.workflow_id, hour.starts_at, total.*
FROM unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
CROSS JOIN LATERAL (
    SELECT location, kind, name, unit, sum(samples), sum(problems), coalesce(sum(total), 0),
           min(lowest), max(highest),
           coalesce(array_agg(bucket ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '{}'),
           coalesce(array_agg(samples ORDER BY bucket) FILTER (WHERE bucket IS NOT NULL), '{}')
    FROM (
        SELECT execution.location, kind, name, unit,
               CASE WHEN value IS NOT NULL THEN workflow_monitor.bucket_of(value) END AS bucket,
               count(*)::integer AS samples,
               count(*) FILTER (WHERE is_problem) AS problems,
               sum(value) AS total,
               min(value) AS lowest,
               max(value) AS highest
        FROM workflow_monitor.workflow_executions AS execution
        CROSS JOIN LATERAL (
            SELECT 'step' AS kind, step.step_name AS name, 'ms' AS unit,
                   CASE WHEN step.status IN ('passed', 'degraded') THEN step.duration_ms END
                       AS value,
                   step.status NOT IN ('passed', 'skipped') AS is_problem
            FROM workflow_monitor.workflow_steps AS step
            WHERE step.run_id = execution.run_id AND step.attempt = execution.attempts_total
            UNION ALL
            SELECT 'metric', metric.metric_name, metric.metric_unit, metric.metric_value,
                   metric.is_within_threshold IS FALSE
            FROM workflow_monitor.workflow_metrics AS metric
            WHERE metric.run_id = execution.run_id AND metric.attempt = execution.attempts_total
        ) AS measured
        WHERE execution.project = %(project)s
          AND execution.workflow_id = hour.workflow_id
          AND execution.environment = hour.environment
          AND execution.started_at >= hour.starts_at
          AND execution.started_at < hour.starts_at + interval '1 hour'
          AND execution.status NOT IN ('running', 'skipped')
        GROUP BY 1, 2, 3, 4, 5
    ) AS filled
    GROUP BY location, kind, name, unit
) AS total

-- name: analyze_workflow_hours
-- Let the planner know a table that it never saw: it would look into the wrong index for each day
DO $$
BEGIN
    IF (
        SELECT reltuples < 0
        FROM pg_class
        WHERE oid = 'workflow_monitor.workflow_hours'::regclass
    ) THEN
        ANALYZE workflow_monitor.workflow_hours;
    END IF;
END
$$

-- name: clear_workflow_days
-- Delete the sums of the days that some hours belong to
DELETE FROM workflow_monitor.workflow_days AS known
USING unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = date_trunc('day', hour.starts_at, 'UTC')

-- name: sum_workflow_days
-- Add up the hours of the days that some hours belong to
WITH day AS (
    SELECT DISTINCT environment, workflow_id, date_trunc('day', starts_at, 'UTC') AS starts_at
    FROM unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
        AS hour (environment, workflow_id, starts_at)
)
INSERT INTO workflow_monitor.workflow_days (
    project, environment, workflow_id, starts_at, location, runs, passed, degraded, failed, error,
    timed_out, crashed, interrupted, skipped, first_attempt, flaky, attempts, total_ms, longest_ms,
    buckets, counts
)
SELECT %(project)s, day.environment, day.workflow_id, day.starts_at, total.*, spread.*
FROM day
CROSS JOIN LATERAL (
    SELECT location, sum(runs), sum(passed), sum(degraded), sum(failed), sum(error),
           sum(timed_out), sum(crashed), sum(interrupted), sum(skipped), sum(first_attempt),
           sum(flaky), sum(attempts), sum(total_ms), max(longest_ms)
    FROM workflow_monitor.workflow_hours AS it
    WHERE it.project = %(project)s
      AND it.environment = day.environment
      AND it.workflow_id = day.workflow_id
      AND it.starts_at >= day.starts_at
      AND it.starts_at < day.starts_at + interval '1 day'
    GROUP BY location
) AS total
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'),
           coalesce(array_agg(executions ORDER BY bucket), '{}')
    FROM (
        SELECT bucket, sum(executions)::integer AS executions
        FROM workflow_monitor.workflow_hours AS it, unnest(it.buckets, it.counts)
            AS filled (bucket, executions)
        WHERE it.project = %(project)s
          AND it.environment = day.environment
          AND it.workflow_id = day.workflow_id
          AND it.starts_at >= day.starts_at
          AND it.starts_at < day.starts_at + interval '1 day'
          AND it.location = total.location
        GROUP BY bucket
    ) AS merged
) AS spread

-- name: analyze_series_hours
-- Let the planner know a table that it never saw: it would look into the wrong index for each day
DO $$
BEGIN
    IF (
        SELECT reltuples < 0
        FROM pg_class
        WHERE oid = 'workflow_monitor.series_hours'::regclass
    ) THEN
        ANALYZE workflow_monitor.series_hours;
    END IF;
END
$$

-- name: clear_series_days
-- Delete the sums of the steps and metrics of the days that some hours belong to
DELETE FROM workflow_monitor.series_days AS known
USING unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
    AS hour (environment, workflow_id, starts_at)
WHERE known.project = %(project)s
  AND known.environment = hour.environment
  AND known.workflow_id = hour.workflow_id
  AND known.starts_at = date_trunc('day', hour.starts_at, 'UTC')

-- name: sum_series_days
-- Add up the hours of the steps and metrics of the days that some hours belong to
WITH day AS (
    SELECT DISTINCT environment, workflow_id, date_trunc('day', starts_at, 'UTC') AS starts_at
    FROM unnest(%(environments)b::text[], %(workflow_ids)b::text[], %(starts)b::timestamptz[])
        AS hour (environment, workflow_id, starts_at)
)
INSERT INTO workflow_monitor.series_days (
    project, environment, workflow_id, starts_at, location, kind, name, unit, samples, problems,
    total, lowest, highest, buckets, counts
)
SELECT %(project)s, day.environment, day.workflow_id, day.starts_at, total.*, spread.*
FROM day
CROSS JOIN LATERAL (
    SELECT location, kind, name, unit, sum(samples), sum(problems), sum(total), min(lowest),
           max(highest)
    FROM workflow_monitor.series_hours AS it
    WHERE it.project = %(project)s
      AND it.environment = day.environment
      AND it.workflow_id = day.workflow_id
      AND it.starts_at >= day.starts_at
      AND it.starts_at < day.starts_at + interval '1 day'
    GROUP BY location, kind, name, unit
) AS total
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'),
           coalesce(array_agg(samples ORDER BY bucket), '{}')
    FROM (
        SELECT bucket, sum(filled.samples)::integer AS samples
        FROM workflow_monitor.series_hours AS it, unnest(it.buckets, it.counts)
            AS filled (bucket, samples)
        WHERE it.project = %(project)s
          AND it.environment = day.environment
          AND it.workflow_id = day.workflow_id
          AND it.starts_at >= day.starts_at
          AND it.starts_at < day.starts_at + interval '1 day'
          AND it.kind = total.kind
          AND it.name = total.name
          AND it.unit = total.unit
          AND it.location = total.location
        GROUP BY bucket
    ) AS merged
) AS spread
