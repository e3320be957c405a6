"""Which evidence pytest-playwright keeps where nobody says so."""

from __future__ import annotations

from typing import Any

POLICIES = {"tracing": "retain-on-failure", "screenshot": "only-on-failure", "video": "off"}
"""By option of pytest-playwright, instead of its own default ``off``."""

_DECIDED = "workflow_monitor_decided_policies"


def set_defaults(option: Any) -> None:
    """Change defaults among the options before they are parsed; what the user gives still wins.

    A worker of pytest-xdist starts with the options of its controller, where the user's choice is
    among them already; the mark that travels with them tells.
    """
    if not hasattr(option, _DECIDED):
        setattr(option, _DECIDED, True)
        for name, policy in POLICIES.items():
            setattr(option, name, policy)
