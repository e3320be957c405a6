DELETE FROM workflow_monitor.incidents AS incident
WHERE EXISTS (
    SELECT FROM workflow_monitor.alerts AS alert
    WHERE alert.incident_id = incident.incident_id AND alert.kind IN ('missed', 'runner')
);

ALTER TABLE workflow_monitor.alerts
    DROP CONSTRAINT alerts_kind_check,
    ADD CONSTRAINT alerts_kind_check CHECK (
        kind IN ('failing', 'degraded', 'flapping', 'masked')),
    ALTER COLUMN first_run_id SET NOT NULL,
    ALTER COLUMN last_run_id SET NOT NULL,
    ALTER COLUMN last_status SET NOT NULL;
