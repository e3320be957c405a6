DELETE FROM workflow_monitor.dead_letter_queue WHERE notification_id IS NOT NULL;
ALTER TABLE workflow_monitor.dead_letter_queue DROP CONSTRAINT dead_letter_queue_status_check;
UPDATE workflow_monitor.dead_letter_queue SET status = 'PROCESSED' WHERE status = 'SUCCEEDED';
UPDATE workflow_monitor.dead_letter_queue SET status = 'DISCARDED' WHERE status = 'FAILED';
UPDATE workflow_monitor.dead_letter_queue SET status = 'PENDING' WHERE status = 'PROCESSING';
ALTER TABLE workflow_monitor.dead_letter_queue
    DROP COLUMN notification_id,
    ALTER COLUMN session_id SET NOT NULL,
    ADD CONSTRAINT dead_letter_queue_status_check
        CHECK (status IN ('PENDING', 'PROCESSED', 'DISCARDED'));
DROP TABLE workflow_monitor.notification_logs;
DROP TABLE workflow_monitor.silences;
DROP TABLE workflow_monitor.alert_events;
DROP TABLE workflow_monitor.alerts;
DROP TABLE workflow_monitor.incidents;
ALTER TABLE workflow_monitor.test_sessions DROP COLUMN notifies;
