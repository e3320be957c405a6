-- name: newest_queue_migration
-- Tell the last of the queue's own migrations that this database has had
SELECT max(migration) AS newest
FROM workflow_monitor.queue_migrations

-- name: note_queue_migration
-- Note that this database has the queue's schema up to a migration
INSERT INTO workflow_monitor.queue_migrations (migration)
VALUES (%(migration)s)

-- name: beat
-- Note that a scheduler or worker lives
INSERT INTO workflow_monitor.schedulers AS known (
    scheduler_id, project, environment, kind, host, pid, queues, concurrency, started_at,
    heartbeat_at, catalogue_problem
) VALUES (
    %(scheduler_id)s, %(project)s, %(environment)s, %(kind)s, %(host)s, %(pid)s, %(queues)s,
    %(concurrency)s, %(now)s, %(now)s, %(catalogue_problem)s
)
ON CONFLICT (scheduler_id) DO UPDATE
SET heartbeat_at = excluded.heartbeat_at, queues = excluded.queues,
    concurrency = excluded.concurrency, catalogue_problem = excluded.catalogue_problem,
    stopped_at = NULL

-- name: leave
-- Note that a scheduler or worker has stopped in an orderly way
UPDATE workflow_monitor.schedulers
SET stopped_at = %(now)s
WHERE scheduler_id = %(scheduler_id)s

-- name: held_slots
-- Tell which slots still belong to the run of a session
SELECT slot_id
FROM workflow_monitor.workflow_slots
WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status = 'running'
  AND session_id = %(session_id)s::uuid

-- name: lock_held_slots
-- Lock the slots that belong to the run of a session; others were given to somebody else
SELECT slot_id
FROM workflow_monitor.workflow_slots
WHERE slot_id = ANY (%(slot_ids)s::bigint[]) AND status = 'running'
  AND session_id = %(session_id)s::uuid
ORDER BY slot_id
FOR UPDATE

-- name: stalled_jobs
-- List the jobs whose worker is silent or gone, and those fetched whose slots nobody has begun
SELECT job.id AS job_id, worker.last_heartbeat AS since,
       coalesce(
           array_agg(slot.slot_id ORDER BY slot.slot_id)
               FILTER (WHERE slot.status IN ('queued', 'running')),
           '{}'
       ) AS slot_ids
FROM workflow_monitor.procrastinate_jobs AS job
JOIN workflow_monitor.workflow_slots AS slot ON slot.job_id = job.id
LEFT JOIN workflow_monitor.procrastinate_workers AS worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND job.task_name = %(task)s
  AND slot.project = %(project)s AND slot.environment = %(environment)s
  AND pg_postmaster_start_time() < now() - make_interval(secs => %(seconds)s)
  AND (
      worker.id IS NULL
      OR worker.last_heartbeat < now() - make_interval(secs => %(seconds)s)
      OR NOT EXISTS (
          SELECT FROM workflow_monitor.workflow_slots AS begun
          WHERE begun.job_id = job.id AND begun.status <> 'queued'
      ) AND (
          SELECT max(event.at) FROM workflow_monitor.procrastinate_events AS event
          WHERE event.job_id = job.id AND event.type = 'started'
      ) < now() - 2 * make_interval(secs => %(seconds)s)
  )
GROUP BY job.id, worker.last_heartbeat
ORDER BY job.id

-- name: lock_job
-- Lock a job that is being done; another scheduler may have it
SELECT abort_requested
FROM workflow_monitor.procrastinate_jobs
WHERE id = %(job_id)s AND status = 'doing'
FOR UPDATE SKIP LOCKED

-- name: requeue_job
-- Let a job that was being done wait again
SELECT workflow_monitor.procrastinate_retry_job_v2(%(job_id)s, now(), NULL, NULL, NULL)

-- name: fail_job
-- End a job that was being done
SELECT workflow_monitor.procrastinate_finish_job_v1(%(job_id)s, 'failed', false)

-- name: forget_workers
-- Forget workers that have been silent for very long; their jobs were looked after before
DELETE FROM workflow_monitor.procrastinate_workers
WHERE last_heartbeat < now() - make_interval(secs => %(seconds)s)

-- name: orphaned_slots
-- List slots on their way whose job has ended or is not there
SELECT slot.slot_id
FROM workflow_monitor.workflow_slots AS slot
LEFT JOIN workflow_monitor.procrastinate_jobs AS job ON job.id = slot.job_id
WHERE slot.project = %(project)s AND slot.environment = %(environment)s
  AND slot.status IN ('queued', 'running')
  AND slot.claimed_at < now() - make_interval(secs => %(seconds)s)
  AND (job.id IS NULL OR job.status NOT IN ('todo', 'doing'))
  AND coalesce(
      (SELECT max(event.at) FROM workflow_monitor.procrastinate_events AS event
       WHERE event.job_id = job.id),
      slot.claimed_at
  ) < now() - make_interval(secs => %(seconds)s)

-- name: prune_jobs
-- Delete jobs that ended long ago
DELETE FROM workflow_monitor.procrastinate_jobs AS job
WHERE job.task_name = %(task)s AND job.status NOT IN ('todo', 'doing')
  AND NOT EXISTS (
      SELECT FROM workflow_monitor.procrastinate_events AS event
      WHERE event.job_id = job.id AND event.at >= now() - make_interval(secs => %(days)s * 86400)
  )

-- name: prune_slots
-- Delete slots that ended long ago
DELETE FROM workflow_monitor.workflow_slots
WHERE project = %(project)s AND ended_at < now() - make_interval(secs => %(days)s * 86400)

-- name: prune_schedulers
-- Delete schedulers and workers that have not been heard of for long
DELETE FROM workflow_monitor.schedulers
WHERE project = %(project)s AND heartbeat_at < now() - make_interval(secs => %(days)s * 86400)

-- name: exit_status
-- Tell pytest's exit status in a session
SELECT exit_status
FROM workflow_monitor.test_sessions
WHERE session_id = %(session_id)s::uuid
