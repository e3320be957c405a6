"""The gate's verdict in reports: why, what is new against the base branch, what is excused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.gate import Novelty, unjudged_rules
from pytest_workflow_monitor.analysis.gate.saying import beside
from pytest_workflow_monitor.report.cases import kind_of
from pytest_workflow_monitor.report.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.analysis.gate import Finding, OnBase, Verdict

MAX_FINDINGS = 20
MAX_REASON = 1_000


class FindingView(NamedTuple):
    """A failure, or a pass by a retry: ``about`` it, what it ``said``, and what is ``known``."""

    mark: str
    kind: str
    name: str
    about: str
    said: str
    known: str


class Group(NamedTuple):
    """Findings of one novelty: ``title``, the branch or environment meant, and the word after it.

    ``left_out`` counts those that are not among ``found``.
    """

    title: str
    scope: str
    after: str
    found: tuple[FindingView, ...]
    left_out: int


class GateView(NamedTuple):
    """What a report shows of a verdict, as plain text; ``kind`` is how a status is shown."""

    mark: str
    kind: str
    headline: str
    reasons: tuple[str, ...]
    groups: tuple[Group, ...]
    unjudged: tuple[str, ...]


def gate_view(verdict: Verdict) -> GateView:
    """Prepare a verdict for a report."""
    base, target = verdict.base_branch, verdict.excuse_environment
    counted = [it for it in verdict.findings if not it.is_excused]
    groups = (
        _group("New against", base, "", _of(counted, Novelty.NEW)),
        _group("Known on", base, "", _of(counted, Novelty.KNOWN)),
        _group("Excused: fails in", target, " too", verdict.excused),
    )
    mark, kind, headline = _headline(verdict)
    return GateView(
        mark=mark,
        kind=kind,
        headline=headline,
        reasons=(*beside(verdict.ending), *(it.said for it in verdict.reasons)),
        groups=tuple(it for it in groups if it.found),
        unjudged=tuple(unjudged_rules(it) for it in verdict.unjudged),
    )


def gate_parts(verdict: Verdict) -> Iterator[str]:
    """Write the section of a gate as Markdown, piece by piece."""
    view = gate_view(verdict)
    yield f"### {view.mark} {view.headline}\n\n"
    if view.reasons:
        yield "".join(f"- {escaped(it, limit=MAX_REASON)}\n" for it in view.reasons) + "\n"
    for group in view.groups:
        yield f"**{group.title} <code>{escaped(group.scope)}</code>{group.after}**\n\n"
        yield "".join(
            f"- {it.mark} <b>{escaped(it.name)}</b> ({it.about}): {escaped(it.said)} · {it.known}\n"
            for it in group.found
        )
        yield f"- and {group.left_out:,} more\n\n" if group.left_out else "\n"
    for it in view.unjudged:
        yield f"> Not judged: {escaped(it, limit=MAX_REASON)}\n\n"


def _headline(verdict: Verdict) -> tuple[str, str, str]:
    """Say the verdict, after its mark and the kind of status that it is shown as."""
    status = verdict.ending.exit_status
    if not verdict.is_judged:
        return "–", "skipped", f"Gate: not judged, pytest ended with exit code {status}"
    mark, word = ("✓", "passed") if verdict.passed else ("✗", "failed")
    instead = "" if verdict.exit_status == status else f" instead of {status}"
    return mark, word, f"Gate {word}: exit code {verdict.exit_status}{instead}"


def _of(findings: Sequence[Finding], novelty: Novelty) -> list[Finding]:
    return [it for it in findings if it.novelty is novelty]


def _group(title: str, scope: str, after: str, found: Sequence[Finding]) -> Group:
    shown = tuple(_view(it) for it in found[:MAX_FINDINGS])
    return Group(title, scope, after, shown, len(found) - len(shown))


def _view(finding: Finding) -> FindingView:
    masked = ", masked by a retry" if finding.is_flaky else ""
    return FindingView(
        mark="~" if finding.is_flaky else wording.STATUS_MARKS[finding.status],
        kind=kind_of(finding.status, is_flaky=finding.is_flaky),
        name=finding.name,
        about=f"{finding.priority.value}{masked}",
        said=finding.message,
        known=f"last seen there {wording.full_instant(finding.excused_at)}"
        if finding.excused_at is not None
        else _on_base(finding.base),
    )


def _on_base(base: OnBase | None) -> str:
    if base is None or base.last_at is None:
        return "no executions there"
    at, times = wording.full_instant(base.last_at), wording.plural(base.executions, "execution")
    if not base.failures:
        return f"passes there: {times}, the last one {at}"
    word = wording.STATUS_WORDS[base.last_status].lower() if base.last_status else "ended"
    return f"{base.failures:,} of {times} failed there, the last one {word} {at}"
