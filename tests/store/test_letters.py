from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.ingest import Batch, Ingested, ingest, retry_dead_letters
from pytest_workflow_monitor.model import Artifact, Step
from pytest_workflow_monitor.store import LetterStatus
from pytest_workflow_monitor.support.wire import encode
from tests.samples import a_full_attempt, a_session, a_workflow, an_attempt, an_end, at

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store

REFUSED = {
    "a negative duration": {"duration_ms": -1.0},
    "no UUID": {"run_id": "nonsense"},
    "attempt zero": {"number": 0},
    "a workflow id too long for an index": {
        "workflow": a_workflow("".join(sha256(b"%d" % number).hexdigest() for number in range(99)))
    },
    "a size beyond 64 bits": {"artifacts": (Artifact(name="a", size_bytes=2**63),)},
    "a step twice": {"steps": (Step(index=0, name="a"), Step(index=0, name="b"))},
    "no time zone": {"started_at": at(0).replace(tzinfo=None)},
    "no workflow id": {"workflow": a_workflow("")},
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
def test_a_refused_record_is_put_aside_and_the_others_are_stored(
    store: Store, fields: dict[str, Any]
) -> None:
    """One bad record never holds up the rest of a session."""
    good = [an_attempt(f"good-{number}") for number in range(9)]
    bad = an_attempt(**fields)
    attempts = [*good[:5], bad, *good[5:]]
    session = a_session()
    lines = [encode(attempt) for attempt in attempts]
    done = ingest(store, session, Batch(attempts=attempts, raw=lines, ended=an_end()))
    assert done == Ingested(executions=9, attempts=9, dead_lettered=1)
    assert len(store.session_document(session.session_id).executions) == 9
    (letter,) = store.letters(status=LetterStatus.PENDING)
    assert letter.event_data.encode() == encode(bad)
    assert letter.session_id == session.session_id
    assert "refuses" in letter.reason
    assert ingest(store, session, Batch(attempts=attempts, raw=lines)).dead_lettered == 1
    (again,) = store.letters()
    assert (again.letter_id, again.attempts) == (letter.letter_id, 2)


def test_a_dead_letter_can_be_retried(store: Store) -> None:
    """What a newer schema or a repaired database accepts is stored then, and only once."""
    check = "ALTER TABLE workflow_monitor.workflow_steps ADD CONSTRAINT short CHECK (step_index<2)"
    store.connection.execute(check)
    attempt = a_full_attempt()
    session = a_session()
    ingest(store, session, Batch(attempts=[attempt], ended=an_end()))
    assert retry_dead_letters(store).dead_lettered == 1
    (letter,) = store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.PENDING, 2)
    store.connection.execute("ALTER TABLE workflow_monitor.workflow_steps DROP CONSTRAINT short")
    assert retry_dead_letters(store) == Ingested(executions=1, attempts=1)
    (letter,) = store.letters(letter_ids=[letter.letter_id])
    assert letter.status is LetterStatus.SUCCEEDED
    assert letter.processed_at is not None
    stored = store.execution(attempt.run_id)
    assert stored is not None
    assert stored.attempts == (attempt,)
    assert retry_dead_letters(store) == retry_dead_letters(store, [letter.letter_id]) == Ingested()


def test_a_dead_letter_can_be_given_up(store: Store) -> None:
    """It stays to be read, is not retried, and can be retried by name all the same."""
    session = a_session()
    ingest(store, session, Batch(attempts=[an_attempt(number=0)]))
    (letter,) = store.letters()
    assert store.drop_letters([letter.letter_id]) == 1
    assert store.drop_letters([letter.letter_id]) == 0
    assert retry_dead_letters(store) == Ingested()
    assert retry_dead_letters(store, [letter.letter_id]).dead_lettered == 1
    assert store.letters(status=LetterStatus.PENDING) == ()


def test_a_dead_letter_of_a_deleted_session_is_given_up(store: Store) -> None:
    """There is nothing left for it to belong to."""
    session = a_session()
    ingest(store, session, Batch(attempts=[an_attempt(number=0)]))
    store.delete_session(session.session_id)
    assert retry_dead_letters(store) == Ingested()
    assert store.letters()[0].status is LetterStatus.FAILED
