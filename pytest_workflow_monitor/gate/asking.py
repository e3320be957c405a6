"""Gathers what the gate has to know, in the process that has the database."""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from pytest_workflow_monitor.analysis.gate import Past, asked_about, judge, result_of
from pytest_workflow_monitor.errors import StoreError
from pytest_workflow_monitor.session.context import find_base_branch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_workflow_monitor.analysis.gate import Ending, Result, Verdict
    from pytest_workflow_monitor.model import SessionDocument, SessionStarted
    from pytest_workflow_monitor.settings.gate_rules import GateRules
    from pytest_workflow_monitor.store import Store

TOO_LATE = "no answer within deadline_seconds"
AWAY = "the database cannot be asked"


def verdict_of(
    document: SessionDocument,
    rules: GateRules,
    ending: Ending,
    *,
    store: Store | None,
    judged_by: float,
    environ: Mapping[str, str] = os.environ,
) -> Verdict:
    """Judge a session, with what the database knows where that can be asked in time.

    Args:
        document: The session, without history.
        rules: What is allowed.
        ending: How pytest ended.
        store: The database; None when it is away.
        judged_by: Until when the session waits, on the monotonic clock.
        environ: Environment variables, which may name the base branch.
    """
    results = [result_of(execution) for execution in document.executions]
    branch = rules.base_branch or find_base_branch(environ)
    past, problem = None, AWAY
    if store is not None:
        with suppress(StoreError):
            past = _past(store, rules, document.session, branch, results)
    if monotonic() > judged_by:  # the session has judged without us
        past, problem = None, TOO_LATE
    return judge(results, rules, ending, base_branch=branch, past=past, problem=problem)


def _past(
    store: Store,
    rules: GateRules,
    session: SessionStarted,
    branch: str,
    results: Sequence[Result],
) -> Past:
    on_base, on_target = asked_about(results, rules)
    environment = rules.base_environment or session.environment
    found = (
        store.on_base(session.project, environment, branch, on_base, session.started_at)
        if on_base
        else ()
    )
    return Past(
        base_executions=sum(it.executions for it in found),
        on_base=found,
        on_target=store.on_target(
            session.project, rules.excuse_environment, on_target, session.started_at
        )
        if on_target
        else (),
    )
