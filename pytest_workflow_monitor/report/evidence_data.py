"""What was measured and what pages reported, as the data of the page holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from pytest_workflow_monitor.analysis import vitals, wording
from pytest_workflow_monitor.analysis.events import event_name
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.report.links import web_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_workflow_monitor.model import Event, Metric, Page

LEVEL_KINDS = {"error": Status.FAILED, "warning": Status.DEGRADED}
"""The mark of an event, borrowed from a status."""

EXACT_BELOW_MS = 100
"""Shorter durations keep one decimal, all others are whole milliseconds."""


class MetricDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A metric in words; ``ok`` says whether it keeps to its budget."""

    name: str
    value: str
    label: str = ""
    rating: str = ""
    verdict: str = ""
    ok: bool | None = None


class MetricGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The metrics of one visit to a page, or, without a page, of the whole attempt."""

    metrics: tuple[MetricDetail, ...]
    page: str = ""
    visit: int = 1

    @property
    def is_beyond(self) -> bool:
        """Whether one of them does not keep to its budget."""
        return any(metric.ok is False for metric in self.metrics)


class EventDetail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event with its name; an address on the attempt's own site has no host."""

    name: str
    at: float
    kind: Status = Status.FAILED
    text: str = ""
    method: str = ""
    url: str = ""
    code: int | None = None
    ms: float | None = None
    failure: str = ""
    place: str = ""
    step: int | None = None
    page: int | None = None
    times: int = 1


def rounded(milliseconds: float) -> float:
    """Round a duration to what a person can see."""
    if milliseconds >= EXACT_BELOW_MS:
        return int(milliseconds + 0.5)
    return round(milliseconds, 1)


def rounded_or_none(milliseconds: float | None) -> float | None:
    """Round a duration that may not be known."""
    return None if milliseconds is None else rounded(milliseconds)


def metric_groups(metrics: Iterable[Metric]) -> Iterator[MetricGroup]:
    """Group metrics by visit to a page; a name that comes again on a page begins another visit."""
    visits: dict[tuple[str, int], dict[str, MetricDetail]] = {}
    latest: dict[str, int] = {}
    ungrouped: list[MetricDetail] = []
    for metric in metrics:
        detail = _metric(metric)
        if not metric.page:
            ungrouped.append(detail)
            continue
        visit = latest.setdefault(metric.page, 1)
        if metric.name in visits.get((metric.page, visit), {}):
            visit = latest[metric.page] = visit + 1
        visits.setdefault((metric.page, visit), {})[metric.name] = detail
    if ungrouped:
        yield MetricGroup(metrics=tuple(ungrouped))
    for (page, visit), found in visits.items():
        yield MetricGroup(page=page, visit=visit, metrics=tuple(found.values()))


def _metric(metric: Metric) -> MetricDetail:
    limit = metric.threshold_value
    budget = "" if limit is None else wording.quantity(limit, metric.unit)
    return MetricDetail(
        name=metric.name,
        value=wording.quantity(metric.value, metric.unit),
        label=vitals.NAMES.get(metric.name, ""),
        rating=vitals.rating(metric.name, metric.value) or "",
        verdict=vitals.verdict(metric.name, budget, is_within=metric.is_within_threshold),
        ok=metric.is_within_threshold,
    )


def site_of(pages: Iterable[Page]) -> str:
    """Return scheme and host of the first page on the web; "" without one."""
    for page in pages:
        if web_link(page.url):
            parts = urlsplit(page.url)
            return f"{parts.scheme}://{parts.netloc}"
    return ""


def event_detail(event: Event, site: str) -> EventDetail:
    """Describe an event of an attempt on this site."""
    return EventDetail(
        name=event_name(event),
        at=rounded(event.at_ms),
        kind=LEVEL_KINDS.get(event.level, Status.SKIPPED),
        text=event.text,
        method=event.method,
        url=_short(event.url, site),
        code=event.status_code,
        ms=rounded_or_none(event.duration_ms),
        failure=event.failure,
        place=_short(event.place, site),
        step=event.step,
        page=event.page,
        times=event.repeated + 1,
    )


def _short(url: str, site: str) -> str:
    """Leave out the host of an address on the same site."""
    return url.removeprefix(site) if site and url.startswith(f"{site}/") else url
