-- Alerts with their events, incidents, silences, and the outbox of notifications

ALTER TABLE workflow_monitor.test_sessions
    ADD COLUMN notifies boolean NOT NULL DEFAULT false;

CREATE TABLE workflow_monitor.incidents (
    incident_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL CHECK (project <> ''),
    environment text NOT NULL CHECK (environment <> ''),
    causes jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    told_at timestamptz,
    closed_at timestamptz,
    reminders integer NOT NULL DEFAULT 0 CHECK (reminders >= 0),
    next_reminder_at timestamptz,
    escalations integer NOT NULL DEFAULT 0 CHECK (escalations >= 0),
    next_escalation_at timestamptz
);

CREATE INDEX incidents_open ON workflow_monitor.incidents (project, environment, opened_at)
    WHERE closed_at IS NULL;

CREATE TABLE workflow_monitor.alerts (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id bigint NOT NULL REFERENCES workflow_monitor.incidents ON DELETE CASCADE,
    project text NOT NULL,
    workflow_id text NOT NULL CHECK (workflow_id <> ''),
    environment text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('failing', 'degraded', 'flapping', 'masked')),
    status text NOT NULL CHECK (status IN ('active', 'acknowledged', 'resolved')),
    workflow_name text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    owner text NOT NULL,
    tags jsonb NOT NULL,
    location text NOT NULL,
    since timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    reason text NOT NULL,
    failures integer NOT NULL CHECK (failures >= 1),
    first_run_id uuid NOT NULL,
    last_run_id uuid NOT NULL,
    last_status text NOT NULL,
    fingerprint text NOT NULL,
    failing_step text NOT NULL,
    causes jsonb NOT NULL,
    quiet text NOT NULL,
    inhibited_by bigint REFERENCES workflow_monitor.alerts ON DELETE SET NULL,
    acknowledged_at timestamptz,
    acknowledged_by text NOT NULL DEFAULT '',
    resolved_at timestamptz,
    resolved_by text NOT NULL DEFAULT '',
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK (status <> 'acknowledged' OR acknowledged_at IS NOT NULL)
);

-- whoever comes second does not open another alert of the same problem
CREATE UNIQUE INDEX alerts_open ON workflow_monitor.alerts
    (project, environment, workflow_id, kind) WHERE status <> 'resolved';
CREATE INDEX alerts_history ON workflow_monitor.alerts
    (project, environment, workflow_id, opened_at DESC);
CREATE INDEX alerts_incident ON workflow_monitor.alerts (incident_id);

CREATE TABLE workflow_monitor.alert_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id bigint NOT NULL REFERENCES workflow_monitor.alerts ON DELETE CASCADE,
    at timestamptz NOT NULL,
    event_type text NOT NULL CHECK (event_type IN (
        'opened', 'acknowledged', 'commented', 'inhibited', 'released', 'notified', 'not_notified',
        'reminded', 'escalated', 'resolved')),
    actor text NOT NULL CHECK (actor <> ''),
    reason text NOT NULL,
    run_id uuid
);

CREATE INDEX alert_events_alert ON workflow_monitor.alert_events (alert_id, event_id);

CREATE TABLE workflow_monitor.silences (
    silence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL,
    match jsonb NOT NULL CHECK (match <> '{}'),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_by text NOT NULL DEFAULT '',
    CHECK (ends_at >= starts_at)
);

CREATE INDEX silences_end ON workflow_monitor.silences (project, ends_at);

CREATE TABLE workflow_monitor.notification_logs (
    notification_id uuid PRIMARY KEY,
    project text NOT NULL,
    environment text NOT NULL,
    channel text NOT NULL CHECK (channel <> ''),
    notification_type text NOT NULL CHECK (notification_type IN (
        'opened', 'reminder', 'escalation', 'acknowledged', 'resolved', 'passed', 'digest',
        'summary')),
    delivery_status text NOT NULL CHECK (delivery_status IN (
        'PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'HELD', 'SUPPRESSED')),
    incident_id bigint REFERENCES workflow_monitor.incidents ON DELETE CASCADE,
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    mention boolean NOT NULL,
    run_id uuid,
    actor text NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    claimed_until timestamptz,
    retry_count integer NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
    last_attempt_at timestamptz,
    sent_at timestamptz,
    last_error text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    reference jsonb NOT NULL DEFAULT '{}',
    digest_id uuid REFERENCES workflow_monitor.notification_logs ON DELETE SET NULL,
    CHECK ((delivery_status = 'SUCCEEDED') = (sent_at IS NOT NULL)),
    CHECK (delivery_status <> 'PROCESSING' OR claimed_until IS NOT NULL)
);

CREATE INDEX notification_logs_due ON workflow_monitor.notification_logs
    (project, not_before) WHERE delivery_status IN ('PENDING', 'PROCESSING', 'HELD');
CREATE INDEX notification_logs_incident ON workflow_monitor.notification_logs
    (incident_id, channel);
CREATE INDEX notification_logs_sent ON workflow_monitor.notification_logs
    (project, channel, sent_at) WHERE sent_at IS NOT NULL;

ALTER TABLE workflow_monitor.dead_letter_queue
    ALTER COLUMN session_id DROP NOT NULL,
    ADD COLUMN notification_id uuid UNIQUE
        REFERENCES workflow_monitor.notification_logs ON DELETE CASCADE,
    ADD CHECK ((session_id IS NULL) <> (notification_id IS NULL)),
    DROP CONSTRAINT dead_letter_queue_status_check;
UPDATE workflow_monitor.dead_letter_queue SET status = 'SUCCEEDED' WHERE status = 'PROCESSED';
UPDATE workflow_monitor.dead_letter_queue SET status = 'FAILED' WHERE status = 'DISCARDED';
ALTER TABLE workflow_monitor.dead_letter_queue
    ADD CONSTRAINT dead_letter_queue_status_check
        CHECK (status IN ('PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED'));
