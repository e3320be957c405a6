from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.notify.registry import build
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.store import LetterStatus
from pytest_workflow_monitor.support.wire import encode
from tests.delivery.office import Office, webhook
from tests.keeping.alerts.site import failed
from tests.notify.servers import HttpServer, Reply
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.model import Attempt
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


def put_aside(store: Store, *attempts: Attempt) -> list[int]:
    """Store a session whose attempts were refused; return the ids of their letters."""
    session = a_session()
    ingest(store, session, Batch(ended=an_end()))
    for attempt in attempts:
        store.add_letter(session.session_id, encode(attempt), "the number is too large")
    return sorted(it.letter_id for it in store.letters())


def refused() -> Attempt:
    """Return an attempt that the database will not take."""
    return an_attempt("odd", run_id="not-an-id")


def test_letters_are_listed_with_what_they_are_about(stored: Project, store: Store) -> None:
    """A letter shows the workflow and the reason; its whole record is in the JSON."""
    attempt = an_attempt("login")
    (letter,) = put_aside(store, attempt)

    said = stored.run("dead-letters", "list")
    assert said.code == 0
    for fact in (str(letter), "login", "the number is too large", "pending", "1 dead letter"):
        assert fact in said.out
    (found,) = stored.run("dead-letters", "list", "--json").json
    assert (found["letter_id"], found["workflow_id"]) == (letter, "login")
    assert (found["run_id"], found["attempt"]) == (attempt.run_id, 1)


def test_a_letter_that_cannot_be_read_stands_in_nobodys_way(stored: Project, store: Store) -> None:
    """What is no record of ours has a reason, too, and the others are stored."""
    session = a_session()
    ingest(store, session, Batch(ended=an_end()))
    store.add_letter(session.session_id, b"[]", "what is this")
    store.add_letter(session.session_id, encode(an_attempt()), "the number is too large")

    assert "what is this" in stored.run("dead-letters", "list").out
    said = stored.run("dead-letters", "retry")
    assert (said.code, said.out) == (1, "Stored 1 attempt; 1 still refused.\n")
    (left,) = store.letters(status=LetterStatus.PENDING)
    assert left.attempts == 2
    assert left.reason.startswith("It cannot be read: ")


def test_retry_stores_what_is_accepted_now(stored: Project, store: Store) -> None:
    """All that wait are tried; what is refused again stays and is told by the exit code."""
    attempt = an_attempt()
    put_aside(store, attempt, refused())

    said = stored.run("dead-letters", "retry")

    assert (said.code, said.out) == (1, "Stored 1 attempt; 1 still refused.\n")
    assert store.execution(attempt.run_id) is not None
    (left,) = stored.run("dead-letters", "list", "--json").json
    assert (left["workflow_id"], left["attempts"]) == ("odd", 2)
    assert len(stored.run("dead-letters", "list", "--all", "--json").json) == 2


def test_single_letters_can_be_retried(stored: Project, store: Store) -> None:
    """Only the letters named are tried."""
    first, second = put_aside(store, an_attempt("one"), an_attempt("two"))

    said = stored.run("dead-letters", "retry", str(first), "--json")

    assert (said.code, said.json["stored"], said.json["refused"]) == (0, 1, 0)
    assert [it.letter_id for it in store.letters()] == [second, first]
    assert [it["letter_id"] for it in stored.run("dead-letters", "list", "--json").json] == [second]


def test_dropping_asks_first(stored: Project, store: Store) -> None:
    """A no, or nobody to ask, drops nothing; --yes says yes."""
    (letter,) = put_aside(store, refused())

    said = stored.run("dead-letters", "drop", str(letter))
    assert said.code == 2
    assert "--yes agrees" in said.err
    said = stored.run("dead-letters", "drop", str(letter), text="n\n")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Give up 1 dead letter? What is in them")
    assert said.err.endswith("Nothing was changed.\n")
    assert len(store.letters()) == 1

    said = stored.run("dead-letters", "drop", str(letter), "--yes")
    assert (said.code, said.out) == (0, "Dropped 1 dead letter.\n")
    assert stored.run("dead-letters", "list", "--json").json == []


