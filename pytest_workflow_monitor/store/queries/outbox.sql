-- part: columns_of_a_message
-- A message as programs know it
notification_id::text AS notification_id, project, environment, channel,
notification_type AS kind, delivery_status AS status, incident_id, priority, mention,
coalesce(run_id::text, '') AS run_id, actor, note, created_at, not_before, claimed_until,
retry_count, sent_at, last_error, reason, reference,
coalesce(digest_id::text, '') AS digest_id, report_id

-- name: clock
-- Tell the time: that of the database, because the machines' own may differ
SELECT clock_timestamp() AS now

-- name: lock_channel
-- Wait for the other transactions that plan what becomes of a channel's messages
SELECT pg_advisory_xact_lock(hashtextextended(
    'pytest-workflow-monitor channel ' || %(project)s || ' ' || %(channel)s, 0
))

-- name: due_channels
-- List the channels that have something to send: messages whose time has come, claims of processes
-- that died, or news held back for so long that a digest is due
SELECT DISTINCT channel
FROM workflow_monitor.notifications_in_turn
WHERE project = %(project)s AND digest_id IS NULL
  AND delivery_status IN ('PENDING', 'PROCESSING', 'HELD')
  AND CASE delivery_status
      WHEN 'PENDING' THEN not_before <= %(now)s
      WHEN 'PROCESSING' THEN claimed_until <= %(now)s
      ELSE not_before <= %(held_before)s
  END
ORDER BY channel

-- name: next_due
-- Tell when some channels will next have something to send
SELECT min(CASE delivery_status
    WHEN 'PENDING' THEN not_before
    WHEN 'PROCESSING' THEN claimed_until
    ELSE not_before + %(digest_every)s
END) AS at
FROM workflow_monitor.notifications_in_turn
WHERE project = %(project)s AND channel = ANY (%(channels)s) AND digest_id IS NULL
  AND delivery_status IN ('PENDING', 'PROCESSING', 'HELD')

-- name: expire_claims
-- Take messages back from processes that died: nobody knows whether they were sent
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'PENDING', claimed_until = NULL, not_before = %(now)s,
    retry_count = retry_count + 1, last_error = %(reason)s
WHERE project = %(project)s AND channel = %(channel)s
  AND delivery_status = 'PROCESSING' AND claimed_until <= %(now)s

-- name: due_messages
-- Take the messages of a channel whose time has come, oldest first; one waits for the earlier ones
-- about the same incident, and those that somebody else holds are left to them
SELECT {columns_of_a_message}
FROM workflow_monitor.notifications_in_turn
WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
  AND delivery_status = 'PENDING' AND not_before <= %(now)s
ORDER BY created_at, notification_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED

-- name: held_messages
-- Take what is held back for the next digest of a channel, oldest first
SELECT {columns_of_a_message}
FROM workflow_monitor.notification_logs
WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
  AND delivery_status = 'HELD' AND not_before <= %(now)s
ORDER BY not_before, created_at, notification_id
FOR UPDATE SKIP LOCKED

-- name: held_news
-- Name what is held back in a channel for its digests, with the incidents
SELECT incident_id, notification_id::text AS notification_id
FROM workflow_monitor.notification_logs
WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
  AND delivery_status = 'HELD' AND incident_id IS NOT NULL

-- name: incidents_on_their_way
-- Name the incidents that a channel is being told of, or also those of which it is to be told
SELECT DISTINCT incident_id
FROM workflow_monitor.notification_logs
WHERE project = %(project)s AND channel = %(channel)s AND incident_id IS NOT NULL
  AND (delivery_status = 'PROCESSING' OR %(or_wait)s AND delivery_status = 'PENDING')

-- name: waiting_messages
-- Take what waits in a channel about some incidents, whenever it is due
SELECT {columns_of_a_message}
FROM workflow_monitor.notification_logs
WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
  AND delivery_status IN ('PENDING', 'HELD')
  AND incident_id = ANY (%(incident_ids)s::bigint[])
ORDER BY created_at, notification_id
FOR UPDATE

-- name: told_together
-- List the messages whose news some others tell
SELECT {columns_of_a_message}
FROM workflow_monitor.notification_logs
WHERE project = %(project)s AND digest_id = ANY (%(digest_ids)s::uuid[])
  AND delivery_status IN ('PENDING', 'PROCESSING')
ORDER BY created_at, notification_id

