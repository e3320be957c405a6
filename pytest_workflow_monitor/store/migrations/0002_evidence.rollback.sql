DROP INDEX workflow_monitor.workflow_metrics_name;
ALTER TABLE workflow_monitor.workflow_artifacts DROP COLUMN expired_at, DROP COLUMN problem;
ALTER TABLE workflow_monitor.workflow_metrics DROP COLUMN page;
ALTER TABLE workflow_monitor.workflow_attempts
    DROP COLUMN pages, DROP COLUMN events_dropped, DROP COLUMN events;
