-- Which slot a session was for, and which of the queue's own migrations this database has had

ALTER TABLE workflow_monitor.test_sessions ADD COLUMN slot_at timestamptz;
ALTER TABLE workflow_monitor.test_sessions ADD COLUMN lateness_seconds double precision;

CREATE TABLE workflow_monitor.queue_migrations (
    migration text PRIMARY KEY CHECK (migration <> ''),
    applied_at timestamptz NOT NULL DEFAULT now()
);
