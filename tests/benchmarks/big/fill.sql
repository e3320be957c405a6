-- name: big_workflows
-- Define workflows
INSERT INTO workflow_monitor.workflows (
    project, workflow_id, workflow_name, type, priority, owner, tags, enabled, definition,
    definition_hash, defined_at
)
SELECT 'shop', 'workflow-' || n, 'Workflow ' || n, 'browser',
       (ARRAY['critical', 'high', 'medium', 'low'])[1 + n %% 4], 'team-' || n %% 20,
       '["shop", "generated"]', true,
       jsonb_build_object(
           'workflow_id', 'workflow-' || n, 'name', 'Workflow ' || n,
           'nodeid', 'workflows/test_it.py::test_' || n, 'file', 'workflows/test_it.py',
           'cron', '*/30 * * * *', 'priority',
           (ARRAY['critical', 'high', 'medium', 'low'])[1 + n %% 4]
       ),
       md5('workflow-' || n)::uuid, %(begin)s
FROM generate_series(0, %(workflows)s - 1) AS n

-- name: big_versions
-- Note their versions
INSERT INTO workflow_monitor.workflow_versions
SELECT project, workflow_id, definition_hash, definition FROM workflow_monitor.workflows

-- name: big_day
-- Make the sessions, executions and attempts of a day: ten workflows in a session, in turns
WITH session AS MATERIALIZED (
    SELECT s, at,
           (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
               || substr(md5(at::text), 1, 19))::uuid AS session_id
    FROM generate_series(0, %(sessions)s - 1) AS s,
         LATERAL (SELECT %(day)s::timestamptz + s * (interval '1 day' / %(sessions)s) AS at) AS t
),
new_session AS (
    INSERT INTO workflow_monitor.test_sessions (
        session_id, project, environment, location, triggered_by, started_at, ended_at,
        exit_status, tests_collected, host, pid, rootdir, arguments, git_commit, git_branch,
        ci_name, ci_url, notifies, slot_at, versions, journal_version, executions_total,
        executions_passed
    )
    SELECT session_id, 'shop', 'production', 'eu-west', 'schedule', at, at + interval '20 s', 0,
           10, 'runner-1', 4242, '/srv/shop', '[]', md5(%(day)s::text), 'main', '', '', true, at,
           '{"python": "3.12"}', 1, 10, 10
    FROM session
),
run AS MATERIALIZED (
    SELECT session_id, at + k * interval '1.8 s' AS started_at,
           'workflow-' || ((s %% (%(workflows)s / 10)) * 10 + k) AS workflow_id,
           (ARRAY['critical', 'high', 'medium', 'low'])[
               1 + ((s %% (%(workflows)s / 10)) * 10 + k) %% 4] AS priority,
           (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint + k * 1800), 12, '0') || '7'
               || substr(md5(at::text || k), 1, 19))::uuid AS run_id,
           exp(7.2 + 0.35 * (random() + random() + random() + random() - 2) * 1.73) AS took,
           random() AS luck
    FROM session, generate_series(0, 9) AS k
),
judged AS MATERIALIZED (
    SELECT run.*,
           CASE WHEN luck < 0.02 THEN 'failed' WHEN luck < 0.03 THEN 'degraded' ELSE 'passed' END
               AS status,
           luck > 0.99 AS is_flaky,
           CASE WHEN luck < 0.02 THEN substr(md5((luck * 10000)::integer::text), 1, 16) END
               AS fingerprint
    FROM run
),
new_run AS (
    INSERT INTO workflow_monitor.workflow_executions (
        run_id, session_id, project, workflow_id, environment, location, workflow_name,
        definition_hash, priority, triggered_by, status, started_at, completed_at, duration_ms,
        is_flaky, attempts_total, steps_total, steps_passed, steps_failed, error_message,
        error_stack, fingerprint, labels, dimensions, tags
    )
    SELECT run_id, session_id, 'shop', workflow_id, 'production', 'eu-west',
           'Workflow ' || substr(workflow_id, 10), md5(workflow_id)::uuid, priority, 'schedule',
           status, started_at, started_at + took * interval '1 ms', took, is_flaky,
           1 + is_flaky::integer, 5, 5 - (status = 'failed')::integer,
           (status = 'failed')::integer,
           CASE status WHEN 'failed' THEN 'Locator expected to have text, but it had none' END,
           CASE status WHEN 'failed' THEN repeat('workflows/test_it.py:42: in test_it ', 20) END,
           fingerprint, '{}', '{"browser": "chromium"}', '["shop", "generated"]'
    FROM judged
)
INSERT INTO workflow_monitor.workflow_attempts (
    run_id, attempt, status, started_at, duration_ms, setup_ms, call_ms, teardown_ms, will_retry,
    worker, steps_dropped, skip_reason, errors, outputs, degraded, labels, dimensions
)
SELECT run_id, attempt,
       CASE WHEN attempt <= is_flaky::integer THEN 'failed' ELSE status END,
       started_at, took, took * 0.1, took * 0.85, took * 0.05, attempt <= is_flaky::integer, '', 0,
       '',
       CASE WHEN status = 'failed' OR attempt <= is_flaky::integer THEN jsonb_build_array(
           jsonb_build_object('phase', 'call', 'type', 'AssertionError', 'message',
               'Locator expected to have text, but it had none', 'file', 'workflows/test_it.py',
               'line', 42, 'fingerprint', coalesce(fingerprint, 'f1a1c0f1a1c0f1a1')))
       ELSE '[]' END,
       CASE WHEN %(with_logs)s THEN jsonb_build_array(jsonb_build_object(
           'name', 'Captured stdout call', 'text', repeat('a line of output ', 12)))
       ELSE '[]' END,
       '[]', '{}', '{"browser": "chromium"}'
