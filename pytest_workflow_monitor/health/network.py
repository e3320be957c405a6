"""Whether this machine has a network: an address that always answers tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.health import web
from pytest_workflow_monitor.settings.health_rules import is_web_address

if TYPE_CHECKING:
    from pytest_workflow_monitor.settings import Settings

SECONDS = 3.0
"""How long each address may take."""


def network_problem(settings: Settings) -> str:
    """Say why workflows cannot be run from here now; empty when one of the references answers.

    Whatever is answered will do, an error too: it came over the network. Without references there
    is nothing to say. Takes :data:`SECONDS` for each of them at most.
    """
    reasons = []
    for reference in settings.network_reference:
        try:
            _reach(reference)
        except web.NoAnswerError as error:
            reasons.append(f"{reference}: {error}")
        else:
            return ""
    return f"this machine has no network ({'; '.join(reasons)})" if reasons else ""


def _reach(reference: str) -> None:
    if is_web_address(reference):
        web.get(reference, {}, seconds=SECONDS)
    else:
        host, _, port = reference.rpartition(":")
        web.connect(host.strip("[]"), int(port), seconds=SECONDS)
