-- name: lock_project
-- Let one transaction at a time write a project's executions and counters
SELECT pg_advisory_xact_lock(hashtextextended('pytest-workflow-monitor ingest ' || %(project)s, 0))

-- name: begin_session
-- Add a session unless it is there, lock its row, and tell whether and how it ended
INSERT INTO workflow_monitor.test_sessions AS known (
    session_id, project, environment, location, triggered_by, started_at, host, pid, rootdir,
    arguments, git_commit, git_branch, ci_name, ci_url, notifies, slot_at, lateness_seconds,
    versions, journal_version
) VALUES (
    %(session_id)s, %(project)s, %(environment)s, %(location)s, %(triggered_by)s, %(started_at)s,
    %(host)s, %(pid)s, %(rootdir)s, %(arguments)s, %(git_commit)s, %(git_branch)s, %(ci_name)s,
    %(ci_url)s, %(notifies)s, %(slot_at)s, %(lateness_seconds)s, %(versions)s, %(journal_version)s
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
-- Tell which of some executions of a session are there, their status and attempts
SELECT execution.run_id::text AS run_id,
       execution.status,
       array(
           SELECT attempt
           FROM workflow_monitor.workflow_attempts AS attempt
           WHERE attempt.run_id = execution.run_id
       ) AS attempts
FROM workflow_monitor.workflow_executions AS execution
WHERE execution.session_id = %(session_id)s AND execution.run_id = ANY (%(run_ids)s::uuid[])

-- name: running_runs
-- List a session's executions that have not ended
SELECT run_id::text AS run_id
FROM workflow_monitor.workflow_executions
WHERE session_id = %(session_id)s AND status = 'running'

-- name: doubtful_passes
-- Pick passes that had fewer steps, or were much quicker, than all of the last ones before them
SELECT asked.position
FROM unnest(
    %(workflow_ids)b::text[], %(starts)b::timestamptz[], %(steps)b::int4[], %(durations)b::float8[]
) WITH ORDINALITY AS asked (workflow_id, started_at, steps, duration_ms, position)
CROSS JOIN LATERAL (
    SELECT count(*) AS sample_size, max(steps_total) AS most_steps, min(duration_ms) AS fastest_ms
    FROM (
        SELECT steps_total, duration_ms
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = %(project)s
          AND execution.workflow_id = asked.workflow_id
          AND execution.environment = %(environment)s
          AND execution.started_at < asked.started_at
          AND execution.status IN ('passed', 'degraded')
          AND (
              asked.steps > 0
              OR EXISTS ( -- of workflows without steps, only the last execution is looked at
                  SELECT
                  FROM workflow_monitor.job_metrics AS counters
                  JOIN workflow_monitor.workflow_executions AS last
                      ON last.run_id = counters.last_run_id
                  WHERE counters.project = %(project)s
                    AND counters.workflow_id = asked.workflow_id
                    AND counters.environment = %(environment)s
                    AND (last.steps_total > 0 OR last.status = 'degraded')
              )
          )
        ORDER BY started_at DESC
        LIMIT %(sample_size)s
    ) AS earlier
) AS usual
WHERE usual.sample_size = %(sample_size)s
  AND usual.most_steps > 0
  AND (
      asked.steps < usual.most_steps
      OR asked.duration_ms * %(times_quicker)s < usual.fastest_ms
  )
ORDER BY asked.position

-- name: earlier_passes
-- For each wanted workflow, read the deciding attempts of the last executions that passed before
SELECT wanted.position,
       json_build_object(
           'duration_ms', attempt.duration_ms, 'call_ms', attempt.call_ms,
           'steps', array(
               SELECT json_build_object(
                   'index', step.step_index, 'name', step.step_name,
                   'parent', step.parent_index, 'phase', step.phase,
                   'duration_ms', step.duration_ms, 'optional', step.is_optional
               )
               FROM workflow_monitor.workflow_steps AS step
               WHERE step.run_id = attempt.run_id AND step.attempt = attempt.attempt
               ORDER BY step.step_index
           )
       )::text AS pass
FROM unnest(%(workflow_ids)b::text[], %(starts)b::timestamptz[]) WITH ORDINALITY
    AS wanted (workflow_id, started_at, position)
CROSS JOIN LATERAL (
    SELECT run_id
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = %(project)s
      AND execution.workflow_id = wanted.workflow_id
      AND execution.environment = %(environment)s
      AND execution.started_at < wanted.started_at
      AND execution.status IN ('passed', 'degraded')
    ORDER BY started_at DESC
    LIMIT %(sample_size)s
) AS execution
CROSS JOIN LATERAL (
    SELECT run_id, attempt, duration_ms, call_ms
    FROM workflow_monitor.workflow_attempts
    WHERE run_id = execution.run_id
    ORDER BY attempt DESC
    LIMIT 1
) AS attempt
ORDER BY wanted.position

-- name: outdated_definitions
-- Tell which of some definitions are not the latest, since when another is, and if they were once
SELECT asked.position, latest.defined_at,
       latest.defined_at IS NOT NULL AND EXISTS (
           SELECT
           FROM workflow_monitor.workflow_versions AS version
           WHERE version.project = %(project)s
             AND version.workflow_id = asked.workflow_id
             AND version.definition_hash = asked.definition_hash
       ) AS is_stored
FROM unnest(%(workflow_ids)b::text[], %(hashes)s::uuid[]) WITH ORDINALITY
    AS asked (workflow_id, definition_hash, position)
LEFT JOIN LATERAL (
    SELECT definition_hash, defined_at
    FROM workflow_monitor.workflows AS workflow
    WHERE workflow.project = %(project)s AND workflow.workflow_id = asked.workflow_id
    LIMIT 1 -- looks into the primary key for each, whatever the planner believes of new tables
) AS latest ON true
WHERE latest.definition_hash IS DISTINCT FROM asked.definition_hash
ORDER BY asked.position

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

-- name: count_executions
-- Count executions that ended, and name the workflows whose last run is to be found out anew
WITH ended AS (
    SELECT workflow_id, run_id, started_at, status, is_flaky,
           status IN ('passed', 'degraded') AS is_success,
           status NOT IN ('passed', 'degraded', 'skipped') AS is_problem,
           CASE status WHEN 'skipped' THEN 0 ELSE coalesce(duration_ms, 0) END AS counted_ms,
           count(*) OVER latest_first AS place,
           count(*) FILTER (WHERE status IN ('passed', 'degraded')) OVER latest_first AS successes
    FROM workflow_monitor.workflow_executions
    WHERE run_id = ANY (%(run_ids)s::uuid[])
    WINDOW latest_first AS (
        PARTITION BY workflow_id
        ORDER BY started_at DESC, run_id DESC
        ROWS UNBOUNDED PRECEDING
    )
),
change AS (
    SELECT workflow_id,
           count(*) AS run_count,
           count(*) FILTER (WHERE is_success) AS success_count,
           count(*) FILTER (WHERE is_problem) AS failure_count,
           count(*) FILTER (WHERE status = 'degraded') AS degraded_count,
           count(*) FILTER (WHERE is_flaky) AS flaky_count,
           count(*) FILTER (WHERE status = 'skipped') AS skipped_count,
           sum(counted_ms) AS total_duration_ms,
           min(started_at) AS first_run_at,
           max(run_id::text) FILTER (WHERE place = 1) AS last_run_id,
           max(started_at) AS last_run_at,
           max(status) FILTER (WHERE place = 1) AS last_status,
           max(started_at) FILTER (WHERE is_success) AS last_success_at,
           max(started_at) FILTER (WHERE is_problem) AS last_failure_at,
           count(*) FILTER (WHERE is_problem AND successes = 0) AS consecutive_failures
    FROM ended
    GROUP BY workflow_id
),
counted AS (
    INSERT INTO workflow_monitor.job_metrics AS counters (
        project, workflow_id, environment, run_count, success_count, failure_count,
        degraded_count, flaky_count, skipped_count, total_duration_ms, last_run_id, last_run_at,
        last_status, last_success_at, last_failure_at, consecutive_failures
    )
    SELECT %(project)s, workflow_id, %(environment)s, run_count, success_count, failure_count,
           degraded_count, flaky_count, skipped_count, total_duration_ms,
           CASE WHEN run_count = 1 -- compared below
               OR first_run_at > coalesce(
                   (
                       SELECT known.last_run_at
                       FROM workflow_monitor.job_metrics AS known
                       WHERE known.project = %(project)s
                         AND known.workflow_id = change.workflow_id
                         AND known.environment = %(environment)s
                   ),
                   '-infinity'
               )
               THEN last_run_id::uuid
           END,
           last_run_at, last_status, last_success_at, last_failure_at, consecutive_failures
    FROM change
    ON CONFLICT (project, workflow_id, environment) DO UPDATE
    SET run_count = counters.run_count + excluded.run_count,
        success_count = counters.success_count + excluded.success_count,
        failure_count = counters.failure_count + excluded.failure_count,
        degraded_count = counters.degraded_count + excluded.degraded_count,
        flaky_count = counters.flaky_count + excluded.flaky_count,
        skipped_count = counters.skipped_count + excluded.skipped_count,
        total_duration_ms = counters.total_duration_ms + excluded.total_duration_ms,
        last_run_id = CASE
            WHEN excluded.last_run_at > counters.last_run_at THEN excluded.last_run_id
        END,
        last_run_at = excluded.last_run_at,
        last_status = excluded.last_status,
        last_success_at = coalesce(excluded.last_success_at, counters.last_success_at),
        last_failure_at = coalesce(excluded.last_failure_at, counters.last_failure_at),
        consecutive_failures = excluded.consecutive_failures + CASE
            WHEN excluded.last_success_at IS NULL THEN counters.consecutive_failures ELSE 0
        END
    RETURNING workflow_id, last_run_id
)
SELECT workflow_id FROM counted WHERE last_run_id IS NULL

-- name: uncount_executions
-- Take back executions that are about to end differently, and name their workflows
UPDATE workflow_monitor.job_metrics AS counters
SET run_count = counters.run_count - ended.run_count,
    success_count = counters.success_count - ended.success_count,
    failure_count = counters.failure_count - ended.failure_count,
    degraded_count = counters.degraded_count - ended.degraded_count,
    flaky_count = counters.flaky_count - ended.flaky_count,
    skipped_count = counters.skipped_count - ended.skipped_count,
    total_duration_ms = counters.total_duration_ms - ended.total_duration_ms
FROM (
    SELECT workflow_id,
           count(*) AS run_count,
           count(*) FILTER (WHERE status IN ('passed', 'degraded')) AS success_count,
           count(*) FILTER (WHERE status NOT IN ('passed', 'degraded', 'skipped')) AS failure_count,
           count(*) FILTER (WHERE status = 'degraded') AS degraded_count,
           count(*) FILTER (WHERE is_flaky) AS flaky_count,
           count(*) FILTER (WHERE status = 'skipped') AS skipped_count,
           coalesce(sum(duration_ms) FILTER (WHERE status <> 'skipped'), 0) AS total_duration_ms
    FROM workflow_monitor.workflow_executions
    WHERE run_id = ANY (%(run_ids)s::uuid[])
    GROUP BY workflow_id
) AS ended
WHERE counters.project = %(project)s
  AND counters.workflow_id = ended.workflow_id
  AND counters.environment = %(environment)s
RETURNING counters.workflow_id

-- name: recount_last
-- Work out anew, from the executions, what the counters say about the latest of them
UPDATE workflow_monitor.job_metrics AS counters
SET (
    last_run_id, last_run_at, last_status, last_success_at, last_failure_at, consecutive_failures
) = (
    SELECT last.run_id, last.started_at, last.status, success.started_at, failure.started_at,
           (
               SELECT count(*)
               FROM workflow_monitor.workflow_executions AS later
               WHERE later.project = counters.project
                 AND later.workflow_id = counters.workflow_id
                 AND later.environment = counters.environment
                 AND later.status NOT IN ('passed', 'degraded', 'skipped', 'running')
                 AND (
                     success.started_at IS NULL
                     OR (later.started_at, later.run_id) > (success.started_at, success.run_id)
                 )
           )
    FROM (SELECT) AS one
    LEFT JOIN LATERAL (
        SELECT run_id, started_at, status
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = counters.project
          AND execution.workflow_id = counters.workflow_id
          AND execution.environment = counters.environment
          AND status <> 'running'
        ORDER BY started_at DESC, run_id DESC
        LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT run_id, started_at
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = counters.project
          AND execution.workflow_id = counters.workflow_id
          AND execution.environment = counters.environment
          AND status IN ('passed', 'degraded')
        ORDER BY started_at DESC, run_id DESC
        LIMIT 1
    ) AS success ON true
    LEFT JOIN LATERAL (
        SELECT started_at
        FROM workflow_monitor.workflow_executions AS execution
        WHERE execution.project = counters.project
          AND execution.workflow_id = counters.workflow_id
          AND execution.environment = counters.environment
          AND status NOT IN ('passed', 'degraded', 'skipped', 'running')
        ORDER BY started_at DESC, run_id DESC
        LIMIT 1
    ) AS failure ON true
)
WHERE counters.project = %(project)s
  AND counters.environment = %(environment)s
  AND counters.workflow_id = ANY (%(workflow_ids)s::text[])
