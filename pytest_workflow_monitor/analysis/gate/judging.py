"""The decision: one function for each rule, each with what it found wrong."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.analysis.gate.records import (
    Finding,
    Novelty,
    Past,
    Reason,
    Rule,
    Unjudged,
    Verdict,
)
from pytest_workflow_monitor.model import Priority, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_workflow_monitor.analysis.gate.facts import Result
    from pytest_workflow_monitor.analysis.gate.records import Ending, OnBase, OnTarget
    from pytest_workflow_monitor.settings.gate_rules import GateRules

OK, TESTS_FAILED = 0, 1
MINIMUM_PASSES = 10
"""Passes that the base branch must have for its p95 to be compared with."""

NOTICEABLE_MS = 100.0
"""What a workflow must have become slower by, whatever the ratio: less is noise."""

MAX_NAMED = 3


def asked_about(results: Sequence[Result], rules: GateRules) -> tuple[list[str], list[str]]:
    """Tell of which workflows to ask what the base branch does, and of which what excuses them."""
    needy = {it.workflow_id for it in results if it.has_failed or it.is_flaky}
    all_of_them = {it.workflow_id for it in results} if rules.max_p95_ratio else needy
    failed = {it.workflow_id for it in results if it.has_failed}
    return sorted(all_of_them), sorted(failed) if rules.excuse_environment else []


def judge(
    results: Sequence[Result],
    rules: GateRules,
    ending: Ending,
    *,
    base_branch: str,
    past: Past | None,
    problem: str = "",
) -> Verdict:
    """Decide whether a session passes.

    Args:
        results: The session's executions.
        rules: What is allowed.
        ending: How pytest itself ended.
        base_branch: What it is compared with.
        past: What is known from before; None when nothing could be asked.
        problem: Why nothing could be asked, in a few words.
    """
    known = past or Past()
    findings = tuple(_finding(it, known) for it in _needy(results))
    excused = {
        it.run_id
        for it, found in zip(_needy(results), findings, strict=True)
        if it.has_failed and found.is_excused
    }
    counted = [it for it in results if it.run_id not in excused]
    reasons = (
        *_failures(counted, rules, findings),
        *_success_rate(counted, rules),
        *_new_errors(findings, rules, base_branch),
        *_p95(counted, rules, known, base_branch),
        *_budgets(counted, rules),
        *_flaky(counted, rules),
    )
    is_judged = ending.exit_status in {OK, TESTS_FAILED}
    passed = not reasons and not ending.others_failed and not ending.was_stopped
    return Verdict(
        exit_status=(TESTS_FAILED, OK)[passed] if is_judged else ending.exit_status,
        passed=passed and is_judged,
        is_judged=is_judged,
        base_branch=base_branch,
        excuse_environment=rules.excuse_environment,
        reasons=reasons,
        findings=findings,
        unjudged=tuple(_unjudged(rules, past, problem, base_branch)),
        ending=ending,
    )


def _needy(results: Sequence[Result]) -> list[Result]:
    """Choose what failed or was masked by a retry, critical before low, failed before flaky."""
    order = list(Priority)
    needy = (it for it in results if it.has_failed or it.is_flaky)
    return sorted(needy, key=lambda it: (it.is_flaky, order.index(it.priority), it.workflow_id))


def _finding(result: Result, past: Past) -> Finding:
    base = next((it for it in past.on_base if it.workflow_id == result.workflow_id), None)
    target = next((it for it in past.on_target if it.workflow_id == result.workflow_id), None)
    return Finding(
        workflow_id=result.workflow_id,
        name=result.name,
        priority=result.priority,
        status=result.status,
        is_flaky=result.is_flaky,
        message=result.faults[-1].message if result.faults else "",
        novelty=_novelty(result, past, base),
        base=base,
        excused_at=target.started_at if target and _is_same(result, target) else None,
    )


def _novelty(result: Result, past: Past, base: OnBase | None) -> Novelty:
    kinds = {fault.kind for fault in result.faults} - {Status.INTERRUPTED.value}
    if not past.base_executions or not kinds:
        return Novelty.UNKNOWN
    return Novelty.KNOWN if base and kinds <= set(base.kinds) else Novelty.NEW


def _is_same(result: Result, target: OnTarget) -> bool:
    """Whether a failure is the one that the workflow has there, too: each error is known there."""
    kinds = {fault.kind for fault in result.faults}
    return result.has_failed and target.status.is_problem and kinds <= set(target.kinds)


def _failures(
    results: Sequence[Result], rules: GateRules, findings: Sequence[Finding]
) -> Iterator[Reason]:
    new = {it.workflow_id for it in findings if it.novelty is Novelty.NEW}
    for priority in Priority:
        allowed = rules.allowed_failures.get(priority.value, 0)
        failed = _ids(it for it in results if it.has_failed and it.priority is priority)
        if allowed is not None and len(failed) > allowed:
            verb = "fails" if len(failed) == 1 else "fail"
            named = _named([f"{it} (new)" if it in new else it for it in failed])
            count = wording.plural(len(failed), f"{priority.value} workflow")
            yield Reason(rule=Rule.FAILURES, said=f"{count} {verb}, {allowed} allowed: {named}")


def _success_rate(results: Sequence[Result], rules: GateRules) -> Iterator[Reason]:
    good = sum(it.has_succeeded for it in results)
    judged = good + sum(it.has_failed for it in results)
    if judged and good * 100 < rules.min_success_rate * judged:
        said = (
            f"{wording.percent(good / judged)} of {wording.plural(judged, 'execution')} succeed, "
            f"{rules.min_success_rate:g} % needed"
        )
        yield Reason(rule=Rule.SUCCESS_RATE, said=said)


def _new_errors(findings: Sequence[Finding], rules: GateRules, base: str) -> Iterator[Reason]:
    new = [it for it in findings if it.novelty is Novelty.NEW and not it.is_excused]
    if new and not rules.allow_new_errors:
        told = _named([_new_error(it) for it in new], "; ")
        said = f"{wording.plural(len(new), 'error')} never seen on {base}: {told}"
        yield Reason(rule=Rule.NEW_ERRORS, said=said)


def _new_error(finding: Finding) -> str:
    masked = " (masked by a retry)" if finding.is_flaky else ""
    return f"{finding.workflow_id}: {wording.cut(finding.message, 80)}{masked}"


def _p95(results: Sequence[Result], rules: GateRules, past: Past, base: str) -> Iterator[Reason]:
    if not rules.max_p95_ratio:
        return
    taken: dict[str, list[float]] = defaultdict(list)
    for it in results:
        if it.has_succeeded and it.duration_ms is not None:
            taken[it.workflow_id].append(it.duration_ms)
    slow = []
    for on_base in past.on_base:
        usual, durations = on_base.p95_ms, sorted(taken[on_base.workflow_id])
        if not durations or not usual or on_base.passes < MINIMUM_PASSES:
            continue
        now = durations[math.ceil(0.95 * len(durations)) - 1]
        if now > usual * rules.max_p95_ratio and now - usual >= NOTICEABLE_MS:
            slow.append((now / usual, _slower(on_base.workflow_id, now, usual)))
    if slow:
        told = _named([said for _, said in sorted(slow, reverse=True)], "; ")
        count = wording.plural(len(slow), "workflow")
        said = f"{count} slower than {rules.max_p95_ratio:g} × the p95 of {base}: {told}"
        yield Reason(rule=Rule.P95, said=said)


def _slower(workflow_id: str, now: float, usual: float) -> str:
    times = f"{now / usual:.1f} ×"
    return f"{workflow_id} {wording.duration(now)}, {times} {wording.duration(usual)}"


def _budgets(results: Sequence[Result], rules: GateRules) -> Iterator[Reason]:
    broken = [f"{it.workflow_id}: {budget}" for it in results for budget in it.broken_budgets]
    if broken and not rules.allow_broken_budgets:
        verb = "is" if len(broken) == 1 else "are"
        count = wording.plural(len(broken), "budget")
        said = f"{count} {verb} broken: {_named(broken, '; ')}"
        yield Reason(rule=Rule.BUDGETS, said=said)


def _flaky(results: Sequence[Result], rules: GateRules) -> Iterator[Reason]:
    masked = _ids(it for it in results if it.is_flaky)
    if rules.allowed_flaky is not None and len(masked) > rules.allowed_flaky:
        verb = "passes" if len(masked) == 1 else "pass"
        count = wording.plural(len(masked), "workflow")
        said = f"{count} {verb} only by a retry, {rules.allowed_flaky} allowed: {_named(masked)}"
        yield Reason(rule=Rule.FLAKY, said=said)


def _unjudged(rules: GateRules, past: Past | None, problem: str, base: str) -> Iterator[Unjudged]:
    needed = rules.needs_history
    if past is None:
        if needed:
            yield Unjudged(rules=needed, why=problem)
        return
    compared = tuple(name for name in needed if name != "excuse_environment")
    few = sorted(it.workflow_id for it in past.on_base if it.passes < MINIMUM_PASSES)
    if compared and not past.base_executions:
        yield Unjudged(rules=compared, why=f"nothing ran on {base} there")
    elif rules.max_p95_ratio and few:
        why = f"fewer than {MINIMUM_PASSES} passes on {base}: {_named(few)}"
        yield Unjudged(rules=(Rule.P95.value,), why=why)


def _ids(results: Iterator[Result]) -> list[str]:
    return sorted({it.workflow_id for it in results})


def _named(names: Sequence[str], separator: str = ", ") -> str:
    more = len(names) - MAX_NAMED
    return separator.join(names[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
