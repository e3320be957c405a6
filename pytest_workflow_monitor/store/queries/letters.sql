-- name: add_letter
-- Keep a record that was refused, once however often it comes
INSERT INTO workflow_monitor.dead_letter_queue AS letter (
    session_id, event_hash, event_data, reason
) VALUES (%(session_id)s, %(event_hash)s, %(event_data)s, %(reason)s)
ON CONFLICT (session_id, event_hash) DO UPDATE
SET attempts = letter.attempts + 1, last_attempt_at = now(), reason = excluded.reason,
    status = CASE letter.status WHEN 'SUCCEEDED' THEN 'PENDING' ELSE letter.status END,
    processed_at = NULL
RETURNING (xmax = 0) AS is_new

-- name: letters
-- List refused records, newest first
SELECT letter_id, session_id::text AS session_id, notification_id::text AS notification_id, event_data, reason, status, attempts, created_at,
       last_attempt_at, processed_at
FROM workflow_monitor.dead_letter_queue
WHERE (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(letter_ids)s::bigint[] IS NULL OR letter_id = ANY (%(letter_ids)s))
ORDER BY letter_id DESC
LIMIT %(limit)s

-- name: close_letter
-- Note that a refused record was stored after all
UPDATE workflow_monitor.dead_letter_queue
SET status = 'SUCCEEDED', processed_at = now(), last_attempt_at = now(), attempts = attempts + 1
WHERE letter_id = %(letter_id)s

-- name: drop_letters
-- Give refused records up
UPDATE workflow_monitor.dead_letter_queue
SET status = 'FAILED', processed_at = now()
WHERE letter_id = ANY (%(letter_ids)s::bigint[]) AND status = 'PENDING'
