from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pytest_workflow_monitor.journal import Journal, flight_path, session_folder
from pytest_workflow_monitor.masking.secrets import Secrets
from pytest_workflow_monitor.model import AttemptStarted, SessionEnded, Status
from pytest_workflow_monitor.recording.flight import FlightRecorder
from pytest_workflow_monitor.shipping.shipment import Shipment, replay
from pytest_workflow_monitor.support.wire import encode
from tests.samples import a_session, an_attempt, at

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_workflow_monitor.store import Store


def test_an_attempt_that_the_journal_has_was_not_interrupted(store: Store, tmp_path: Path) -> None:
    """A process killed after it wrote the attempt, before it cleared its flight recorder."""
    session, attempt = a_session(), an_attempt()
    journal = Journal(session_folder(tmp_path, session.session_id))
    journal.append(session)
    flight = FlightRecorder(flight_path(journal.folder, ""))
    started = AttemptStarted(
        run_id=attempt.run_id,
        number=attempt.number,
        workflow=attempt.workflow,
        started_at=attempt.started_at,
    )
    flight.restart(encode(started))
    journal.append(attempt)
    journal.close()
    flight.close()
    replay(tmp_path, store)
    execution = store.execution(attempt.run_id)
    assert execution is not None
    assert execution.status is Status.PASSED
    assert [each.status for each in execution.attempts] == [Status.PASSED]
    counters = store.job_metrics()
    assert [each.run_count for each in counters] == [1]


def test_what_a_living_session_wrote_is_masked_by_what_it_learnt_since(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without new secrets its records are stored as they are; with one they are looked through."""
    secrets = Secrets()
    monkeypatch.setattr("pytest_workflow_monitor.shipping.shipment.known", secrets)
    session = a_session()
    attempt = msgspec.structs.replace(an_attempt(), skip_reason="typed late-secret")
    journal = Journal(session_folder(tmp_path, session.session_id))
    journal.append(session)
    journal.append(attempt)
    journal.close()

    def listen() -> None:
        secrets.learn("late-secret")

    Shipment(journal.folder, session, listen=listen, live=True).drain(store)
    execution = store.execution(attempt.run_id)
    assert execution is not None
    assert execution.attempts[0].skip_reason == "typed [masked]"


def test_a_session_quicker_than_the_database_is_stored_in_large_batches(
    store: Store, tmp_path: Path
) -> None:
    """What is written while a batch is stored waits for the next look; nothing is left out."""
    session = a_session()
    attempts = [an_attempt(f"workflow-{n}") for n in range(20)]
    journal = Journal(session_folder(tmp_path, session.session_id))
    journal.append(session)
    left = iter(attempts)

    def write_one_more() -> None:
        for attempt in left:
            journal.append(attempt)
            break

    write_one_more()
    shipment = Shipment(journal.folder, session, listen=write_one_more, live=True)
    shipment.drain(store)
    assert shipment.attempts < 3
    for attempt in left:
        journal.append(attempt)
    journal.append(SessionEnded(ended_at=at(60), exit_status=0))
    shipment.drain(store)
    journal.close()
    assert shipment.attempts == len(attempts)
    assert shipment.is_complete
