-- name: recent_results
-- For each of some workflows, read the latest executions that ended, newest first
SELECT asked.workflow_id, execution.run_id::text AS run_id, execution.status,
       execution.started_at, execution.completed_at, execution.is_flaky,
       coalesce(
           execution.fingerprint,
           CASE WHEN execution.is_flaky THEN (
               SELECT attempt.errors -> 0 ->> 'fingerprint'
               FROM workflow_monitor.workflow_attempts AS attempt
               WHERE attempt.run_id = execution.run_id AND attempt.errors <> '[]'
               ORDER BY attempt.attempt DESC
               LIMIT 1
           ) END,
           ''
       ) AS fingerprint
FROM unnest(%(workflow_ids)b::text[]) AS asked (workflow_id)
CROSS JOIN LATERAL (
    SELECT *
    FROM workflow_monitor.workflow_executions AS execution
    WHERE execution.project = %(project)s
      AND execution.workflow_id = asked.workflow_id
      AND execution.environment = %(environment)s
      AND execution.status NOT IN ('running', 'skipped')
    ORDER BY execution.started_at DESC
    LIMIT %(limit)s
) AS execution
ORDER BY asked.workflow_id, execution.started_at DESC, execution.run_id DESC

-- name: open_alerts
-- List the open alerts of an environment
SELECT alert_id, incident_id, project, workflow_id, environment, kind, status, workflow_name,
       priority, owner, tags, location, since, opened_at, reason, failures,
       coalesce(first_run_id::text, '') AS first_run_id,
       coalesce(last_run_id::text, '') AS last_run_id, last_status,
       fingerprint, failing_step, causes, quiet, inhibited_by, acknowledged_at, acknowledged_by,
       resolved_at, resolved_by
FROM workflow_monitor.alerts
WHERE project = %(project)s AND environment = %(environment)s AND status <> 'resolved'
ORDER BY alert_id

-- name: alerts
-- List alerts, newest first
SELECT alert_id, incident_id, project, workflow_id, environment, kind, status, workflow_name,
       priority, owner, tags, location, since, opened_at, reason, failures,
       coalesce(first_run_id::text, '') AS first_run_id,
       coalesce(last_run_id::text, '') AS last_run_id, last_status,
       fingerprint, failing_step, causes, quiet, inhibited_by, acknowledged_at, acknowledged_by,
       resolved_at, resolved_by
FROM workflow_monitor.alerts
WHERE (%(project)s::text IS NULL OR project = %(project)s)
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
  AND (%(alert_ids)s::bigint[] IS NULL OR alert_id = ANY (%(alert_ids)s))
  AND (%(incident_ids)s::bigint[] IS NULL OR incident_id = ANY (%(incident_ids)s))
  AND (%(inhibited_by)s::bigint[] IS NULL OR inhibited_by = ANY (%(inhibited_by)s))
  AND (%(priorities)s::text[] IS NULL OR priority = ANY (%(priorities)s))
  AND (%(workflows)s::text[] IS NULL OR workflow_id LIKE ANY (%(workflows)s))
  AND (NOT %(open_only)s OR status <> 'resolved')
ORDER BY alert_id DESC
LIMIT %(limit)s

-- name: dismissals
-- Tell when a person last resolved an alert of some workflows, by kind
SELECT workflow_id, kind, max(resolved_at) AS resolved_at
FROM workflow_monitor.alerts
WHERE project = %(project)s AND environment = %(environment)s
  AND workflow_id = ANY (%(workflow_ids)b::text[])
  AND status = 'resolved' AND resolved_by <> %(system)s
GROUP BY workflow_id, kind

-- name: add_alerts
-- Open alerts; whoever comes second for the same problem opens none
INSERT INTO workflow_monitor.alerts (
    incident_id, project, workflow_id, environment, kind, status, workflow_name, priority, owner,
    tags, location, since, opened_at, reason, failures, first_run_id, last_run_id, last_status,
    fingerprint, failing_step, causes, quiet, inhibited_by
)
SELECT incident_id, project, workflow_id, environment, kind, 'active', workflow_name, priority,
       owner, tags, location, since, opened_at, reason, failures, first_run_id, last_run_id,
       last_status, fingerprint, failing_step, causes, quiet, inhibited_by
FROM jsonb_to_recordset(%(rows)s::jsonb) AS opened (
    incident_id bigint, project text, workflow_id text, environment text, kind text,
    workflow_name text, priority text, owner text, tags jsonb, location text, since timestamptz,
    opened_at timestamptz, reason text, failures integer, first_run_id uuid, last_run_id uuid,
    last_status text, fingerprint text, failing_step text, causes jsonb, quiet text,
    inhibited_by bigint
)
ON CONFLICT (project, environment, workflow_id, kind) WHERE status <> 'resolved' DO NOTHING
RETURNING alert_id, workflow_id, kind