@pytest.mark.parametrize("command", ["retry", "drop"])
def test_an_unknown_letter_is_one_sentence(stored: Project, store: Store, command: str) -> None:
    """Nothing happens to the others when one of the ids is wrong."""
    (letter,) = put_aside(store, an_attempt())

    said = stored.run("dead-letters", command, str(letter), "999")

    assert (said.code, said.err) == (5, "Error: There is no dead letter 999.\n")
    assert len(stored.run("dead-letters", "list", "--json").json) == 1


def test_no_letters_is_good_news(stored: Project) -> None:
    """An empty list says that nothing was lost on the way."""
    said = stored.run("dead-letters", "list")

    assert (said.code, said.out) == (0, "")
    assert said.err == "No dead letters wait: nothing was refused or left undelivered.\n"

    said = stored.run("dead-letters", "retry")
    assert (said.code, said.out) == (0, "")
    assert said.err == "Nothing to do: no dead letter waits.\n"


@pytest.fixture
def hook() -> Iterator[HttpServer]:
    """Return the server that the channel ``team`` posts to."""
    with HttpServer(Reply(status=404)) as made:
        yield made


@pytest.fixture
def undelivered(stored: Project, store: Store, hook: HttpServer) -> Office:
    """Return a project with a message that no channel took."""
    stored.write(
        "pyproject.toml",
        """
        [tool.workflow_monitor]
        project = "shop"
        channels = {team = {type = "webhook", url_env = "TEAM_URL"}}
        """,
    )
    stored.env["TEAM_URL"] = hook.url
    settings = Settings(root=stored.path, sources={}, project="shop", channels=(webhook(),))
    made = Office(store, settings, {"team": build(webhook(), {"TEAM_URL": hook.url})})
    made.report(0, failed(0))
    assert made.deliver(2).given_up == 1
    return made


def test_an_undelivered_message_is_listed_with_its_title(
    stored: Project, undelivered: Office
) -> None:
    """Beside what it says, why no channel took it."""
    said = stored.run("dead-letters", "list", width=120).out
    assert "login fails in production" in said
    assert "answered 404" in said
    (found,) = stored.run("dead-letters", "list", "--json").json
    assert found["notification_id"] == undelivered.row().notification_id
    assert found["title"] == "login fails in production"


def test_an_undelivered_message_is_sent_again(
    stored: Project, undelivered: Office, hook: HttpServer
) -> None:
    """At once, and what came of it is said."""
    said = stored.run("dead-letters", "retry")
    assert (said.code, said.out) == (1, "Sent 0 messages; 1 still undelivered.\n")
    assert "answered 404" in said.err
    hook.usual = Reply(status=500)
    said = stored.run("dead-letters", "retry")
    assert (said.code, said.out) == (1, "Sent 0 messages; 1 failed and tried again later.\n")
    (letter,) = undelivered.store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.PROCESSING, 2)
    hook.usual = Reply()
    assert undelivered.deliver_all(60 * 24 * 3650).sent == 1
    (letter,) = undelivered.store.letters()
    assert (letter.status, letter.attempts) == (LetterStatus.SUCCEEDED, 4)
    assert stored.run("dead-letters", "retry", str(letter.letter_id)).code == 0


def test_an_undelivered_message_can_be_given_up(stored: Project, undelivered: Office) -> None:
    """It is not sent again, unless by name."""
    (letter,) = undelivered.store.letters()
    said = stored.run("dead-letters", "drop", str(letter.letter_id), "--yes")
    assert said.out == "Dropped 1 dead letter.\n"
    assert stored.run("dead-letters", "retry").err == "Nothing to do: no dead letter waits.\n"
    assert undelivered.store.letters()[0].status is LetterStatus.FAILED
