-- Evidence: what pages reported, numbers of a page, artifacts that are missing or have expired

ALTER TABLE workflow_monitor.workflow_attempts
    ADD COLUMN events jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN events_dropped integer NOT NULL DEFAULT 0 CHECK (events_dropped >= 0),
    ADD COLUMN pages jsonb NOT NULL DEFAULT '[]';

ALTER TABLE workflow_monitor.workflow_metrics
    ADD COLUMN page text NOT NULL DEFAULT '';

ALTER TABLE workflow_monitor.workflow_artifacts
    ADD COLUMN problem text NOT NULL DEFAULT '',
    ADD COLUMN expired_at timestamptz;

CREATE INDEX workflow_metrics_name ON workflow_monitor.workflow_metrics (metric_name, recorded_at DESC);
