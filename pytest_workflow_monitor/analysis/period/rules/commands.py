"""Commands that help with a finding, ready to be pasted into a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_workflow_monitor.analysis.period.facts import Key


def show(run_id: str) -> str:
    """Show an execution; "" if there is none."""
    return _joined("show", run_id) if run_id else ""


def history(key: Key, since: datetime | str | None = None) -> str:
    """Show the executions of a workflow, since a day or for so long."""
    words = ["history", key.workflow_id, "--environment", key.environment]
    if since is not None:
        words += ["--since", since if isinstance(since, str) else f"{since:%Y-%m-%d}"]
    return _joined(*words)


def slots(environment: str) -> str:
    """Show the slots of an environment."""
    return _joined("schedule", "slots", "--environment", environment)


def end_silence(silence_id: int) -> str:
    """End a silence."""
    return _joined("silences", "end", str(silence_id))


def _joined(*words: str) -> str:
    return shlex.join(("workflow-monitor", *words))
