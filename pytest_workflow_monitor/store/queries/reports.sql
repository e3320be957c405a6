-- name: kept_report
-- Find the report that is kept of a period
SELECT report_id, project, environment, report_name, report_type, period_start, period_end,
       total_runs, successful_runs, failed_runs, success_rate, avg_duration_ms, critical_issues,
       success_rate_trend, performance_trend, error_rate_trend, generated_at, notified_at,
       document ->> 'verdict' AS verdict, document ->> 'tone' AS tone
FROM workflow_monitor.monitoring_reports
WHERE project = %(project)s AND environment = %(environment)s AND report_name = %(report_name)s
  AND report_type = %(report_type)s AND period_start = %(period_start)s
  AND period_end = %(period_end)s

-- name: has_run_before
-- Tell whether anything ran in some environments in an hour that began before an instant
SELECT EXISTS (
    SELECT
    FROM workflow_monitor.workflow_hours
    WHERE project = %(project)s AND environment = ANY (%(environments)s::text[])
      AND starts_at < %(before)s
) AS found

-- name: keep_report
-- Keep a report unless one of the same period is kept already; whoever comes first gets its number
INSERT INTO workflow_monitor.monitoring_reports (
    project, environment, report_name, report_type, period_start, period_end, total_runs,
    successful_runs, failed_runs, success_rate, avg_duration_ms, critical_issues,
    success_rate_trend, performance_trend, error_rate_trend, document, generated_at
) VALUES (
    %(project)s, %(environment)s, %(report_name)s, %(report_type)s, %(period_start)s,
    %(period_end)s, %(total_runs)s, %(successful_runs)s, %(failed_runs)s, %(success_rate)s,
    %(avg_duration_ms)s, %(critical_issues)s, %(success_rate_trend)s, %(performance_trend)s,
    %(error_rate_trend)s, %(document)s::jsonb, %(generated_at)s
)
ON CONFLICT (project, environment, report_name, report_type, period_start, period_end) DO NOTHING
RETURNING report_id

-- name: kept_reports
-- List kept reports, that of the latest period first
SELECT report_id, project, environment, report_name, report_type, period_start, period_end,
       total_runs, successful_runs, failed_runs, success_rate, avg_duration_ms, critical_issues,
       success_rate_trend, performance_trend, error_rate_trend, generated_at, notified_at,
       document ->> 'verdict' AS verdict, document ->> 'tone' AS tone
FROM workflow_monitor.monitoring_reports
WHERE project = %(project)s AND (%(name)s::text IS NULL OR report_name = %(name)s)
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
ORDER BY period_end DESC, report_id DESC
LIMIT %(limit)s

-- name: report_document
-- Read a kept report
SELECT document::text AS document
FROM workflow_monitor.monitoring_reports
WHERE project = %(project)s AND report_id = %(report_id)s

-- name: mark_report_told
-- Note when the first channel took the message about a report
UPDATE workflow_monitor.monitoring_reports
SET notified_at = %(at)s
WHERE report_id = %(report_id)s AND notified_at IS NULL
