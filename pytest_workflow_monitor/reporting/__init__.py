"""Reports over periods as a service: made from the store, kept, and sent once."""

from pytest_workflow_monitor.reporting.due import make_due
from pytest_workflow_monitor.reporting.keeping import identity, keep
from pytest_workflow_monitor.reporting.making import make

__all__ = ["identity", "keep", "make", "make_due"]
