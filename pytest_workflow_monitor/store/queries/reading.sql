-- name: session
-- Read one session, as the records of its start and end
SELECT json_build_object(
           'record', 'session_started',
           'session_id', session_id, 'project', project, 'environment', environment,
           'started_at', started_at, 'journal_version', journal_version, 'location', location,
           'trigger', triggered_by, 'host', host, 'pid', pid, 'rootdir', rootdir,
           'arguments', arguments, 'git_commit', git_commit, 'git_branch', git_branch,
           'ci_name', ci_name, 'ci_url', ci_url, 'notifies', notifies,
           'slot_at', slot_at, 'lateness_seconds', lateness_seconds, 'versions', versions
       )::text AS started,
       CASE WHEN ended_at IS NOT NULL THEN json_build_object(
           'record', 'session_ended',
           'ended_at', ended_at, 'exit_status', exit_status, 'tests_collected', tests_collected,
           'interrupted', is_interrupted
       )::text END AS ended
FROM workflow_monitor.test_sessions
WHERE session_id = %(session_id)s

-- name: sessions_of
-- Read how some sessions began
SELECT session_id::text AS session_id, json_build_object(
           'record', 'session_started',
           'session_id', session_id, 'project', project, 'environment', environment,
           'started_at', started_at, 'journal_version', journal_version, 'location', location,
           'trigger', triggered_by, 'host', host, 'pid', pid, 'rootdir', rootdir,
           'arguments', arguments, 'git_commit', git_commit, 'git_branch', git_branch,
           'ci_name', ci_name, 'ci_url', ci_url, 'notifies', notifies,
           'slot_at', slot_at, 'lateness_seconds', lateness_seconds, 'versions', versions
       )::text AS started
FROM workflow_monitor.test_sessions
WHERE session_id = ANY (%(session_ids)s::uuid[])

-- name: last_session_id
-- Find the session of a project that started last
SELECT session_id::text AS session_id
FROM workflow_monitor.test_sessions
WHERE project = %(project)s
ORDER BY started_at DESC, session_id DESC
LIMIT 1

-- name: sessions
-- List the latest sessions, newest first
SELECT session_id::text AS session_id, project, environment, location, triggered_by, started_at,
       ended_at, exit_status, is_interrupted, tests_collected, git_commit, git_branch, ci_url,
       executions_total, executions_passed, executions_degraded, executions_failed,
       executions_skipped, executions_flaky
FROM workflow_monitor.test_sessions
WHERE (%(project)s::text IS NULL OR project = %(project)s)
ORDER BY started_at DESC, session_id DESC
LIMIT %(limit)s

-- name: find_session_ids
-- Find sessions by the beginning of their id
SELECT session_id::text AS id
FROM workflow_monitor.test_sessions
WHERE session_id BETWEEN %(low)s::uuid AND %(high)s::uuid
ORDER BY session_id DESC
LIMIT %(limit)s

-- name: find_run_ids
-- Find executions by the beginning of their id
SELECT run_id::text AS id
FROM workflow_monitor.workflow_executions
WHERE run_id BETWEEN %(low)s::uuid AND %(high)s::uuid
ORDER BY run_id DESC
LIMIT %(limit)s

