-- part: columns_of_a_schedule
-- A schedule as programs know it
project, workflow_id, environment, workflow_name, nodeid, priority, queue, overlap,
grace_seconds, limit_seconds, collected_at, cron_expression, every_seconds, timezone,
enabled, disabled_until, disabled_by, disabled_reason, removed_at, last_run_at,
last_status, next_run_at, run_count, success_count, failure_count, missed_count

-- part: columns_of_a_slot
-- A slot as programs know it
slot_id, project, workflow_id, environment, slot_at, status, queue, claimed_at,
claimed_by, reason, job_id, tries, started_at, ended_at, session_id::text AS session_id,
exit_code, covers

-- name: lock_catalogue
-- Let one transaction at a time bring the schedules of an environment up to date
SELECT pg_advisory_xact_lock(
    hashtextextended(
        'pytest-workflow-monitor catalogue ' || %(project)s || ' ' || %(environment)s, 0
    )
)

-- name: schedules
-- List schedules by workflow
SELECT {columns_of_a_schedule}
FROM workflow_monitor.workflow_schedules
WHERE project = %(project)s AND environment = %(environment)s
  AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
  AND (%(with_removed)s OR removed_at IS NULL)
ORDER BY workflow_id

-- name: catalogue_mark
-- Say in two values what the schedules of an environment are like
SELECT count(*) AS schedules, max(collected_at) AS collected_at
FROM workflow_monitor.workflow_schedules
WHERE project = %(project)s AND environment = %(environment)s AND removed_at IS NULL

-- name: set_schedules
-- Add schedules, or bring what the code says of them up to date
INSERT INTO workflow_monitor.workflow_schedules AS known (
    project, workflow_id, environment, workflow_name, nodeid, priority, cron_expression,
    every_seconds, timezone, queue, overlap, grace_seconds, limit_seconds, enabled, collected_at,
    next_run_at
)
SELECT project, workflow_id, environment, workflow_name, nodeid, priority, cron_expression,
       every_seconds, timezone, queue, overlap, grace_seconds, limit_seconds, enabled,
       collected_at, next_run_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given (
    project text, workflow_id text, environment text, workflow_name text, nodeid text,
    priority text, cron_expression text, every_seconds double precision, timezone text,
    queue text, overlap text, grace_seconds double precision, limit_seconds double precision,
    enabled boolean, collected_at timestamptz, next_run_at timestamptz
)
ON CONFLICT (project, workflow_id, environment) DO UPDATE
SET workflow_name = excluded.workflow_name, nodeid = excluded.nodeid,
    priority = excluded.priority, cron_expression = excluded.cron_expression,
    every_seconds = excluded.every_seconds, timezone = excluded.timezone,
    queue = excluded.queue, overlap = excluded.overlap,
    grace_seconds = excluded.grace_seconds, limit_seconds = excluded.limit_seconds,
    enabled = excluded.enabled, collected_at = excluded.collected_at,
    next_run_at = excluded.next_run_at, removed_at = NULL

-- name: remove_schedules
-- Note that the code has some schedules no more, and name those that it had until now
UPDATE workflow_monitor.workflow_schedules
SET removed_at = %(at)s, next_run_at = NULL
WHERE project = %(project)s AND environment = %(environment)s
  AND workflow_id = ANY (%(workflow_ids)s::text[]) AND removed_at IS NULL
RETURNING workflow_id

-- name: disable_schedules
-- Let an operator stop schedules for a while, and name those that there are
UPDATE workflow_monitor.workflow_schedules
SET disabled_until = %(until)s, disabled_by = %(actor)s, disabled_reason = %(reason)s
WHERE project = %(project)s AND environment = %(environment)s
  AND workflow_id = ANY (%(workflow_ids)s::text[]) AND removed_at IS NULL
RETURNING workflow_id

-- name: enable_schedules
-- End what an operator stopped: slots before now are not caught up with
UPDATE workflow_monitor.workflow_schedules
SET disabled_until = %(at)s
WHERE project = %(project)s AND environment = %(environment)s
  AND workflow_id = ANY (%(workflow_ids)s::text[]) AND disabled_until > %(at)s
RETURNING workflow_id

-- name: claim_schedules
-- Lock schedules that are due, the longest waiting first; another scheduler has the locked ones
SELECT {columns_of_a_schedule}
FROM workflow_monitor.workflow_schedules
WHERE project = %(project)s AND environment = %(environment)s
  AND next_run_at <= %(now)s AND removed_at IS NULL
ORDER BY next_run_at
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- name: next_due_at
-- Tell when the next schedule of an environment is due
SELECT min(next_run_at) AS next_run_at
FROM workflow_monitor.workflow_schedules
WHERE project = %(project)s AND environment = %(environment)s AND removed_at IS NULL

