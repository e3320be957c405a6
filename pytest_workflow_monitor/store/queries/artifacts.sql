-- name: waiting_uploads
-- List files that have not been copied elsewhere yet, the oldest first
SELECT path, min(recorded_at) AS recorded_at
FROM workflow_monitor.workflow_artifacts
JOIN workflow_monitor.workflow_executions USING (run_id)
WHERE path <> '' AND expired_at IS NULL AND uploaded_at IS NULL AND project = %(project)s
GROUP BY path
ORDER BY min(recorded_at)
LIMIT %(limit)s

-- name: note_uploaded
-- Note that files have been copied
UPDATE workflow_monitor.workflow_artifacts
SET uploaded_at = now()
WHERE path = ANY (%(paths)s) AND uploaded_at IS NULL AND expired_at IS NULL

-- name: expirable_artifacts
-- List the artifacts of a project that may go one day, in the order in which they should: passes
-- and repeats of a known failure before all others, each kind from its oldest. The last good
-- evidence of each workflow, and the first of each kind of failure, are not among them.
WITH evidence AS (
    SELECT artifact.run_id, artifact.attempt, artifact.artifact_index, artifact.artifact_name,
           artifact.path, artifact.size_bytes, execution.workflow_id, execution.environment,
           execution.status, execution.is_flaky, execution.started_at, execution.fingerprint,
           count(*) OVER (PARTITION BY artifact.path) AS users
    FROM workflow_monitor.workflow_artifacts AS artifact
    JOIN workflow_monitor.workflow_executions AS execution USING (run_id)
    WHERE artifact.path <> '' AND artifact.expired_at IS NULL AND execution.project = %(project)s
),
last_good AS (
    SELECT DISTINCT ON (workflow_id, environment) run_id
    FROM evidence
    WHERE status = 'passed'
    ORDER BY workflow_id, environment, started_at DESC, run_id DESC
),
first_of_its_kind AS (
    SELECT DISTINCT ON (workflow_id, environment, fingerprint) run_id
    FROM evidence
    WHERE fingerprint IS NOT NULL
    ORDER BY workflow_id, environment, fingerprint, started_at, run_id
),
sorted AS (
    SELECT evidence.*, CASE
        WHEN status IN ('passed', 'skipped') AND NOT is_flaky THEN 'pass'
        WHEN fingerprint IS NOT NULL THEN 'repeat'
        ELSE 'other' END AS reason
    FROM evidence
    WHERE run_id NOT IN (SELECT run_id FROM last_good)
      AND run_id NOT IN (SELECT run_id FROM first_of_its_kind)
)
SELECT run_id::text AS run_id, attempt, artifact_index, artifact_name, path, size_bytes,
       workflow_id, environment, status, started_at, reason, users
FROM sorted
ORDER BY reason = 'other', started_at, run_id, attempt, artifact_index

-- name: kept_bytes
-- Add up the files of a project, each content once
SELECT count(*) AS files, coalesce(sum(size_bytes), 0)::bigint AS size_bytes
FROM (
    SELECT DISTINCT artifact.path, artifact.size_bytes
    FROM workflow_monitor.workflow_artifacts AS artifact
    JOIN workflow_monitor.workflow_executions USING (run_id)
    WHERE artifact.path <> '' AND artifact.expired_at IS NULL AND project = %(project)s
) AS files

-- name: expire_artifacts
-- Note that artifacts have expired; their rows stay
UPDATE workflow_monitor.workflow_artifacts AS artifact
SET expired_at = now()
FROM unnest(%(run_ids)s::uuid[], %(attempts)s::int[], %(indexes)s::int[])
    AS gone (run_id, attempt, artifact_index)
WHERE artifact.run_id = gone.run_id AND artifact.attempt = gone.attempt
  AND artifact.artifact_index = gone.artifact_index AND artifact.expired_at IS NULL

-- name: unused_paths
-- Of some files, those that no artifact needs any more
SELECT path
FROM unnest(%(paths)s::text[]) AS given (path)
WHERE NOT EXISTS (
    SELECT FROM workflow_monitor.workflow_artifacts AS artifact
    WHERE artifact.path = given.path AND artifact.expired_at IS NULL
)
