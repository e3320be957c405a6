"""Keeps secrets out of everything that is written: what is known, masking, and a last look."""

from __future__ import annotations

from pytest_workflow_monitor.masking.secrets import Secrets
from pytest_workflow_monitor.masking.withheld import WITHHELD, WithheldError

__all__ = ["WITHHELD", "Secrets", "WithheldError", "known"]

known = Secrets()
"""What this process knows to be secret."""