-- name: move_schedules
-- Note when schedules are due next, and how many of their slots were missed
UPDATE workflow_monitor.workflow_schedules AS schedule
SET next_run_at = moved.next_run_at, missed_count = schedule.missed_count + moved.missed
FROM jsonb_to_recordset(%(rows)s::jsonb) AS moved (
    project text, workflow_id text, environment text, next_run_at timestamptz, missed bigint
)
WHERE schedule.project = moved.project AND schedule.workflow_id = moved.workflow_id
  AND schedule.environment = moved.environment

-- name: add_slots
-- Add slots, and return those that were not there; of the others somebody was first
INSERT INTO workflow_monitor.workflow_slots (
    project, workflow_id, environment, slot_at, status, reason, queue, claimed_at, claimed_by,
    ended_at, covers
)
SELECT project, workflow_id, environment, slot_at, status, reason, queue, claimed_at, claimed_by,
       ended_at, covers
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given (
    project text, workflow_id text, environment text, slot_at timestamptz, status text,
    reason text, queue text, claimed_at timestamptz, claimed_by text, ended_at timestamptz,
    covers integer
)
ON CONFLICT (project, workflow_id, environment, slot_at) DO NOTHING
RETURNING {columns_of_a_slot}

-- name: recorded_slots
-- Tell which of some slots are recorded already
SELECT slot.workflow_id, slot.slot_at
FROM unnest(%(workflow_ids)s::text[], %(times)s::timestamptz[]) AS asked (workflow_id, slot_at)
JOIN workflow_monitor.workflow_slots AS slot
    ON slot.project = %(project)s AND slot.environment = %(environment)s
   AND slot.workflow_id = asked.workflow_id AND slot.slot_at = asked.slot_at

-- name: open_slots
-- List the slots of workflows that are on their way, oldest first
SELECT {columns_of_a_slot}
FROM workflow_monitor.workflow_slots
WHERE project = %(project)s AND environment = %(environment)s
  AND (%(workflow_ids)s::text[] IS NULL OR workflow_id = ANY (%(workflow_ids)s))
  AND status IN ('queued', 'running')
ORDER BY slot_at, slot_id

-- name: slots
-- List slots, the latest first
SELECT {columns_of_a_slot}
FROM workflow_monitor.workflow_slots
WHERE project = %(project)s AND environment = %(environment)s
  AND (%(workflows)s::text[] IS NULL OR workflow_id LIKE ANY (%(workflows)s))
  AND (%(slot_ids)s::bigint[] IS NULL OR slot_id = ANY (%(slot_ids)s))
  AND (%(since)s::timestamptz IS NULL OR slot_at >= %(since)s)
  AND (%(statuses)s::text[] IS NULL OR status = ANY (%(statuses)s))
ORDER BY slot_at DESC, slot_id DESC
LIMIT %(limit)s

-- name: defer_jobs
-- Queue jobs, and return their ids
SELECT unnest(
    workflow_monitor.procrastinate_defer_jobs_v1(
        array(
            SELECT ROW(
                queue, task_name, priority, lock, NULL, args, NULL
            )::workflow_monitor.procrastinate_job_to_defer_v1
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS given (
                queue text, task_name text, priority integer, lock text, args jsonb
            )
        )
    )
) AS job_id

-- name: set_jobs
-- Note in slots which of some jobs runs them
UPDATE workflow_monitor.workflow_slots AS slot
SET job_id = job.id
FROM workflow_monitor.procrastinate_jobs AS job
CROSS JOIN LATERAL jsonb_array_elements_text(job.args -> 'slot_ids') AS asked (slot_id)
WHERE job.id = ANY (%(job_ids)s::bigint[]) AND slot.slot_id = asked.slot_id::bigint

-- name: cancel_jobs
-- Take back jobs that wait, and ask workers to stop those that run
SELECT workflow_monitor.procrastinate_cancel_job_v1(job_id, true, false) AS job_id
FROM unnest(%(job_ids)s::bigint[]) AS asked (job_id)

-- name: ask_to_cancel
-- Note why slots that are running are to stop
UPDATE workflow_monitor.workflow_slots
SET reason = %(reason)s
WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status = 'running'

-- name: replace_slots
-- End slots that no worker has begun, and name those; the others a worker has begun meanwhile
UPDATE workflow_monitor.workflow_slots
SET status = 'missed', ended_at = %(at)s, reason = %(reason)s
WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status = 'queued'
RETURNING slot_id

-- name: start_slots
-- Let a worker begin slots that wait; what is not returned was taken back or is somebody else's
UPDATE workflow_monitor.workflow_slots
SET status = 'running', started_at = %(at)s, tries = tries + 1, claimed_by = %(by)s,
    session_id = coalesce(%(session_id)s::uuid, session_id)
WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status = 'queued'
RETURNING {columns_of_a_slot}

-- name: lock_schedules_of_slots
-- Lock the schedules of slots before the slots, as those who dispatch do
SELECT schedule.workflow_id
FROM workflow_monitor.workflow_schedules AS schedule
WHERE (schedule.project, schedule.workflow_id, schedule.environment) IN (
    SELECT slot.project, slot.workflow_id, slot.environment
    FROM workflow_monitor.workflow_slots AS slot
    WHERE slot.slot_id = ANY (%(slot_ids)s::bigint[])
)
ORDER BY schedule.project, schedule.workflow_id, schedule.environment
FOR UPDATE

