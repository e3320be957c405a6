-- name: gate_base
-- Tell what the latest executions of some workflows on a branch say; sessions are gathered from the
-- newest back until they hold enough executions for all of them
WITH recent AS (
    SELECT session_id,
           sum(executions_total) OVER (
               ORDER BY started_at DESC, session_id DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS newer
    FROM workflow_monitor.test_sessions
    WHERE project = %(project)s
      AND environment = %(environment)s
      AND git_branch = ANY (%(branches)s::text[])
      AND started_at < %(before)s::timestamptz
      AND started_at > %(before)s::timestamptz - interval '30 days'
      AND ended_at IS NOT NULL
),
execution AS MATERIALIZED (
    SELECT found.*
    FROM recent
    CROSS JOIN LATERAL (
        SELECT run_id, workflow_id, status, started_at, duration_ms, is_flaky
        FROM workflow_monitor.workflow_executions
        WHERE session_id = recent.session_id
        OFFSET 0 -- by the index of sessions, however many there seem to be
    ) AS found
    WHERE coalesce(recent.newer, 0) < %(enough)s
      AND found.status NOT IN ('skipped', 'running', 'interrupted')
),
fault AS (
    SELECT execution.workflow_id,
           array_agg(DISTINCT coalesce(
               nullif(attempt.errors -> 0 ->> 'fingerprint', ''), attempt.status
           )) AS kinds
    FROM execution
    JOIN workflow_monitor.workflow_attempts AS attempt USING (run_id)
    WHERE (execution.is_flaky OR execution.status NOT IN ('passed', 'degraded'))
      AND execution.workflow_id = ANY (%(workflow_ids)s::text[])
      AND attempt.status NOT IN ('passed', 'degraded', 'skipped')
    GROUP BY execution.workflow_id
)
SELECT execution.workflow_id,
       count(*) AS executions,
       count(*) FILTER (WHERE execution.status NOT IN ('passed', 'degraded')) AS failures,
       (array_agg(execution.status ORDER BY execution.started_at DESC))[1] AS last_status,
       max(execution.started_at) AS last_at,
       coalesce(fault.kinds, '{}') AS kinds,
       count(*) FILTER (WHERE execution.status = 'passed') AS passes,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY execution.duration_ms)
           FILTER (WHERE execution.status = 'passed') AS p95_ms
FROM execution
LEFT JOIN fault USING (workflow_id)
GROUP BY execution.workflow_id, fault.kinds
ORDER BY execution.workflow_id

-- name: gate_target
-- Find the latest execution with a verdict of each workflow in an environment, with its errors
SELECT wanted.workflow_id, latest.status, latest.started_at,
       array(
           SELECT DISTINCT coalesce(
               nullif(attempt.errors -> 0 ->> 'fingerprint', ''), attempt.status
           )
           FROM workflow_monitor.workflow_attempts AS attempt
           WHERE attempt.run_id = latest.run_id
             AND attempt.status NOT IN ('passed', 'degraded', 'skipped')
       ) AS kinds
FROM unnest(%(workflow_ids)s::text[]) AS wanted (workflow_id)
CROSS JOIN LATERAL (
    SELECT run_id, status, started_at
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = %(project)s
      AND execution.workflow_id = wanted.workflow_id
      AND execution.environment = %(environment)s
      AND execution.started_at < %(before)s::timestamptz
      AND execution.started_at > %(before)s::timestamptz - interval '7 days'
      AND execution.status NOT IN ('skipped', 'running', 'interrupted')
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS latest
ORDER BY wanted.workflow_id
