"""Workflows as their markers described them: the latest definition, and every version before.

An execution names the version that held when it ran, so that old reports stay true.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.model import Record, Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.model import SessionStarted
    from pytest_workflow_monitor.store.writing import Writing

_encode = msgspec.json.Encoder(order="deterministic").encode


class Definition(Record, frozen=True, kw_only=True):
    """A workflow, encoded, and the hash that names this version of it: equal for equal ones."""

    workflow: Workflow
    encoded: bytes
    hash: str


def definition_of(workflow: Workflow) -> Definition:
    """Encode a workflow and name the version."""
    encoded = _encode(workflow)
    return Definition(
        workflow=workflow, encoded=encoded, hash=blake2b(encoded, digest_size=16).hexdigest()
    )


def define(store: Writing, session: SessionStarted, definitions: Sequence[Definition]) -> None:
    """Store what is new of workflows; of two definitions that of the later session is the latest.

    The lock of the project has to be held.
    """
    latest = {it.workflow.workflow_id: it for it in definitions}
    outdated = store.outdated(session.project, definitions)
    changed = [it for it in outdated if latest[it.definition.workflow.workflow_id] is it.definition]
    store.add_workflows(session, [it.definition for it in changed if it.defined_at is None])
    store.add_versions(session, [it.definition for it in outdated if not it.is_stored])
    store.replace_workflows(
        session,
        [it.definition for it in changed if it.defined_at and it.defined_at <= session.started_at],
    )