-- name: executions
-- Read whole executions, of some ids or of a session: with attempts, steps, metrics and artifacts
SELECT json_build_object(
    'run_id', execution.run_id, 'session_id', execution.session_id,
    'project', execution.project, 'environment', execution.environment,
    'workflow', version.definition, 'status', execution.status,
    'started_at', execution.started_at, 'completed_at', execution.completed_at,
    'duration_ms', execution.duration_ms, 'is_flaky', execution.is_flaky,
    'labels', execution.labels, 'dimensions', execution.dimensions,
    'steps_total', execution.steps_total, 'steps_passed', execution.steps_passed,
    'steps_failed', execution.steps_failed,
    'attempts', array(
        SELECT json_build_object(
            'record', 'attempt', 'run_id', attempt.run_id, 'number', attempt.attempt,
            'workflow', version.definition, 'status', attempt.status,
            'started_at', attempt.started_at, 'duration_ms', attempt.duration_ms,
            'setup_ms', attempt.setup_ms, 'call_ms', attempt.call_ms,
            'teardown_ms', attempt.teardown_ms, 'will_retry', attempt.will_retry,
            'worker', attempt.worker, 'errors', attempt.errors,
            'skip_reason', attempt.skip_reason, 'degraded', attempt.degraded,
            'labels', attempt.labels, 'dimensions', attempt.dimensions,
            'steps_dropped', attempt.steps_dropped, 'outputs', attempt.outputs,
            'events', attempt.events, 'events_dropped', attempt.events_dropped,
            'pages', attempt.pages,
            'steps', array(
                SELECT json_build_object(
                    'index', step.step_index, 'name', step.step_name,
                    'parent', step.parent_index, 'phase', step.phase, 'status', step.status,
                    'started_ms', step.started_ms, 'duration_ms', step.duration_ms,
                    'error_message', step.error_message, 'optional', step.is_optional,
                    'slower_than_seconds', step.slower_than_seconds
                )
                FROM workflow_monitor.workflow_steps AS step
                WHERE step.run_id = attempt.run_id AND step.attempt = attempt.attempt
                ORDER BY step.step_index
            ),
            'metrics', array(
                SELECT json_build_object(
                    'name', metric.metric_name, 'value', metric.metric_value,
                    'unit', metric.metric_unit, 'threshold_value', metric.threshold_value,
                    'is_within_threshold', metric.is_within_threshold,
                    'step', metric.step_index, 'recorded_ms', metric.recorded_ms, 'page', metric.page
                )
                FROM workflow_monitor.workflow_metrics AS metric
                WHERE metric.run_id = attempt.run_id AND metric.attempt = attempt.attempt
                ORDER BY metric.metric_index
            ),
            'artifacts', array(
                SELECT json_build_object(
                    'name', artifact.artifact_name, 'kind', artifact.kind,
                    'content_type', artifact.content_type, 'size_bytes', artifact.size_bytes,
                    'sha256', artifact.sha256, 'path', artifact.path,
                    'step', artifact.step_index, 'recorded_ms', artifact.recorded_ms,
                    'problem', CASE WHEN artifact.expired_at IS NULL THEN artifact.problem
                        ELSE 'expired' END
                )
                FROM workflow_monitor.workflow_artifacts AS artifact
                WHERE artifact.run_id = attempt.run_id AND artifact.attempt = attempt.attempt
                ORDER BY artifact.artifact_index
            )
        )
        FROM workflow_monitor.workflow_attempts AS attempt
        WHERE attempt.run_id = execution.run_id
        ORDER BY attempt.attempt
    )
)::text AS document
FROM workflow_monitor.workflow_executions AS execution
JOIN workflow_monitor.workflow_versions AS version
    USING (project, workflow_id, definition_hash)
WHERE execution.run_id = ANY (coalesce(
    %(run_ids)s::uuid[],
    array(
        SELECT run_id
        FROM workflow_monitor.workflow_executions
        WHERE session_id = %(session_id)s::uuid
    )
))

-- name: histories
-- List the executions of workflows before given moments, at most so many for each, oldest first
SELECT wanted.position,
       array_to_json(array(
           SELECT json_build_object(
               'run_id', earlier.run_id, 'status', earlier.status,
               'started_at', earlier.started_at, 'duration_ms', earlier.duration_ms,
               'is_flaky', earlier.is_flaky
           )
           FROM (
               SELECT run_id, status, started_at, duration_ms, is_flaky
               FROM workflow_monitor.workflow_executions AS execution
               WHERE execution.project = wanted.project
                 AND execution.workflow_id = wanted.workflow_id
                 AND execution.environment = wanted.environment
                 AND execution.started_at < wanted.before
                 AND execution.status <> 'running'
               ORDER BY started_at DESC
               LIMIT %(limit)s
           ) AS earlier
           ORDER BY earlier.started_at, earlier.run_id
       ))::text AS history
FROM unnest(
    %(projects)s::text[], %(workflow_ids)s::text[], %(environments)s::text[],
    %(befores)s::timestamptz[]
) WITH ORDINALITY AS wanted (project, workflow_id, environment, before, position)

