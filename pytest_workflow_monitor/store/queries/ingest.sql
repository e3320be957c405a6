-- name: lock_project
-- Let one transaction at a time write a project's executions and counters
SELECT pg_advisory_xact_lock(hashtextextended('pytest-workflow-monitor ingest ' || %(project)s, 0))

-- name: begin_session
-- Add a session unless it is there, lock its row, and tell whether and how it ended
INSERT INTO workflow_monitor.test_sessions AS known (
    session_id, project, environment, location, triggered_by, started_at, host, pid, rootdir,
    arguments, git_commit, git_branch, ci_name, ci_url, versions, journal_version
) VALUES (
    %(session_id)s, %(project)s, %(environment)s, %(location)s, %(triggered_by)s, %(started_at)s,
    %(host)s, %(pid)s, %(rootdir)s, %(arguments)s, %(git_commit)s, %(git_branch)s, %(ci_name)s,
    %(ci_url)s, %(versions)s, %(journal_version)s
)
ON CONFLICT (session_id) DO UPDATE SET session_id = known.session_id
RETURNING ended_at

-- name: end_session
-- Note how a session ended; what pytest itself said wins over what was concluded from its death
UPDATE workflow_monitor.test_sessions
SET ended_at = %(ended_at)s,
    exit_status = %(exit_status)s,
    tests_collected = %(tests_collected)s,
    is_interrupted = %(is_interrupted)s
WHERE session_id = %(session_id)s
  AND (ended_at IS NULL OR (exit_status IS NULL AND %(exit_status)s::integer IS NOT NULL))

-- name: count_session
-- Bring a session's totals up to date
UPDATE workflow_monitor.test_sessions AS session
SET executions_total = found.total,
    executions_passed = found.passed,
    executions_degraded = found.degraded,
    executions_failed = found.failed,
    executions_skipped = found.skipped,
    executions_flaky = found.flaky
FROM (
    SELECT count(*) AS total,
           count(*) FILTER (WHERE status = 'passed') AS passed,
           count(*) FILTER (WHERE status = 'degraded') AS degraded,
           count(*) FILTER (WHERE status NOT IN ('passed', 'degraded', 'skipped', 'running'))
               AS failed,
           count(*) FILTER (WHERE status = 'skipped') AS skipped,
           count(*) FILTER (WHERE is_flaky) AS flaky
    FROM workflow_monitor.workflow_executions
    WHERE session_id = %(session_id)s
) AS found
WHERE session.session_id = %(session_id)s

-- name: known_runs
-- Tell which of some executions are there, how they stand, and which of their attempts are there
SELECT execution.run_id::text AS run_id,
       execution.workflow_id,
       execution.status,
       execution.started_at,
       execution.duration_ms,
       execution.is_flaky,
       array(
           SELECT attempt
           FROM workflow_monitor.workflow_attempts AS attempt
           WHERE attempt.run_id = execution.run_id
       ) AS attempts
FROM workflow_monitor.workflow_executions AS execution
WHERE execution.run_id = ANY (%(run_ids)s::uuid[])

-- name: running_runs
-- List a session's executions that have not ended
SELECT run_id::text AS run_id
FROM workflow_monitor.workflow_executions
WHERE session_id = %(session_id)s AND status = 'running'

-- name: known_workflows
-- Tell which of some workflows are there, with their latest version
SELECT workflow_id, definition_hash, defined_at
FROM workflow_monitor.workflows
WHERE project = %(project)s AND workflow_id = ANY (%(workflow_ids)s::text[])

-- name: known_versions
-- Tell which of some versions of workflows are there
SELECT version.workflow_id, version.definition_hash
FROM unnest(%(workflow_ids)s::text[], %(hashes)s::uuid[]) AS asked (workflow_id, definition_hash)
JOIN workflow_monitor.workflow_versions AS version
    ON version.project = %(project)s
    AND version.workflow_id = asked.workflow_id
    AND version.definition_hash = asked.definition_hash

-- name: update_workflows
-- Replace workflows by newer definitions
UPDATE workflow_monitor.workflows AS workflow
SET workflow_name = changed.workflow_name,
    type = changed.type,
    priority = changed.priority,
    owner = changed.owner,
    tags = changed.tags,
    enabled = changed.enabled,
    definition = changed.definition,
    definition_hash = changed.definition_hash,
    defined_at = changed.defined_at
