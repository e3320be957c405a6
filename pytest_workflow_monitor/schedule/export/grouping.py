"""Puts workflows together that run at the same times, each group with a name."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cron.slots import said
from pytest_workflow_monitor.schedule.export.asking import Group, Spelled
from pytest_workflow_monitor.schedule.export.timing import RefusedError
from pytest_workflow_monitor.schedule.rules import grace_of, limit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_workflow_monitor.model import Workflow

LONGEST_NAME = 50
"""Kubernetes gives a job of a CronJob a name with eleven characters more, and 63 at most."""

_HASH_LENGTH = 6


def grouped(
    workflows: Iterable[Workflow], spell: Callable[[Workflow], Spelled]
) -> tuple[list[Group], dict[str, str]]:
    """Group workflows by their schedule as it is written, in the order in which they came.

    Returns:
        The groups, and why a workflow is in none of them, by its id.
    """
    found: dict[Spelled, list[Workflow]] = {}
    refused: dict[str, str] = {}
    for workflow in workflows:
        try:
            found.setdefault(spell(workflow), []).append(workflow)
        except RefusedError as error:
            refused[workflow.workflow_id] = str(error)
    groups: list[Group] = []
    for spelled, those in found.items():
        taken = {it.name for it in groups}
        groups.append(_group(spelled, those, taken))
    return groups, refused


def _group(spelled: Spelled, workflows: Sequence[Workflow], taken: set[str]) -> Group:
    first = workflows[0]
    words = said(first)
    if first.cron is not None and first.timezone != "UTC":
        words = f"{words} ({first.timezone})"
    name = slug(words)
    if name in taken:
        name = _with_hash(name, "\n".join((*spelled.lines, spelled.zone)))
    return Group(
        name=name,
        words=words,
        spelled=spelled,
        workflow_ids=tuple(dict.fromkeys(it.workflow_id for it in workflows)),
        grace_seconds=min(map(grace_of, workflows)),
        limit_seconds=sum(map(limit_of, workflows)),
    )


def slug(text: str) -> str:
    """Make a name of a text; a long one is cut and told apart by a hash."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "workflows"
    return plain if len(plain) <= LONGEST_NAME else _with_hash(plain, text)


def _with_hash(name: str, text: str) -> str:
    digest = blake2b(text.encode(), digest_size=_HASH_LENGTH // 2).hexdigest()
    return f"{name[: LONGEST_NAME - _HASH_LENGTH - 1].rstrip('-')}-{digest}"
