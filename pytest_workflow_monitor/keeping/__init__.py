"""What becomes of stored executions: alerts, service levels, what is normal, what is deleted."""
