"""What to do about a check that found something wrong."""

from __future__ import annotations

HTTP = "http "
"""The names of checks of web addresses begin so; their own name follows."""

_REMEDIES = {
    "artifacts": "look at artifacts_url and what lets us in there; files stay here meanwhile, and "
    "`workflow-monitor artifacts upload` copies them",
    "browser": "`playwright install chromium`, or install Chromium, or set "
    "WORKFLOW_MONITOR_BROWSER to one; a missing library is in a package of the system, such as "
    "Debian's libatomic1",
    "clock": "let the network set the clock, such as with `timedatectl set-ntp true`",
    "database": "look at the server that DATABASE_URL names; what sessions record is kept "
    "meanwhile, and `workflow-monitor replay` stores it",
    "disk": "make room, and let this user write to the state directory; "
    "`workflow-monitor artifacts prune --dry-run` says which evidence can go",
    "network": "look at this machine's network, proxy and name server; workflows are not run "
    "meanwhile",
    "queue": "start more workers with `workflow-monitor worker`, or give them more --concurrency",
    "schedules": "see that `workflow-monitor schedule run` is running, or that crontab calls "
    "`workflow-monitor tick`",
}
_OTHERS = "look at what answers at that address; the settings' health_checks say what should"


def remedy(check_name: str) -> str:
    """Say what to do when a check finds something wrong."""
    return _REMEDIES.get(check_name, _OTHERS)
