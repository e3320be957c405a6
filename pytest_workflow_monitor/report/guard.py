"""Keeps secrets out of reports: masks what goes into one, and looks once more before it leaves.

What is in the database was masked when it was stored, but more may be known to be secret now.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.masking import WithheldError, known

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from pytest_workflow_monitor.model import SessionDocument

SOURCES = (
    "model.py",
    "words/period_report.py",
    "analysis",
    "analysis/gate",
    "analysis/period",
    "analysis/period/rules",
    "analysis/period/sections",
    "settings/gate_rules.py",
    "report",
    "report/period",
    "report/assets",
    "report/assets/js",
    "report/templates",
)
"""Where the words come from that this program itself writes into a report."""


def masked(document: SessionDocument) -> SessionDocument:
    """Mask what is known to be secret now."""
    return known.record(document)


def checked(report: bytes) -> bytes:
    """Return a report in which no secret is found.

    Raises:
        ReportError: There is one.
    """
    try:
        return known.report(report, own_words)
    except WithheldError as error:
        raise ReportError(f"The report was {error}.") from error


@cache
def own_words() -> str:
    """All that this program may write into a report by itself."""
    return "\n".join(path.read_text("utf-8") for path in _sources())


def _sources() -> Iterator[Traversable]:
    package = files("pytest_workflow_monitor")
    for name in SOURCES:
        place = package / name
        yield from (it for it in place.iterdir() if it.is_file()) if place.is_dir() else [place]