-- name: set_alert_reason
-- Note what an alert is about by now
UPDATE workflow_monitor.alerts SET reason = %(reason)s WHERE alert_id = %(alert_id)s

-- name: continue_alerts
-- Note the latest execution that shows each alert's problem, and how many have so far
UPDATE workflow_monitor.alerts AS alert
SET last_run_id = shown.last_run_id, last_status = shown.last_status,
    failing_step = shown.failing_step, causes = shown.causes,
    failures = greatest(
        alert.failures,
        (
            SELECT count(*)
            FROM workflow_monitor.workflow_executions AS execution
            WHERE execution.project = alert.project
              AND execution.workflow_id = alert.workflow_id
              AND execution.environment = alert.environment
              AND execution.started_at >= alert.since
              AND CASE alert.kind
                  WHEN 'degraded' THEN execution.status = 'degraded'
                  WHEN 'masked' THEN execution.is_flaky
                  ELSE execution.status NOT IN ('passed', 'degraded', 'skipped', 'running')
              END
        )
    )
FROM jsonb_to_recordset(%(rows)s::jsonb) AS shown (
    alert_id bigint, last_run_id uuid, last_status text, failing_step text, causes jsonb
)
WHERE alert.alert_id = shown.alert_id

-- name: resolve_alerts
-- Resolve alerts that are still open, and name those; the others somebody resolved before
UPDATE workflow_monitor.alerts
SET status = 'resolved', resolved_at = %(at)s, resolved_by = %(actor)s
WHERE alert_id = ANY (%(alert_ids)s::bigint[]) AND status <> 'resolved'
RETURNING alert_id

-- name: acknowledge_alerts
-- Acknowledge alerts that are active, and name those
UPDATE workflow_monitor.alerts
SET status = 'acknowledged', acknowledged_at = %(at)s, acknowledged_by = %(actor)s
WHERE alert_id = ANY (%(alert_ids)s::bigint[]) AND status = 'active'
RETURNING alert_id

-- name: inhibit_alerts
-- Note which alert explains others that are still open and that nobody was told of
UPDATE workflow_monitor.alerts AS alert
SET inhibited_by = %(by)s
FROM workflow_monitor.incidents AS incident
WHERE alert.alert_id = ANY (%(alert_ids)s::bigint[]) AND alert.status <> 'resolved'
  AND alert.inhibited_by IS NULL
  AND incident.incident_id = alert.incident_id AND incident.told_at IS NULL
RETURNING alert.alert_id

-- name: release_alerts
-- Note that what explained open alerts is over, and name them
UPDATE workflow_monitor.alerts
SET inhibited_by = NULL
WHERE inhibited_by = ANY (%(alert_ids)s::bigint[]) AND status <> 'resolved'
RETURNING alert_id

-- name: set_quiet
-- Note why nobody was told of alerts; an empty reason says that somebody was
UPDATE workflow_monitor.alerts AS alert
SET quiet = said.quiet
FROM jsonb_to_recordset(%(rows)s::jsonb) AS said (alert_id bigint, quiet text)
WHERE alert.alert_id = said.alert_id

-- name: add_alert_events
-- Add lines to the audit trail
INSERT INTO workflow_monitor.alert_events (alert_id, at, event_type, actor, reason, run_id)
SELECT alert_id, at, event_type, actor, reason, run_id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS event (
    alert_id bigint, at timestamptz, event_type text, actor text, reason text, run_id uuid
)

-- name: alert_events
-- List what happened to alerts, in order
SELECT event_id, alert_id, at, event_type AS kind, actor, reason,
       coalesce(run_id::text, '') AS run_id
FROM workflow_monitor.alert_events
WHERE alert_id = ANY (%(alert_ids)s::bigint[])
ORDER BY event_id

-- name: add_incident
-- Begin an incident
INSERT INTO workflow_monitor.incidents (project, environment, causes, opened_at)
VALUES (%(project)s, %(environment)s, %(causes)s, %(opened_at)s)
RETURNING incident_id

-- name: set_incident_causes
-- Note what the alerts of an incident may have in common
UPDATE workflow_monitor.incidents SET causes = %(causes)s WHERE incident_id = %(incident_id)s

-- name: incidents
-- Read some incidents
SELECT incident_id, project, environment, causes, opened_at, told_at, closed_at, reminders,
       next_reminder_at, escalations, next_escalation_at
