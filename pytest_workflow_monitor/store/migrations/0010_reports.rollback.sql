DELETE FROM workflow_monitor.incidents AS incident
WHERE EXISTS (
    SELECT FROM workflow_monitor.alerts AS alert
    WHERE alert.incident_id = incident.incident_id AND alert.kind = 'burning'
);

ALTER TABLE workflow_monitor.alerts
    DROP CONSTRAINT alerts_kind_check,
    ADD CONSTRAINT alerts_kind_check CHECK (
        kind IN ('failing', 'degraded', 'flapping', 'masked', 'missed', 'runner'));

ALTER TABLE workflow_monitor.notification_logs DROP COLUMN report_id;
DROP TABLE workflow_monitor.monitoring_reports;
