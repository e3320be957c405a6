-- name: played_workflows
-- Read the latest definitions of a project's workflows
SELECT definition::text AS definition
FROM workflow_monitor.workflows
WHERE project = %(project)s
  AND (%(workflows)s::text[] IS NULL OR workflow_id LIKE ANY (%(workflows)s))

-- name: played_results
-- Read executions that ended, workflow by workflow and environment by environment, oldest first: in
-- the order of the index workflow_executions_history, read backwards
SELECT workflow_id, environment, run_id::text, status, started_at, completed_at, is_flaky,
       coalesce(
           fingerprint,
           CASE WHEN is_flaky THEN (
               SELECT attempt.errors -> 0 ->> 'fingerprint'
               FROM workflow_monitor.workflow_attempts AS attempt
               WHERE attempt.run_id = execution.run_id AND attempt.errors <> '[]'
               ORDER BY attempt.attempt DESC
               LIMIT 1
           ) END,
           ''
       )
FROM workflow_monitor.workflow_executions AS execution
WHERE project = %(project)s
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
  AND (%(workflows)s::text[] IS NULL OR workflow_id LIKE ANY (%(workflows)s))
  AND started_at >= %(since)s AND started_at < %(until)s
  AND status NOT IN ('running', 'skipped')
ORDER BY workflow_id DESC, environment DESC, started_at
