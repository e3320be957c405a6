"""Synthetic monitoring written as pytest tests and kept in your own PostgreSQL."""

from __future__ import annotations

from pytest_workflow_monitor.recording.api import attach, degrade, label, mask, metric, step

__all__ = ["attach", "degrade", "label", "mask", "metric", "step"]
