"""Reports over periods as a service: made from the store, kept, and sent once."""

from pytest_workflow_monitor.reporting.due import keep_if_new, make_due
from pytest_workflow_monitor.reporting.keeping import identity, keep
from pytest_workflow_monitor.reporting.making import make

__all__ = ["identity", "keep", "keep_if_new", "make", "make_due"]
