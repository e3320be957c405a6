"""Service levels as a service: worked out from the store, and told when a budget burns."""

from pytest_workflow_monitor.keeping.slos.levels import OF_MARKER, service_levels
from pytest_workflow_monitor.keeping.slos.watching import said_burn, watch

__all__ = ["OF_MARKER", "said_burn", "service_levels", "watch"]