-- name: last_passed
-- For each wanted workflow, read the deciding attempt of the last execution that passed before, or
-- where pictures are compared, of the last one of the days before that left pictures of its steps
SELECT wanted.position,
       json_build_object(
           'record', 'attempt', 'run_id', attempt.run_id, 'number', attempt.attempt,
           'workflow', version.definition, 'status', attempt.status,
           'started_at', attempt.started_at, 'duration_ms', attempt.duration_ms,
           'setup_ms', attempt.setup_ms, 'call_ms', attempt.call_ms,
           'teardown_ms', attempt.teardown_ms, 'worker', attempt.worker,
           'labels', attempt.labels, 'dimensions', attempt.dimensions,
           'steps_dropped', attempt.steps_dropped, 'pages', attempt.pages,
           'steps', array(
               SELECT json_build_object(
                   'index', step.step_index, 'name', step.step_name,
                   'parent', step.parent_index, 'phase', step.phase, 'status', step.status,
                   'started_ms', step.started_ms, 'duration_ms', step.duration_ms,
                   'error_message', step.error_message, 'optional', step.is_optional,
                   'slower_than_seconds', step.slower_than_seconds
               )
               FROM workflow_monitor.workflow_steps AS step
               WHERE step.run_id = attempt.run_id AND step.attempt = attempt.attempt
               ORDER BY step.step_index
           ),
           'artifacts', array(
               SELECT json_build_object(
                   'name', artifact.artifact_name, 'kind', artifact.kind,
                   'content_type', artifact.content_type, 'size_bytes', artifact.size_bytes,
                   'sha256', artifact.sha256, 'path', artifact.path,
                   'step', artifact.step_index, 'recorded_ms', artifact.recorded_ms,
                   'problem', CASE WHEN artifact.expired_at IS NULL THEN artifact.problem
                       ELSE 'expired' END
               )
               FROM workflow_monitor.workflow_artifacts AS artifact
               WHERE artifact.run_id = attempt.run_id AND artifact.attempt = attempt.attempt
               ORDER BY artifact.artifact_index
           )
       )::text AS attempt
