DROP TABLE workflow_monitor.system_health_checks;
DROP TABLE workflow_monitor.schedulers;
DROP TABLE workflow_monitor.workflow_slots;
DROP TABLE workflow_monitor.workflow_schedules;
