-- name: copy_workflows
-- Add new workflows
COPY workflow_monitor.workflows (
    project, workflow_id, workflow_name, type, priority, owner, tags, enabled, definition,
    definition_hash, defined_at
) FROM STDIN (FORMAT BINARY)

-- name: copy_versions
-- Add new versions of workflows
COPY workflow_monitor.workflow_versions (project, workflow_id, definition_hash, definition)
FROM STDIN (FORMAT BINARY)

-- name: copy_executions
-- Add executions
COPY workflow_monitor.workflow_executions (
    run_id, session_id, project, workflow_id, environment, location, workflow_name,
    definition_hash, priority, triggered_by, status, started_at, completed_at, duration_ms,
    is_flaky, attempts_total, steps_total, steps_passed, steps_failed, error_message, error_stack,
    fingerprint, labels, dimensions, tags
) FROM STDIN (FORMAT BINARY)

-- name: copy_attempts
-- Add attempts
COPY workflow_monitor.workflow_attempts (
    run_id, attempt, status, started_at, duration_ms, setup_ms, call_ms, teardown_ms, will_retry,
    worker, steps_dropped, skip_reason, errors, outputs, degraded, labels, dimensions,
    events, events_dropped, pages
) FROM STDIN (FORMAT BINARY)

-- name: copy_steps
-- Add the steps of new attempts
COPY workflow_monitor.workflow_steps (
    run_id, attempt, step_index, parent_index, step_name, phase, status, started_ms, duration_ms,
    error_message, is_optional, slower_than_seconds
) FROM STDIN (FORMAT BINARY)

-- name: copy_metrics
-- Add the metrics of new attempts
COPY workflow_monitor.workflow_metrics (
    run_id, attempt, metric_index, metric_name, metric_value, metric_unit, threshold_value,
    is_within_threshold, step_index, recorded_at, recorded_ms, page
) FROM STDIN (FORMAT BINARY)

-- name: copy_artifacts
-- Add the artifacts of new attempts
COPY workflow_monitor.workflow_artifacts (
    run_id, attempt, artifact_index, artifact_name, kind, content_type, size_bytes, sha256, path,
    step_index, recorded_at, recorded_ms, problem
) FROM STDIN (FORMAT BINARY)
