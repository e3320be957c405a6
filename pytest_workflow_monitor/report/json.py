"""One session as documented JSON: its records and what the reports say about them.

``docs/json.md`` describes every field. Fields that hold their default are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.analysis.gate.records import Verdict  # noqa: TC001 - msgspec reads it
from pytest_workflow_monitor.analysis.summary import Summary, summarize
from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.model import SessionDocument
from pytest_workflow_monitor.report.files import write_atomically
from pytest_workflow_monitor.report.guard import checked, masked

if TYPE_CHECKING:
    from pathlib import Path


class SessionReport(SessionDocument, frozen=True, kw_only=True):
    """A session's document with its summary; ``format`` and ``version`` are always written.

    ``gate`` is the verdict of the gate, if there was one.
    """

    format: str
    version: int
    summary: Summary
    gate: Verdict | None = None


def render_json(document: SessionDocument, verdict: Verdict | None = None) -> bytes:
    """Render the report of a session as JSON that decodes as a :class:`SessionDocument` too."""
    document = masked(document)
    fields = {name: getattr(document, name) for name in document.__struct_fields__}
    report = SessionReport(
        **fields, summary=summarize(document), gate=verdict and known.record(verdict)
    )
    return checked(msgspec.json.encode(report))


def write_json(document: SessionDocument, path: Path, verdict: Verdict | None = None) -> None:
    """Write the report of a session as JSON, whole or not at all; parents are created.

    Raises:
        ReportError: The file cannot be written.
    """
    write_atomically(path, render_json(document, verdict))