FROM workflow_monitor.incidents
WHERE incident_id = ANY (%(incident_ids)s::bigint[])
ORDER BY incident_id

-- name: recent_incidents
-- List the open incidents of an environment that began not long ago
SELECT incident_id, project, environment, causes, opened_at, told_at, closed_at, reminders,
       next_reminder_at, escalations, next_escalation_at
FROM workflow_monitor.incidents
WHERE project = %(project)s AND environment = %(environment)s AND closed_at IS NULL
  AND opened_at > %(since)s
ORDER BY incident_id

-- name: incidents_to_remind
-- List the open incidents of a project that it is time to tell again, or to more people
SELECT incident_id, project, environment, causes, opened_at, told_at, closed_at, reminders,
       next_reminder_at, escalations, next_escalation_at
FROM workflow_monitor.incidents
WHERE project = %(project)s AND closed_at IS NULL
  AND (next_reminder_at <= %(now)s OR next_escalation_at <= %(now)s)
ORDER BY incident_id

-- name: set_incident_clock
-- Note how often an incident has been told again, and when it will be the next time
UPDATE workflow_monitor.incidents
SET reminders = %(reminders)s, next_reminder_at = %(next_reminder_at)s,
    escalations = %(escalations)s, next_escalation_at = %(next_escalation_at)s
WHERE incident_id = %(incident_id)s

-- name: close_incidents
-- Close incidents none of whose alerts is open, and name those that were open
UPDATE workflow_monitor.incidents AS incident
SET closed_at = %(at)s, next_reminder_at = NULL, next_escalation_at = NULL
WHERE incident_id = ANY (%(incident_ids)s::bigint[]) AND closed_at IS NULL
  AND NOT EXISTS (
      SELECT
      FROM workflow_monitor.alerts AS alert
      WHERE alert.incident_id = incident.incident_id AND alert.status <> 'resolved'
  )
RETURNING incident_id

-- name: mark_told
-- Note when somebody was first told of incidents
UPDATE workflow_monitor.incidents
SET told_at = %(at)s
WHERE incident_id = ANY (%(incident_ids)s::bigint[]) AND told_at IS NULL

-- name: incident_channels
-- Tell which channels were told, or are to be told, of incidents, and what still waits there
SELECT incident_id, channel, bool_or(mention) AS mention,
       bool_or(notification_type = 'opened' AND delivery_status IN ('PENDING', 'HELD'))
           AS opening_waits
FROM workflow_monitor.notification_logs
WHERE incident_id = ANY (%(incident_ids)s::bigint[])
  AND notification_type IN ('opened', 'reminder', 'escalation')
  AND delivery_status <> 'SUPPRESSED'
GROUP BY incident_id, channel
ORDER BY incident_id, channel

-- name: add_notifications
-- Put messages into the outbox; one of a channel about a report that is there already stays
INSERT INTO workflow_monitor.notification_logs (
    notification_id, project, environment, channel, notification_type, delivery_status,
    incident_id, priority, mention, run_id, actor, note, created_at, not_before,
    report_id
)
SELECT notification_id, project, environment, channel, notification_type, delivery_status,
       incident_id, priority, mention, run_id, actor, note, created_at, not_before,
       report_id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS message (
    notification_id uuid, project text, environment text, channel text, notification_type text,
    delivery_status text, incident_id bigint, priority text, mention boolean, run_id uuid,
    actor text, note text, created_at timestamptz, not_before timestamptz, report_id bigint
)
ON CONFLICT (report_id, channel) WHERE report_id IS NOT NULL DO NOTHING

-- name: add_silence
-- Add a silence
INSERT INTO workflow_monitor.silences (project, match, starts_at, ends_at, author, reason)
VALUES (%(project)s, %(match)s, %(starts_at)s, %(ends_at)s, %(author)s, %(reason)s)
RETURNING silence_id

-- name: silences
-- List a project's silences, newest first; those that have not ended at a time, if one is given
SELECT silence_id, match, starts_at, ends_at, author, reason, created_at, ended_by
FROM workflow_monitor.silences
WHERE project = %(project)s AND (%(at)s::timestamptz IS NULL OR ends_at > %(at)s)
ORDER BY silence_id DESC

-- name: end_silence
-- End a silence early
UPDATE workflow_monitor.silences
SET ends_at = greatest(starts_at, %(at)s::timestamptz), ended_by = %(actor)s
WHERE project = %(project)s AND silence_id = %(silence_id)s AND ends_at > %(at)s
