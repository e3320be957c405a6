"""What can be configured, where each value came from, and what is wrong with it."""

from pytest_workflow_monitor.settings.checking import LIMITS
from pytest_workflow_monitor.settings.effective import Settings
from pytest_workflow_monitor.settings.passwords import without_password
from pytest_workflow_monitor.settings.reading import SETTINGS_FILE, find_root, load

__all__ = [
    "LIMITS",
    "SETTINGS_FILE",
    "Settings",
    "find_root",
    "load",
    "without_password",
]