FROM json_populate_recordset(NULL::workflow_monitor.workflows, %(rows)s::json) AS changed
WHERE workflow.project = changed.project AND workflow.workflow_id = changed.workflow_id

-- name: update_executions
-- Replace what is derived from an execution's attempts
UPDATE workflow_monitor.workflow_executions AS execution
SET status = changed.status,
    definition_hash = changed.definition_hash,
    workflow_name = changed.workflow_name,
    priority = changed.priority,
    started_at = changed.started_at,
    completed_at = changed.completed_at,
    duration_ms = changed.duration_ms,
    is_flaky = changed.is_flaky,
    attempts_total = changed.attempts_total,
    steps_total = changed.steps_total,
    steps_passed = changed.steps_passed,
    steps_failed = changed.steps_failed,
    error_message = changed.error_message,
    error_stack = changed.error_stack,
    fingerprint = changed.fingerprint,
    labels = changed.labels,
    dimensions = changed.dimensions,
    tags = changed.tags
FROM json_populate_recordset(NULL::workflow_monitor.workflow_executions, %(rows)s::json)
    AS changed
WHERE execution.run_id = changed.run_id

-- name: known_counters
-- Read the counters of some workflows
SELECT workflow_id, run_count, success_count, failure_count, degraded_count, flaky_count,
       skipped_count, total_duration_ms, last_run_id::text AS last_run_id, last_run_at, last_status,
       last_success_at, last_failure_at, consecutive_failures
FROM workflow_monitor.job_metrics
WHERE project = %(project)s
  AND environment = %(environment)s
  AND workflow_id = ANY (%(workflow_ids)s::text[])

-- name: update_counters
-- Replace counters
UPDATE workflow_monitor.job_metrics AS counters
SET run_count = changed.run_count,
    success_count = changed.success_count,
    failure_count = changed.failure_count,
    degraded_count = changed.degraded_count,
    flaky_count = changed.flaky_count,
    skipped_count = changed.skipped_count,
    total_duration_ms = changed.total_duration_ms,
    last_run_id = changed.last_run_id,
    last_run_at = changed.last_run_at,
    last_status = changed.last_status,
    last_success_at = changed.last_success_at,
    last_failure_at = changed.last_failure_at,
    consecutive_failures = changed.consecutive_failures
FROM json_populate_recordset(NULL::workflow_monitor.job_metrics, %(rows)s::json) AS changed
WHERE counters.project = changed.project
  AND counters.workflow_id = changed.workflow_id
  AND counters.environment = changed.environment

-- name: recount_last
-- Work out anew, from the executions, what the counters say about the latest of them
SELECT key.workflow_id,
       last.run_id::text AS last_run_id,
       last.started_at AS last_run_at,
       last.status AS last_status,
       success.started_at AS last_success_at,
       failure.started_at AS last_failure_at,
       (
           SELECT count(*)
           FROM workflow_monitor.workflow_executions AS later
           WHERE later.project = %(project)s
             AND later.workflow_id = key.workflow_id
             AND later.environment = %(environment)s
             AND later.status NOT IN ('passed', 'degraded', 'skipped', 'running')
             AND (
                 success.started_at IS NULL
                 OR (later.started_at, later.run_id) > (success.started_at, success.run_id)
             )
       ) AS consecutive_failures
FROM unnest(%(workflow_ids)s::text[]) AS key (workflow_id)
LEFT JOIN LATERAL (
    SELECT run_id, started_at, status
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s AND workflow_id = key.workflow_id
      AND environment = %(environment)s AND status <> 'running'
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT run_id, started_at
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s AND workflow_id = key.workflow_id
      AND environment = %(environment)s AND status IN ('passed', 'degraded')
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS success ON true
LEFT JOIN LATERAL (
    SELECT started_at
    FROM workflow_monitor.workflow_executions
    WHERE project = %(project)s AND workflow_id = key.workflow_id
      AND environment = %(environment)s
      AND status NOT IN ('passed', 'degraded', 'skipped', 'running')
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS failure ON true
