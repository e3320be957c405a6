DROP INDEX workflow_monitor.workflow_artifacts_kept;
ALTER TABLE workflow_monitor.workflow_artifacts DROP COLUMN uploaded_at;
