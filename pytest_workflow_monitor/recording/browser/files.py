"""Keeps the files that pytest-playwright made of an attempt: trace, screenshots, videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.recording.artifacts import keep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_workflow_monitor.recording.recorder import Recorder

KINDS = {
    "playwright_screenshot": "screenshot",
    "playwright_trace": "trace",
    "playwright_video": "video",
}
"""The properties of a tear-down report that hold the path of a file, and what it is."""


def keep_files(
    recorder: Recorder, properties: Iterable[tuple[str, object]], invoked_from: Path
) -> None:
    """Copy the files while they are there: the next run deletes or overwrites them.

    Args:
        recorder: The attempt.
        properties: Those of its tear-down report.
        invoked_from: The folder that relative paths start from.
    """
    for name, path in properties:
        kind = KINDS.get(name)
        if kind is not None:
            kept = keep(recorder, invoked_from / str(path), None, None)
            recorder.details.artifacts.append(replace(kept, kind=kind, step=None))
