"""Reports over periods as a service: made from the store, kept, and sent once."""

from pytest_workflow_monitor.reporting.making import make

__all__ = ["make"]
