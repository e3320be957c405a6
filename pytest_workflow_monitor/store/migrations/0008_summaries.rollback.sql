DROP TABLE workflow_monitor.outdated_hours;
DROP TABLE workflow_monitor.series_days;
DROP TABLE workflow_monitor.series_hours;
DROP TABLE workflow_monitor.workflow_days;
DROP TABLE workflow_monitor.workflow_hours;
DROP FUNCTION workflow_monitor.bucket_of;
