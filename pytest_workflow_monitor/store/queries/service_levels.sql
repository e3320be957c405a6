-- name: slo_has_objectives
-- Tell whether the marker of any workflow sets a service level
SELECT EXISTS (
    SELECT FROM workflow_monitor.workflows
    WHERE project = %(project)s AND definition ->> 'slo' IS NOT NULL
) AS has_objectives

-- name: slo_since
-- Tell when the first judged execution of each workflow began; if it is pruned, in which hour
SELECT environment, workflow_id, coalesce(execution.first_at, hour.starts_at) AS since
FROM workflow_monitor.job_metrics
CROSS JOIN LATERAL (
    SELECT starts_at
    FROM workflow_monitor.workflow_hours
    WHERE workflow_hours.project = %(project)s
      AND workflow_hours.environment = job_metrics.environment
      AND workflow_hours.workflow_id = job_metrics.workflow_id
      AND runs > skipped + interrupted
    ORDER BY starts_at
    LIMIT 1
) AS hour
CROSS JOIN LATERAL (
    SELECT min(started_at) AS first_at
    FROM workflow_monitor.workflow_executions AS it
    WHERE it.project = %(project)s
      AND it.environment = job_metrics.environment
      AND it.workflow_id = job_metrics.workflow_id
      AND started_at >= hour.starts_at
      AND started_at < hour.starts_at + interval '1 hour'
      AND status NOT IN ('running', 'skipped', 'interrupted')
) AS execution
WHERE project = %(project)s
  AND workflow_id = ANY (%(workflow_ids)s::text[])
  AND (%(environments)s::text[] IS NULL OR environment = ANY (%(environments)s))

-- name: slo_counts
-- Count what was judged in a window, by sums of whole days and hours and executions at its ends
SELECT environment, workflow_id, sum(judged)::bigint AS judged, sum(good)::bigint AS good,
       sum(at_once)::bigint AS at_once
FROM (
    SELECT environment, workflow_id, runs - skipped - interrupted AS judged,
           passed + degraded AS good, first_attempt AS at_once
    FROM workflow_monitor.workflow_days
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND workflow_id = ANY (%(workflow_ids)s::text[])
      AND starts_at >= %(first_day)s
      AND starts_at < %(last_day)s
    UNION ALL
    SELECT environment, workflow_id, runs - skipped - interrupted, passed + degraded, first_attempt
    FROM workflow_monitor.workflow_hours
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND workflow_id = ANY (%(workflow_ids)s::text[])
      AND starts_at >= %(first_hour)s
      AND starts_at < %(last_hour)s
      AND (starts_at < %(first_day)s OR starts_at >= %(last_day)s)
    UNION ALL
    SELECT environment, workflow_id, 1, (status IN ('passed', 'degraded'))::integer,
           (status IN ('passed', 'degraded') AND NOT is_flaky)::integer
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND workflow_id = ANY (%(workflow_ids)s::text[])
      AND (started_at >= %(start)s AND started_at < %(first_hour)s
           OR started_at >= %(last_hour)s AND started_at < %(end)s)
      AND status NOT IN ('running', 'skipped', 'interrupted')
) AS part
GROUP BY environment, workflow_id

-- name: slo_counts_between
-- Count what was judged in some spans of time, each of a workflow in an environment
SELECT span.environment, span.workflow_id, count(*) AS judged,
       count(*) FILTER (WHERE status IN ('passed', 'degraded')) AS good,
       count(*) FILTER (WHERE status IN ('passed', 'degraded') AND NOT is_flaky) AS at_once
FROM unnest(
    %(environments)s::text[], %(workflow_ids)s::text[], %(begins)s::timestamptz[],
    %(ends)s::timestamptz[]
) AS span (environment, workflow_id, begins_at, ends_at)
JOIN workflow_monitor.workflow_executions AS execution
    ON execution.project = %(project)s
    AND execution.environment = span.environment
    AND execution.workflow_id = span.workflow_id
    AND started_at >= begins_at
    AND started_at < ends_at
    AND status NOT IN ('running', 'skipped', 'interrupted')
GROUP BY span.environment, span.workflow_id

-- name: slo_recent
-- Read the last executions of the workflows of which any went wrong or was retried, oldest first
SELECT environment, workflow_id, started_at AS at, status IN ('passed', 'degraded') AS is_good,
       is_flaky
FROM workflow_monitor.workflow_executions
WHERE project = %(project)s
  AND (environment, workflow_id) IN (
      SELECT environment, workflow_id
      FROM workflow_monitor.workflow_hours
      WHERE project = %(project)s
        AND environment = ANY (%(environments)s::text[])
        AND workflow_id = ANY (%(workflow_ids)s::text[])
        AND starts_at > %(start)s::timestamptz - interval '1 hour'
        AND starts_at < %(end)s
        AND first_attempt < runs - skipped - interrupted
  )
  AND started_at >= %(start)s
  AND started_at < %(end)s
  AND status NOT IN ('running', 'skipped', 'interrupted')
ORDER BY started_at

-- name: slo_failures
-- Read when workflows went wrong or were retried, and were executed next, in hours that hold such
SELECT hour.environment, hour.workflow_id, bad.started_at AS at, following.started_at AS next_at,
       bad.is_flaky AND bad.status IN ('passed', 'degraded') AS is_retried
FROM (
    SELECT DISTINCT environment, workflow_id, starts_at
    FROM workflow_monitor.workflow_hours
    WHERE project = %(project)s
      AND environment = ANY (%(environments)s::text[])
      AND workflow_id = ANY (%(workflow_ids)s::text[])
      AND starts_at > %(start)s::timestamptz - interval '1 hour'
      AND starts_at < %(end)s
      AND first_attempt < runs - skipped - interrupted
) AS hour
JOIN workflow_monitor.workflow_executions AS bad
    ON bad.project = %(project)s
    AND bad.workflow_id = hour.workflow_id
    AND bad.environment = hour.environment
    AND bad.started_at >= greatest(hour.starts_at, %(start)s)
    AND bad.started_at < least(hour.starts_at + interval '1 hour', %(end)s)
    AND bad.status NOT IN ('running', 'skipped', 'interrupted')
    AND (bad.status NOT IN ('passed', 'degraded') OR bad.is_flaky)
LEFT JOIN LATERAL (
    SELECT started_at
    FROM workflow_monitor.workflow_executions AS later
    WHERE later.project = %(project)s
      AND later.workflow_id = bad.workflow_id
      AND later.environment = bad.environment
      AND later.started_at > bad.started_at
      AND later.status NOT IN ('running', 'skipped', 'interrupted')
    ORDER BY later.started_at
    LIMIT 1
) AS following ON true
ORDER BY bad.started_at

-- name: slo_burning
-- List the open alerts about error budgets
SELECT environment, workflow_id
FROM workflow_monitor.alerts
WHERE project = %(project)s
  AND kind = 'burning'
  AND status <> 'resolved'
  AND (%(environments)s::text[] IS NULL OR environment = ANY (%(environments)s))
