-- name: slo_first_days
-- Tell on which day each workflow was first executed in each environment
SELECT environment, workflow_id, min(starts_at) AS since
FROM workflow_monitor.workflow_days
WHERE project = %(project)s AND workflow_id = ANY (%(workflow_ids)s::text[])
GROUP BY environment, workflow_id

-- name: slo_recent
-- Read what became of the last executions of some workflows, the oldest first
SELECT environment, workflow_id, started_at AS at, status IN ('passed', 'degraded') AS is_good,
       is_flaky
FROM workflow_monitor.workflow_executions
WHERE project = %(project)s
  AND workflow_id = ANY (%(workflow_ids)s::text[])
  AND started_at > %(start)s
  AND started_at <= %(end)s
  AND status NOT IN ('running', 'skipped', 'interrupted')
ORDER BY started_at

-- name: slo_failures
-- Read when a workflow went wrong in a window, and when it was executed next; only hours that hold
-- failures, or passes only when retried, are looked at
SELECT bad.started_at AS at, following.started_at AS next_at
FROM (
    SELECT DISTINCT starts_at
    FROM workflow_monitor.workflow_hours
    WHERE project = %(project)s AND workflow_id = %(workflow_id)s AND environment = %(environment)s
      AND starts_at > %(start)s::timestamptz - interval '1 hour' AND starts_at < %(end)s
      AND first_attempt < runs - skipped - interrupted
) AS hour
JOIN workflow_monitor.workflow_executions AS bad
    ON bad.project = %(project)s
    AND bad.workflow_id = %(workflow_id)s
    AND bad.environment = %(environment)s
    AND bad.started_at >= greatest(hour.starts_at, %(start)s)
    AND bad.started_at < least(hour.starts_at + interval '1 hour', %(end)s)
    AND (bad.status IN ('failed', 'error', 'timed_out', 'crashed')
         OR %(first)s AND bad.is_flaky)
LEFT JOIN LATERAL (
    SELECT started_at
    FROM workflow_monitor.workflow_executions AS later
    WHERE later.project = %(project)s
      AND later.workflow_id = %(workflow_id)s
      AND later.environment = %(environment)s
      AND later.started_at > bad.started_at
      AND later.status NOT IN ('running', 'skipped', 'interrupted')
    ORDER BY later.started_at
    LIMIT 1
) AS following ON true
ORDER BY bad.started_at
