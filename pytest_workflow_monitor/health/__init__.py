"""The runner's own health: whether what the monitoring needs is there and works."""

from pytest_workflow_monitor.health.checking import check, run_checks
from pytest_workflow_monitor.health.network import network_problem
from pytest_workflow_monitor.health.remedies import remedy

__all__ = ["check", "network_problem", "remedy", "run_checks"]