FROM judged, generate_series(1, 1 + is_flaky::integer) AS attempt

-- name: big_steps
-- Make the steps of a day
INSERT INTO workflow_monitor.workflow_steps
SELECT run_id, attempts_total, n, NULL,
       (ARRAY['Open the page', 'Sign in', 'Fill the form', 'Send it', 'Check'])[n + 1], 'call',
       CASE WHEN status = 'failed' AND n = 4 THEN 'failed' ELSE 'passed' END,
       duration_ms * n / 5, duration_ms / 5 * (0.8 + 0.4 * random()), '', false, NULL
FROM workflow_monitor.workflow_executions, generate_series(0, 4) AS n
WHERE started_at >= %(day)s AND started_at < %(day)s::timestamptz + interval '1 day'

-- name: big_metrics
-- Make the metrics of a day
INSERT INTO workflow_monitor.workflow_metrics (
    run_id, attempt, metric_index, metric_name, metric_value, metric_unit, threshold_value,
    is_within_threshold, step_index, recorded_at, recorded_ms
)
SELECT run_id, attempts_total, n, (ARRAY['ttfb', 'lcp'])[n + 1], duration_ms / (8 - 4 * n), 'ms',
       4000, true, n, started_at, 10
FROM workflow_monitor.workflow_executions, generate_series(0, 1) AS n
WHERE started_at >= %(day)s AND started_at < %(day)s::timestamptz + interval '1 day'

-- name: big_hours
-- Name the hours of a day and its workflows
SELECT array_agg('production'::text) AS environments, array_agg(workflow_id) AS workflow_ids,
       array_agg(starts_at) AS starts
FROM (
    SELECT DISTINCT workflow_id, date_trunc('hour', started_at, 'UTC') AS starts_at
    FROM workflow_monitor.workflow_executions
    WHERE started_at >= %(day)s AND started_at < %(day)s::timestamptz + interval '1 day'
) AS hours

-- name: big_counters
-- Count all, as ingest would have
INSERT INTO workflow_monitor.job_metrics (
    project, workflow_id, environment, run_count, success_count, failure_count, degraded_count,
    flaky_count, skipped_count, total_duration_ms, last_run_id, last_run_at, last_status,
    last_success_at, last_failure_at, consecutive_failures
)
SELECT 'shop', workflow.workflow_id, 'production', total.runs, total.runs - total.failed,
       total.failed, total.degraded, total.flaky, 0, total.total_ms, last.run_id, last.started_at,
       last.status, total.success_at, total.failure_at, (last.status = 'failed')::integer
FROM workflow_monitor.workflows AS workflow
CROSS JOIN LATERAL (
    SELECT sum(runs) AS runs, sum(failed) AS failed, sum(degraded) AS degraded, sum(flaky) AS flaky,
           sum(total_ms) AS total_ms, max(starts_at) FILTER (WHERE passed > 0) AS success_at,
           max(starts_at) FILTER (WHERE failed > 0) AS failure_at
    FROM workflow_monitor.workflow_days AS day
    WHERE day.project = 'shop' AND day.environment = 'production'
      AND day.workflow_id = workflow.workflow_id
) AS total
CROSS JOIN LATERAL (
    SELECT run_id, started_at, status
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = 'shop' AND execution.environment = 'production'
      AND execution.workflow_id = workflow.workflow_id
    ORDER BY started_at DESC
    LIMIT 1
) AS last

-- name: big_prunings
-- Note that all of it was pruned until now
INSERT INTO workflow_monitor.prunings (project, class, before, reached)
VALUES ('shop', 'executions', %(executions)s, NULL),
       ('shop', 'details', %(details)s, %(details)s),
       ('shop', 'logs', %(logs)s, %(logs)s)

-- name: big_schedules
-- Schedule every workflow every half an hour
INSERT INTO workflow_monitor.workflow_schedules (
    project, workflow_id, environment, workflow_name, nodeid, priority, cron_expression, timezone,
    queue, overlap, grace_seconds, limit_seconds, enabled, collected_at, next_run_at
)
SELECT project, workflow_id, 'production', workflow_name, definition ->> 'nodeid', priority,
       '*/30 * * * *', 'UTC', 'default', 'skip', 900, 600, true, %(end)s,
       date_trunc('hour', now()) + interval '1 hour'
FROM workflow_monitor.workflows

-- name: big_slots
-- Record the slots of the executions since a time, as done
INSERT INTO workflow_monitor.workflow_slots (
    project, workflow_id, environment, slot_at, status, reason, queue, claimed_at, claimed_by,
    tries, started_at, ended_at, session_id, exit_code
)
SELECT execution.project, execution.workflow_id, execution.environment, session.slot_at, 'done', '',
       'default', session.slot_at, 'runner-1', 1, session.started_at, session.ended_at,
       session.session_id, 0
FROM workflow_monitor.workflow_executions AS execution
JOIN workflow_monitor.test_sessions AS session USING (session_id)
WHERE execution.started_at >= %(since)s
