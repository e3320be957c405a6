"""Workflows as their markers described them: the latest definition, and every version before.

An execution names the version that held when it ran, so that old reports stay true.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_workflow_monitor.model import SessionStarted, Workflow
    from pytest_workflow_monitor.store.writing import KnownWorkflow, Writing

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A workflow, encoded, and the hash that names this version of it: equal for equal ones."""

    workflow: Workflow
    encoded: bytes
    hash: str

    def is_latest(self, known: Mapping[str, KnownWorkflow]) -> bool:
        """Tell whether the store holds this as the latest version."""
        found = known.get(self.workflow.workflow_id)
        return found is not None and found.definition_hash == self.hash


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
    known = store.known_workflows(session.project, latest)
    store.add_workflows(session, [it for name, it in latest.items() if name not in known])
    changed = [it for it in definitions if not it.is_latest(known)]
    versions = store.known_versions(session.project, changed)
    store.add_versions(
        session, [it for it in changed if (it.workflow.workflow_id, it.hash) not in versions]
    )
    newer = {name for name, it in known.items() if it.defined_at <= session.started_at}
    store.replace_workflows(
        session,
        [it for name, it in latest.items() if name in newer and not it.is_latest(known)],
    )
