DROP TABLE workflow_monitor.deployments;
DROP TABLE workflow_monitor.execution_anomalies;
DROP TABLE workflow_monitor.unjudged_sessions;
DROP TABLE workflow_monitor.performance_baselines;
