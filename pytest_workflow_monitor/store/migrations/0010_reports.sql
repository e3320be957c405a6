-- Reports over periods, the messages about them, and alerts about error budgets

CREATE TABLE workflow_monitor.monitoring_reports (
    report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL CHECK (project <> ''),
    environment text NOT NULL,
    report_name text NOT NULL CHECK (report_name <> ''),
    report_type text NOT NULL CHECK (report_type IN (
        'hourly', 'daily', 'weekly', 'monthly', 'custom')),
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    total_runs bigint NOT NULL CHECK (total_runs >= 0),
    successful_runs bigint NOT NULL CHECK (successful_runs >= 0),
    failed_runs bigint NOT NULL CHECK (failed_runs >= 0),
    success_rate double precision CHECK (success_rate BETWEEN 0 AND 100),
    avg_duration_ms double precision CHECK (avg_duration_ms >= 0),
    critical_issues integer NOT NULL CHECK (critical_issues >= 0),
    success_rate_trend double precision,
    performance_trend double precision,
    error_rate_trend double precision,
    document jsonb NOT NULL,
    generated_at timestamptz NOT NULL,
    notified_at timestamptz,
    UNIQUE (project, environment, report_name, report_type, period_start, period_end),
    CHECK (period_end > period_start)
);

ALTER TABLE workflow_monitor.notification_logs
    ADD COLUMN report_id bigint
        REFERENCES workflow_monitor.monitoring_reports ON DELETE CASCADE;

CREATE UNIQUE INDEX notification_logs_report ON workflow_monitor.notification_logs
    (report_id, channel) WHERE report_id IS NOT NULL;

ALTER TABLE workflow_monitor.alerts
    DROP CONSTRAINT alerts_kind_check,
    ADD CONSTRAINT alerts_kind_check CHECK (kind IN (
        'failing', 'degraded', 'flapping', 'masked', 'missed', 'runner', 'burning'));