-- name: notifications
-- Read messages by their ids
SELECT {columns_of_a_message}
FROM workflow_monitor.notification_logs
WHERE notification_id = ANY (%(notification_ids)s::uuid[])
ORDER BY created_at, notification_id

-- name: what_channels_know
-- Tell which incidents a channel has been told of, and of which the news waits for a digest
SELECT incident_id,
       bool_or(delivery_status = 'SUCCEEDED') AS was_told, max(sent_at) AS told_at,
       bool_or(delivery_status = 'HELD') AND NOT bool_or(delivery_status = 'SUCCEEDED') AS is_held
FROM workflow_monitor.notification_logs
WHERE channel = %(channel)s AND incident_id = ANY (%(incident_ids)s::bigint[])
  AND notification_type IN ('opened', 'reminder', 'escalation')
GROUP BY incident_id

-- name: references
-- Read how a channel finds its latest message about each of some incidents
SELECT DISTINCT ON (incident_id) incident_id, reference
FROM workflow_monitor.notification_logs
WHERE channel = %(channel)s AND incident_id = ANY (%(incident_ids)s::bigint[])
  AND delivery_status = 'SUCCEEDED' AND digest_id IS NULL AND reference <> '{}'
ORDER BY incident_id, sent_at DESC

-- name: count_sent
-- Count a channel's messages of the last hour and day, those on their way included
SELECT (
           SELECT count(*)
           FROM workflow_monitor.notification_logs
           WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
             AND sent_at > %(now)s - interval '1 hour'
       ) + on_their_way AS last_hour,
       (
           SELECT count(*)
           FROM workflow_monitor.notification_logs
           WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
             AND sent_at > %(now)s - interval '1 day'
       ) + on_their_way AS last_day
FROM (
    SELECT count(*) AS on_their_way
    FROM workflow_monitor.notification_logs
    WHERE project = %(project)s AND channel = %(channel)s AND digest_id IS NULL
      AND delivery_status = 'PROCESSING'
) AS now_sent

-- name: rest_of_channel
-- Tell until when a channel asked to be left alone
SELECT max(not_before) AS until
FROM workflow_monitor.notification_logs
WHERE project = %(project)s AND channel = %(channel)s AND delivery_status = 'PENDING'
  AND not_before > %(now)s AND reason = %(reason)s

-- name: claim_messages
-- Keep messages from others while they are sent
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'PROCESSING', claimed_until = %(until)s, last_attempt_at = %(now)s,
    reason = ''
WHERE notification_id = ANY (%(notification_ids)s::uuid[])

-- name: tell_together
-- Note which message tells the news of others
UPDATE workflow_monitor.notification_logs
SET digest_id = %(digest_id)s
WHERE notification_id = ANY (%(notification_ids)s::uuid[])

-- name: settle_messages
-- Hold messages back, put them off or give them up, with the reasons
UPDATE workflow_monitor.notification_logs AS message
SET delivery_status = settled.delivery_status, not_before = settled.not_before,
    reason = settled.reason, claimed_until = NULL
FROM jsonb_to_recordset(%(rows)s::jsonb) AS settled (
    notification_id uuid, delivery_status text, not_before timestamptz, reason text
)
WHERE message.notification_id = settled.notification_id

-- name: suppress_unknown
-- Give up old messages to channels that nobody delivers to, and name them
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'SUPPRESSED', claimed_until = NULL, reason = %(reason)s
WHERE project = %(project)s AND channel = %(channel)s AND created_at <= %(before)s
  AND (delivery_status IN ('PENDING', 'HELD')
       OR delivery_status = 'PROCESSING' AND claimed_until <= %(now)s)
RETURNING notification_id::text AS notification_id, incident_id

-- name: note_sent
-- Note that a message was taken, and with it those whose news it told, and name them; a claim that
-- somebody else has by now does not undo that
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'SUCCEEDED', sent_at = %(at)s, claimed_until = NULL, reason = '',
    reference = CASE notification_id WHEN %(notification_id)s THEN %(reference)s::jsonb
        ELSE reference END
WHERE notification_id = ANY (%(notification_ids)s::uuid[])
  AND delivery_status IN ('PENDING', 'PROCESSING')
RETURNING notification_id::text AS notification_id

-- name: suppress_held
-- Give up what was held back for a digest and still is, and name it
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'SUPPRESSED', reason = %(reason)s
WHERE notification_id = ANY (%(notification_ids)s::uuid[]) AND delivery_status = 'HELD'
  AND digest_id IS NULL
