"""What a test says, or types, that must not be seen."""

from __future__ import annotations

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.recording.context import process


def keep_secret(value: str) -> None:
    """Mask a value from here on, and in what the attempt has recorded so far."""
    recorder = process.recorder
    if known.learn(value) and recorder is not None and recorder.equipment.flight is not None:
        recorder.equipment.flight.mask_again()
