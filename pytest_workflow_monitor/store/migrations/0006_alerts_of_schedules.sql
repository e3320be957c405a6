-- Alerts that no execution shows: slots that did not run, and problems of the monitoring itself

ALTER TABLE workflow_monitor.alerts
    DROP CONSTRAINT alerts_kind_check,
    ADD CONSTRAINT alerts_kind_check CHECK (
        kind IN ('failing', 'degraded', 'flapping', 'masked', 'missed', 'runner')),
    ALTER COLUMN first_run_id DROP NOT NULL,
    ALTER COLUMN last_run_id DROP NOT NULL,
    ALTER COLUMN last_status DROP NOT NULL;
