-- name: badge_states
-- Tell how each workflow that ran since a moment did, with its latest verdict in that time
SELECT counted.workflow_id, latest.status, counted.succeeded, counted.failed
FROM (
    SELECT workflow_id,
           sum(passed + degraded) AS succeeded,
           sum(failed + error + timed_out + crashed) AS failed
    FROM workflow_monitor.workflow_hours
    WHERE project = %(project)s
      AND environment = %(environment)s
      AND starts_at >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
    GROUP BY workflow_id
) AS counted
CROSS JOIN LATERAL (
    SELECT status
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = %(project)s
      AND execution.workflow_id = counted.workflow_id
      AND execution.environment = %(environment)s
      AND execution.status NOT IN ('skipped', 'running', 'interrupted')
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS latest
WHERE counted.succeeded + counted.failed > 0
ORDER BY counted.workflow_id
