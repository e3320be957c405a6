"""The gate's verdict as Markdown: why, what is new against the base branch, what is excused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.gate import Novelty, unjudged_rules
from pytest_workflow_monitor.analysis.gate.saying import beside
from pytest_workflow_monitor.report.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.analysis.gate import Finding, OnBase, Verdict

MAX_FINDINGS = 20
MAX_REASON = 1_000


def gate_parts(verdict: Verdict) -> Iterator[str]:
    """Write the section of a gate, piece by piece."""
    yield f"### {_headline(verdict)}\n\n"
    told = [*beside(verdict.ending), *(it.said for it in verdict.reasons)]
    if told:
        yield "".join(f"- {escaped(it, limit=MAX_REASON)}\n" for it in told) + "\n"
    base, target = _code(verdict.base_branch), _code(verdict.excuse_environment)
    counted = [it for it in verdict.findings if not it.is_excused]
    for title, found in (
        (f"New against {base}", _of(counted, Novelty.NEW)),
        (f"Known on {base}", _of(counted, Novelty.KNOWN)),
        (f"Excused: fails in {target} too", verdict.excused),
    ):
        if found:
            yield f"**{title}**\n\n"
            yield "".join(f"- {_told(it)}\n" for it in found[:MAX_FINDINGS])
            left = len(found) - MAX_FINDINGS
            yield f"- and {left:,} more\n\n" if left > 0 else "\n"
    for it in verdict.unjudged:
        yield f"> Not judged: {escaped(unjudged_rules(it), limit=MAX_REASON)}\n\n"


def _headline(verdict: Verdict) -> str:
    status = verdict.ending.exit_status
    if not verdict.is_judged:
        return f"– Gate: not judged, pytest ended with exit code {status}"
    mark, word = ("✓", "passed") if verdict.passed else ("✗", "failed")
    instead = "" if verdict.exit_status == status else f" instead of {status}"
    return f"{mark} Gate {word}: exit code {verdict.exit_status}{instead}"


def _of(findings: Sequence[Finding], novelty: Novelty) -> list[Finding]:
    return [it for it in findings if it.novelty is novelty]


def _told(finding: Finding) -> str:
    mark = "~" if finding.is_flaky else wording.STATUS_MARKS[finding.status]
    masked = ", masked by a retry" if finding.is_flaky else ""
    said = f"{mark} <b>{escaped(finding.name)}</b> ({finding.priority.value}{masked}): "
    said += escaped(finding.message)
    if finding.excused_at is not None:
        return f"{said} · last seen there {wording.full_instant(finding.excused_at)}"
    return f"{said} · {_on_base(finding.base)}"


def _on_base(base: OnBase | None) -> str:
    if base is None or base.last_at is None:
        return "no executions there"
    at, times = wording.full_instant(base.last_at), wording.plural(base.executions, "execution")
    if not base.failures:
        return f"passes there: {times}, the last one {at}"
    word = wording.STATUS_WORDS[base.last_status].lower() if base.last_status else "ended"
    return f"{base.failures:,} of {times} failed there, the last one {word} {at}"


def _code(name: str) -> str:
    return f"<code>{escaped(name)}</code>"