FROM unnest(
    %(projects)s::text[], %(workflow_ids)s::text[], %(environments)s::text[],
    %(befores)s::timestamptz[], %(pictured)s::boolean[]
) WITH ORDINALITY AS wanted (project, workflow_id, environment, before, pictured, position)
LEFT JOIN LATERAL (
    SELECT run_id, definition_hash
    FROM workflow_monitor.workflow_executions AS execution
    WHERE wanted.pictured
      AND execution.project = wanted.project
      AND execution.workflow_id = wanted.workflow_id
      AND execution.environment = wanted.environment
      AND execution.started_at < wanted.before
      AND execution.started_at > wanted.before - interval '3 days'
      AND execution.status IN ('passed', 'degraded')
      AND EXISTS (
          SELECT
          FROM workflow_monitor.workflow_artifacts AS picture
          WHERE picture.run_id = execution.run_id AND picture.kind = 'screenshot'
            AND picture.step_index IS NOT NULL AND picture.expired_at IS NULL
      )
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS pictured ON true
LEFT JOIN LATERAL (
    SELECT run_id, definition_hash
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = wanted.project
      AND execution.workflow_id = wanted.workflow_id
      AND execution.environment = wanted.environment
      AND execution.started_at < wanted.before
      AND execution.status = 'passed'
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS latest ON pictured.run_id IS NULL
CROSS JOIN LATERAL (
    SELECT coalesce(pictured.run_id, latest.run_id) AS run_id,
           coalesce(pictured.definition_hash, latest.definition_hash) AS definition_hash
) AS passed
CROSS JOIN LATERAL (
    SELECT *
    FROM workflow_monitor.workflow_attempts
    WHERE run_id = passed.run_id
    ORDER BY attempt DESC
    LIMIT 1
) AS attempt
JOIN workflow_monitor.workflow_versions AS version
    ON version.project = wanted.project AND version.workflow_id = wanted.workflow_id
    AND version.definition_hash = passed.definition_hash

-- name: normal_steps
-- For each wanted workflow, compute how long each step took in its last passed executions; steps
-- are known by the names from the outermost one
WITH RECURSIVE passed AS (
    SELECT wanted.position, attempt.run_id, attempt.attempt
    FROM unnest(
        %(projects)s::text[], %(workflow_ids)s::text[], %(environments)s::text[],
        %(befores)s::timestamptz[]
    ) WITH ORDINALITY AS wanted (project, workflow_id, environment, before, position)
    CROSS JOIN LATERAL (
        SELECT run_id
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = wanted.project
          AND execution.workflow_id = wanted.workflow_id
          AND execution.environment = wanted.environment
          AND execution.started_at < wanted.before
          AND execution.status = 'passed'
        ORDER BY started_at DESC
        LIMIT %(sample_size)s
    ) AS execution
    CROSS JOIN LATERAL (
        SELECT run_id, attempt
        FROM workflow_monitor.workflow_attempts
        WHERE run_id = execution.run_id
        ORDER BY attempt DESC
        LIMIT 1
    ) AS attempt
),
step AS MATERIALIZED (
    SELECT passed.position, step.run_id, step.step_index, step.parent_index, step.step_name,
           step.duration_ms
    FROM passed
    JOIN workflow_monitor.workflow_steps AS step USING (run_id, attempt)
),
located AS (
    SELECT position, run_id, step_index, ARRAY[step_name] AS path, duration_ms
    FROM step
    WHERE parent_index IS NULL
    UNION ALL
    SELECT step.position, step.run_id, step.step_index, located.path || step.step_name,
           step.duration_ms
    FROM located
    JOIN step ON step.position = located.position AND step.run_id = located.run_id
             AND step.parent_index = located.step_index
),
normal AS (
    SELECT position, path, count(*) AS sample_size,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS median_ms,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms
    FROM located
    WHERE duration_ms IS NOT NULL
    GROUP BY position, path
)
SELECT position,
       json_agg(json_build_object(
           'path', path, 'median_ms', median_ms, 'p95_ms', p95_ms, 'sample_size', sample_size
       ) ORDER BY path)::text AS steps
FROM normal
GROUP BY position

-- name: history
-- List a workflow's latest executions without their attempts: the index knows those of each environment
WITH RECURSIVE place AS (
    SELECT workflow.project,
           (
               SELECT min(environment)
               FROM workflow_monitor.workflow_executions AS execution
               WHERE execution.project = workflow.project
                 AND execution.workflow_id = %(workflow_id)s
           ) AS environment
    FROM workflow_monitor.workflows AS workflow
    WHERE workflow.workflow_id = %(workflow_id)s
      AND (%(project)s::text IS NULL OR workflow.project = %(project)s)
    UNION ALL
    SELECT place.project,
           (
               SELECT min(environment)
               FROM workflow_monitor.workflow_executions AS execution
               WHERE execution.project = place.project
                 AND execution.workflow_id = %(workflow_id)s
                 AND execution.environment > place.environment
           )
    FROM place
    WHERE place.environment IS NOT NULL
),
latest AS MATERIALIZED (
    SELECT run.run_id
    FROM place
    CROSS JOIN LATERAL (
        SELECT run_id, started_at
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = place.project
          AND execution.workflow_id = %(workflow_id)s
          AND execution.environment = place.environment
          AND execution.started_at < coalesce(%(before)s::timestamptz, 'infinity')
          AND execution.started_at >= coalesce(%(since)s::timestamptz, '-infinity')
        ORDER BY started_at DESC, run_id DESC
        LIMIT %(limit)s
    ) AS run
    WHERE %(environment)s::text IS NULL OR place.environment = %(environment)s
    ORDER BY run.started_at DESC, run.run_id DESC
    LIMIT %(limit)s
)
SELECT json_build_object(
    'run_id', execution.run_id, 'session_id', execution.session_id,
    'project', execution.project, 'environment', execution.environment,
    'workflow', version.definition, 'status', execution.status,
    'started_at', execution.started_at, 'completed_at', execution.completed_at,
    'duration_ms', execution.duration_ms, 'is_flaky', execution.is_flaky,
    'labels', execution.labels, 'dimensions', execution.dimensions,
    'steps_total', execution.steps_total, 'steps_passed', execution.steps_passed,
    'steps_failed', execution.steps_failed
)::text AS document
FROM workflow_monitor.workflow_executions AS execution
JOIN workflow_monitor.workflow_versions AS version
    USING (project, workflow_id, definition_hash)
WHERE execution.run_id = ANY (ARRAY(SELECT run_id FROM latest))
ORDER BY execution.started_at DESC, execution.run_id DESC

-- name: running
-- List the executions that are running now, oldest first, without their attempts
SELECT json_build_object(
    'run_id', execution.run_id, 'session_id', execution.session_id,
    'project', execution.project, 'environment', execution.environment,
    'workflow', version.definition, 'status', execution.status,
    'started_at', execution.started_at, 'labels', execution.labels,
    'dimensions', execution.dimensions
)::text AS document
FROM workflow_monitor.workflow_executions AS execution
JOIN workflow_monitor.workflow_versions AS version
    USING (project, workflow_id, definition_hash)
WHERE execution.status = 'running'
  AND (%(project)s::text IS NULL OR execution.project = %(project)s)
ORDER BY execution.started_at, execution.run_id

-- name: job_metrics
-- Read the running counters of workflows
SELECT project, workflow_id, environment, run_count, success_count, failure_count, degraded_count,
       flaky_count, skipped_count, total_duration_ms, last_run_id::text AS last_run_id, last_run_at,
       last_status, last_success_at, last_failure_at, consecutive_failures
FROM workflow_monitor.job_metrics
WHERE (%(project)s::text IS NULL OR project = %(project)s)
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
  AND (%(workflow_id)s::text IS NULL OR workflow_id = %(workflow_id)s)
ORDER BY project, workflow_id, environment

-- name: delete_session
-- Remove a session with its executions; running counters stay
DELETE FROM workflow_monitor.test_sessions WHERE session_id = %(session_id)s

-- name: delete_execution
-- Remove an execution with its attempts, steps, metrics and artifacts; running counters stay
DELETE FROM workflow_monitor.workflow_executions WHERE run_id = %(run_id)s
