from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.alerting.causes import causes
from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.model import Error, Event, EventKind, Phase, Status, Step
from pytest_workflow_monitor.words.alert_causes import common, in_words
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Execution

REFUSED = "page.goto: net::ERR_CONNECTION_REFUSED at https://shop.example:8443/login?token=x"


def failed(message: str = "boom", *, fingerprint: str = "f1", **fields: Any) -> Execution:
    """Return an execution whose step *Log in* failed with an error."""
    defaults: dict[str, Any] = {
        "status": Status.FAILED,
        "errors": (Error(phase=Phase.CALL, message=message, fingerprint=fingerprint),),
        "steps": (Step(index=0, name="Log in", status=Status.FAILED, duration_ms=1.0),),
    }
    attempt = an_attempt(**(defaults | fields))
    return execution_of(a_session(), [attempt], session_is_over=True)


def an_answer(**fields: Any) -> Event:
    """Return what became of a request."""
    return Event(kind=EventKind.REQUEST, at_ms=1, url="https://api.example/x", **fields)


def test_the_failing_step_and_its_error_are_a_cause() -> None:
    """Workflows that fail in the same step in the same way belong together."""
    assert causes(failed()) == ("step|Log in|f1",)
    assert in_words("step|Log in|f1") == "Log in fails"


def test_a_host_that_does_not_answer_is_a_cause() -> None:
    """Its name and port, from the error of the connection."""
    assert causes(failed(REFUSED))[0] == "host|shop.example:8443"
    assert in_words("host|shop.example:8443") == "shop.example:8443 does not answer"


@pytest.mark.parametrize(
    ("event", "is_silent"),
    [
        (an_answer(status_code=503), True),
        (an_answer(status_code=500), False),
        (an_answer(failure="net::ERR_NAME_NOT_RESOLVED"), True),
        (an_answer(failure="net::ERR_ABORTED"), False),
    ],
)
def test_requests_in_vain_name_their_host(event: Event, *, is_silent: bool) -> None:
    """No connection, or a gateway that says so; an error of the application is its own."""
    assert ("host|api.example" in causes(failed(events=(event,)))) is is_silent


def test_passwords_in_an_address_do_not_become_part_of_a_cause() -> None:
    """The host is what is in common."""
    found = causes(failed("Connection refused: http://user:secret@shop.example/"))
    assert found[0] == "host|shop.example"


def test_a_url_in_another_error_is_no_silent_host() -> None:
    """An assertion may quote an address."""
    assert causes(failed("expected https://shop.example/ to be open")) == ("step|Log in|f1",)


def test_the_cause_in_common_is_the_one_that_most_share() -> None:
    """Hosts before steps where as many share them; one alone shares nothing."""
    assert common([("step|a|1",)]) == ""
    assert common([("step|a|1",), ("step|a|1", "host|h")]) == "step|a|1"
    assert common([("host|h", "step|a|1"), ("host|h", "step|a|1")]) == "host|h"
    assert common([]) == ""
