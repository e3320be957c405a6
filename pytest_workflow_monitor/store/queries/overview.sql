-- name: incident_messages
-- List the messages about incidents, oldest first
SELECT {columns_of_a_message}
FROM workflow_monitor.notification_logs
WHERE incident_id = ANY (%(incident_ids)s::bigint[])
ORDER BY created_at, notification_id

-- name: channel_states
-- Tell how each channel of a project does: what waits, what was given up, how the last one went
SELECT channel,
       count(*) FILTER (WHERE delivery_status IN ('PENDING', 'PROCESSING')) AS waiting,
       count(*) FILTER (WHERE delivery_status = 'HELD') AS held,
       count(*) FILTER (WHERE delivery_status = 'FAILED'
                        AND last_attempt_at > %(now)s::timestamptz - interval '1 day') AS failed,
       count(*) FILTER (WHERE delivery_status = 'SUCCEEDED'
                        AND sent_at > %(now)s::timestamptz - interval '1 day') AS sent,
       min(not_before) FILTER (
           WHERE delivery_status = 'PENDING' AND not_before <= %(now)s AND digest_id IS NULL
             AND EXISTS (
                 SELECT
                 FROM workflow_monitor.notifications_in_turn AS turn
                 WHERE turn.notification_id = message.notification_id
             )
       ) AS overdue_since,
       max(sent_at) AS sent_at,
       max(last_attempt_at) FILTER (WHERE delivery_status = 'FAILED') AS failed_at,
       coalesce((array_agg(last_error ORDER BY last_attempt_at DESC)
                 FILTER (WHERE last_error <> '' AND delivery_status IN ('PENDING', 'FAILED')))[1],
                '') AS last_error
FROM workflow_monitor.notification_logs AS message
WHERE project = %(project)s
  AND (delivery_status IN ('PENDING', 'PROCESSING', 'HELD', 'FAILED')
       OR sent_at > %(now)s::timestamptz - interval '7 days')
GROUP BY channel
ORDER BY channel

-- name: count_letters
-- Count the dead letters that wait: refused records, and messages of a project that no channel took
SELECT count(*) FILTER (WHERE letter.notification_id IS NULL) AS records,
       count(*) FILTER (WHERE message.project = %(project)s) AS messages
FROM workflow_monitor.dead_letter_queue AS letter
LEFT JOIN workflow_monitor.notification_logs AS message USING (notification_id)
WHERE letter.status = 'PENDING'

-- name: count_executions_by_status
-- Count a project's executions since a moment by their status
SELECT status, count(*) AS executions
FROM workflow_monitor.workflow_executions
WHERE project = %(project)s AND started_at >= %(since)s
GROUP BY status

-- name: hear_again
-- Let messages that wait for the end of a silence be looked at again now
UPDATE workflow_monitor.notification_logs
SET not_before = %(at)s
WHERE project = %(project)s AND delivery_status IN ('PENDING', 'HELD') AND not_before > %(at)s
  AND reason LIKE 'silenced by %%'
