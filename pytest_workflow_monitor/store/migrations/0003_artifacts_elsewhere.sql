-- Which artifacts have been copied to where the settings say, and a quick way to those that wait

ALTER TABLE workflow_monitor.workflow_artifacts
    ADD COLUMN uploaded_at timestamptz;

CREATE INDEX workflow_artifacts_kept ON workflow_monitor.workflow_artifacts (recorded_at)
    WHERE path <> '' AND expired_at IS NULL;