-- name: end_slots
-- End slots that are on their way and count them with their schedules; others ended before
WITH ended AS (
    UPDATE workflow_monitor.workflow_slots
    SET status = %(status)s, ended_at = %(at)s, exit_code = %(exit_code)s,
        session_id = coalesce(%(session_id)s::uuid, session_id),
        started_at = CASE
            WHEN %(status)s = 'done' THEN coalesce(started_at, %(at)s) ELSE started_at
        END,
        reason = coalesce(nullif(%(reason)s, ''), reason)
    WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status IN ('queued', 'running')
    RETURNING *
), told AS (
    SELECT ended.*,
           coalesce(
               (
                   SELECT execution.status
                   FROM workflow_monitor.workflow_executions AS execution
                   WHERE execution.session_id = ended.session_id
                     AND execution.project = ended.project
                     AND execution.workflow_id = ended.workflow_id
                     AND execution.environment = ended.environment
                     AND execution.status <> 'running'
                   ORDER BY execution.started_at DESC
                   LIMIT 1
               ),
               CASE WHEN ended.exit_code = 0 THEN 'passed' END
           ) AS outcome
    FROM ended
), counted AS (
    UPDATE workflow_monitor.workflow_schedules AS schedule
    SET run_count = schedule.run_count + found.runs,
        success_count = schedule.success_count + found.successes,
        failure_count = schedule.failure_count + found.failures,
        missed_count = schedule.missed_count + found.missed,
        last_run_at = coalesce(found.last_run_at, schedule.last_run_at),
        last_status = CASE
            WHEN found.runs > 0 THEN found.last_outcome ELSE schedule.last_status
        END
    FROM (
        SELECT project, workflow_id, environment,
               count(*) FILTER (WHERE status = 'done') AS runs,
               count(*) FILTER (WHERE status = 'done' AND outcome IN ('passed', 'degraded'))
                   AS successes,
               count(*) FILTER (
                   WHERE status = 'done' AND outcome NOT IN ('passed', 'degraded', 'skipped')
               ) AS failures,
               count(*) FILTER (WHERE status IN ('missed', 'lost', 'not_run')) AS missed,
               max(started_at) FILTER (WHERE status = 'done') AS last_run_at,
               (array_agg(outcome ORDER BY slot_at DESC))[1] AS last_outcome
        FROM told
        GROUP BY project, workflow_id, environment
    ) AS found
    WHERE schedule.project = found.project AND schedule.workflow_id = found.workflow_id
      AND schedule.environment = found.environment
)
SELECT {columns_of_a_slot}
FROM told

-- name: hand_back_slots
-- Let slots that are running wait again
UPDATE workflow_monitor.workflow_slots
SET status = 'queued', started_at = NULL, session_id = NULL, reason = %(reason)s
WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status = 'running'
RETURNING {columns_of_a_slot}

-- name: scheduled_runs
-- For each of some workflows, read the executions from a time on that nobody started by hand
SELECT execution.run_id::text AS run_id, execution.workflow_id,
       execution.session_id::text AS session_id, execution.triggered_by AS trigger,
       execution.status, execution.started_at, execution.completed_at, execution.duration_ms,
       session.slot_at
FROM unnest(%(workflow_ids)b::text[], %(since)b::timestamptz[]) AS asked (workflow_id, since)
CROSS JOIN LATERAL (
    SELECT *
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = %(project)s
      AND execution.workflow_id = asked.workflow_id
      AND execution.environment = %(environment)s
      AND execution.started_at >= asked.since
      AND execution.triggered_by <> 'manual'
    ORDER BY execution.started_at DESC
    LIMIT %(most)s
) AS execution
JOIN workflow_monitor.test_sessions AS session USING (session_id)

-- name: recorded_since
-- For each of some workflows, read the slots from a time on
SELECT slot.slot_id, slot.project, slot.workflow_id, slot.environment, slot.slot_at, slot.status,
       slot.queue, slot.claimed_at, slot.claimed_by, slot.reason, slot.job_id, slot.tries,
       slot.started_at, slot.ended_at, slot.session_id::text AS session_id, slot.exit_code,
       slot.covers
FROM unnest(%(workflow_ids)b::text[], %(since)b::timestamptz[]) AS asked (workflow_id, since)
JOIN workflow_monitor.workflow_slots AS slot
    ON slot.project = %(project)s AND slot.environment = %(environment)s
   AND slot.workflow_id = asked.workflow_id AND slot.slot_at >= asked.since

-- name: count_slots
-- Count an environment's slots from a time on by what became of them
SELECT status, count(*) AS slots
FROM workflow_monitor.workflow_slots
WHERE project = %(project)s AND environment = %(environment)s AND slot_at >= %(since)s
GROUP BY status
