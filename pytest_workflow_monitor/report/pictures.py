"""Small pictures of the page as geometry: the template draws them, colours come from classes.

``assets/js/pictures.js`` draws the same strip for rows that are not in the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_workflow_monitor.model import Execution, HistoryPoint

LETTERS = {
    Status.PASSED: "p",
    Status.DEGRADED: "d",
    Status.FAILED: "f",
    Status.ERROR: "e",
    Status.TIMED_OUT: "t",
    Status.CRASHED: "c",
    Status.INTERRUPTED: "i",
    Status.SKIPPED: "s",
    Status.RUNNING: "r",
}
"""How the page's data abbreviates a status; ``y`` is a flaky pass."""

FLAKY = "y"
STRIP_MARKS = 20
STRIP_HEIGHT = 16
MARK_WIDTH = 3
MARK_STEP = 5

_BARS = {
    "p": ("passed", ((8, 8),)),
    "y": ("flaky", ((8, 8), (3, 3))),
    "d": ("degraded", ((4, 12),)),
    "f": ("failed", ((0, 16),)),
    "t": ("failed", ((0, 16),)),
    "e": ("error", ((0, 7), (9, 7))),
    "c": ("error", ((0, 7), (9, 7))),
    "i": ("error", ((0, 7), (9, 7))),
    "s": ("skipped", ((13, 3),)),
    "r": ("running", ((13, 3),)),
}
"""For each letter the colour's class and the bars, as top and height: shape tells it too."""


class Shape(NamedTuple):
    """One SVG path with the class that colours it."""

    css_class: str
    path: str


class Segment(NamedTuple):
    """One part of a proportional bar, in per mille of its width."""

    css_class: str
    start: float
    width: float


def letter(status: Status, *, is_flaky: bool) -> str:
    """Abbreviate a status."""
    return FLAKY if is_flaky and status is Status.PASSED else LETTERS[status]


def recent_letters(execution: Execution) -> str:
    """Abbreviate the last 20 statuses, this execution's included, oldest first."""
    past: Iterable[HistoryPoint] = execution.history[1 - STRIP_MARKS :]
    letters = [letter(point.status, is_flaky=point.is_flaky) for point in past]
    return "".join(letters) + letter(execution.status, is_flaky=execution.is_flaky)


def strip(letters: str) -> list[Shape]:
    """Draw status marks from left to right, the newest at the right edge."""
    paths: dict[str, list[str]] = {}
    offset = STRIP_MARKS - len(letters)
    for position, abbreviation in enumerate(letters):
        css_class, bars = _BARS[abbreviation]
        x = (offset + position) * MARK_STEP
        path = paths.setdefault(css_class, [])
        path.extend(f"M{x} {top}h{MARK_WIDTH}v{height}h-{MARK_WIDTH}z" for top, height in bars)
    return [Shape(css_class, "".join(parts)) for css_class, parts in paths.items()]


def strip_box(letters: str) -> str:
    """Return the part of a strip that is drawn on, as an SVG's ``viewBox``."""
    start = (STRIP_MARKS - len(letters)) * MARK_STEP
    width = len(letters) * MARK_STEP - (MARK_STEP - MARK_WIDTH)
    return f"{start} 0 {width} 16"


def strip_words(letters: str) -> str:
    """Say a strip for those who cannot see it: ``last 20 runs: 17 passed, 3 failed``."""
    counts: dict[str, int] = {}
    for abbreviation in letters:
        word = _BARS[abbreviation][0]
        counts[word] = counts.get(word, 0) + 1
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    runs = f"last {len(letters)} runs" if len(letters) > 1 else "this run"
    return f"{runs}: {said}"


def proportions(counts: Mapping[str, int]) -> list[Segment]:
    """Divide a bar among counts; the smallest part stays visible."""
    least, whole = 6.0, 1000.0
    total = sum(counts.values()) or 1
    widths = {name: max(least, whole * count / total) for name, count in counts.items() if count}
    scale = whole / (sum(widths.values()) or 1)
    segments, start = [], 0.0
    for name, width in widths.items():
        segments.append(Segment(name, round(start, 2), round(width * scale, 2)))
        start += width * scale
    return segments


def span(started_ms: float, duration_ms: float, whole_ms: float) -> tuple[float, float]:
    """Place a bar in a waterfall: start and width in per cent, inside 0 to 100, never invisible."""
    if whole_ms <= 0:
        return 0.0, 100.0
    start = min(max(100 * started_ms / whole_ms, 0.0), 99.5)
    width = min(max(100 * duration_ms / whole_ms, 0.5), 100.0 - start)
    return round(start, 2), round(width, 2)