RETURNING notification_id::text AS notification_id, incident_id

-- name: try_later
-- Note that a message was not taken and when it is tried again, if the claim is still ours
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'PENDING', claimed_until = NULL, not_before = %(not_before)s,
    retry_count = retry_count + 1, last_error = %(error)s, reason = %(reason)s
WHERE notification_id = ANY (%(notification_ids)s::uuid[])
  AND delivery_status = 'PROCESSING' AND claimed_until = %(claimed_until)s

-- name: release_messages
-- Put messages back that were claimed but not tried, if the claim is still ours
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'PENDING', claimed_until = NULL, not_before = %(not_before)s,
    reason = %(reason)s
WHERE notification_id = ANY (%(notification_ids)s::uuid[])
  AND delivery_status = 'PROCESSING' AND claimed_until = %(claimed_until)s

-- name: give_up
-- Note that a message is not tried any more, and name it and those whose news it told
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'FAILED', claimed_until = NULL, retry_count = %(retry_count)s,
    last_error = %(error)s, reason = ''
WHERE notification_id = ANY (%(notification_ids)s::uuid[])
  AND delivery_status IN ('PENDING', 'PROCESSING')
  AND (%(claimed_until)s::timestamptz IS NULL OR claimed_until = %(claimed_until)s)
RETURNING notification_id::text AS notification_id

-- name: add_message_letter
-- Keep a message that no try could deliver; one letter for each message
INSERT INTO workflow_monitor.dead_letter_queue AS letter (
    notification_id, event_hash, event_data, reason, attempts, created_at, last_attempt_at
) VALUES (
    %(notification_id)s, %(event_hash)s, %(event_data)s, %(reason)s, %(attempts)s, %(at)s, %(at)s
)
ON CONFLICT (notification_id) DO UPDATE
SET attempts = letter.attempts + excluded.attempts, last_attempt_at = excluded.last_attempt_at,
    reason = excluded.reason, event_data = excluded.event_data,
    event_hash = excluded.event_hash, status = 'PENDING', processed_at = NULL

-- name: close_message_letters
-- Note what became of the letters about messages that were tried once more
UPDATE workflow_monitor.dead_letter_queue AS letter
SET status = %(status)s, processed_at = %(at)s,
    last_attempt_at = coalesce(message.last_attempt_at, letter.last_attempt_at),
    attempts = letter.attempts + message.retry_count
        + CASE message.delivery_status WHEN 'SUCCEEDED' THEN 1 ELSE 0 END
FROM workflow_monitor.notification_logs AS message
WHERE letter.notification_id = ANY (%(notification_ids)s::uuid[])
  AND message.notification_id = letter.notification_id AND letter.status = 'PROCESSING'

-- name: reopen_letters
-- Take letters about a project's messages to be tried once more, and name the messages
UPDATE workflow_monitor.dead_letter_queue AS letter
SET status = 'PROCESSING', processed_at = NULL
FROM workflow_monitor.notification_logs AS message
WHERE letter.letter_id = ANY (%(letter_ids)s::bigint[])
  AND letter.status IN ('PENDING', 'FAILED')
  AND message.notification_id = letter.notification_id AND message.delivery_status = 'FAILED'
  AND message.project = %(project)s
RETURNING letter.notification_id::text AS notification_id

-- name: requeue_messages
-- Put messages that had been given up into the outbox again, with those whose news they tell
UPDATE workflow_monitor.notification_logs
SET delivery_status = 'PENDING', not_before = %(at)s, retry_count = 0, reason = ''
WHERE (notification_id = ANY (%(notification_ids)s::uuid[])
       OR digest_id = ANY (%(notification_ids)s::uuid[]))
  AND delivery_status = 'FAILED'

-- name: earlier_alerts
-- Count how often the problems of alerts had been there in the days before, and when last
SELECT alert.alert_id, count(earlier.alert_id) AS times, max(earlier.opened_at) AS last_opened_at
FROM workflow_monitor.alerts AS alert
LEFT JOIN workflow_monitor.alerts AS earlier
    ON earlier.project = alert.project AND earlier.environment = alert.environment
    AND earlier.workflow_id = alert.workflow_id AND earlier.kind = alert.kind
    AND earlier.opened_at < alert.opened_at AND earlier.opened_at > alert.opened_at - %(days)s
WHERE alert.alert_id = ANY (%(alert_ids)s::bigint[])
GROUP BY alert.alert_id
