-- What has been pruned, so that it is not summed up anew, and indexes that make pruning quick

CREATE TABLE workflow_monitor.prunings (
    project text NOT NULL CHECK (project <> ''),
    class text NOT NULL CHECK (class IN ('executions', 'details', 'logs')),
    -- what began before this may be gone: sums of that time stay as they are
    before timestamptz NOT NULL,
    -- everything that began before this is gone; NULL until the first batch
    reached timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (project, class)
);

-- deleting a row looks for those that refer to it
CREATE INDEX alerts_inhibited_by ON workflow_monitor.alerts (inhibited_by)
    WHERE inhibited_by IS NOT NULL;
CREATE INDEX notification_logs_digest ON workflow_monitor.notification_logs (digest_id)
    WHERE digest_id IS NOT NULL;
CREATE INDEX workflow_slots_ended_at ON workflow_monitor.workflow_slots (ended_at);
CREATE INDEX system_health_checks_checked_at ON workflow_monitor.system_health_checks (checked_at);
