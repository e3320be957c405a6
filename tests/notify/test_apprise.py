from __future__ import annotations

import base64
import re
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channels.apprise import AppriseChannel
from tests.notify.messages import EVIL, PNG, evil, evil_report, messages, rule, sample
from tests.notify.servers import HttpServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.notify.messages import Message

# Apprise asks for a module of the standard library that newer Pythons do not have.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def apprise(server: HttpServer, scheme: str = "json", **options: float) -> AppriseChannel:
    """Return a channel whose service is a server on loopback."""
    url = server.url.replace("http", scheme)
    return AppriseChannel(rule("apprise", **options), {"APPRISE_URL": f"{url}/hook"})


def test_a_failure_is_told_as_text(server: HttpServer, tmp_path: Path) -> None:
    """With its picture where the service takes one."""
    (tmp_path / "page.png").write_bytes(PNG)
    receipt = apprise(server).send(sample("failure", tmp_path / "page.png"), {})
    assert receipt.said == "taken by Apprise"
    (request,) = server.requests
    assert request.json["title"] == "Failed: Order placement fails in production"
    assert request.json["type"] == "failure"
    for part in ("Pay › Submit the card", "2 of 7: Pay", "shop-team", "Service <unavailable>"):
        assert part in request.json["message"]
    (attached,) = request.json["attachments"]
    assert base64.b64decode(attached["base64"]) == PNG


@pytest.mark.parametrize(
    ("name", "kind"),
    [("resolved", "success"), ("flapping", "warning"), ("summary", "failure")],
)
def test_each_tone_has_its_type(server: HttpServer, name: str, kind: str) -> None:
    """Services show it in their own way."""
    apprise(server).send(sample(name), {})
    assert server.requests[0].json["type"] == kind


def test_markup_of_a_service_is_shown_as_text(server: HttpServer) -> None:
    """Where a service takes HTML, Apprise escapes; mentions are broken."""
    apprise(server, "xml").send(evil("<!here> @channel </Message><b>"), {})
    said = server.requests[0].body.decode()
    assert said.count("</Message>") == 1
    assert not re.search(r"(?<!\w)@channel|(&lt;|<)!here", said)


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(status=404), Reply(hangs=True)], ids=["500", "404", "hangs"]
)
def test_faults_are_temporary(server: HttpServer, reply: Reply) -> None:
    """Apprise does not say why it could not deliver, so that every fault is tried again."""
    server.usual = reply
    with pytest.raises(TransportError, match="Apprise") as caught:
        apprise(server, timeout_seconds=reply.patience_seconds).send(sample("failure"), {})
    assert not caught.value.permanent


def test_an_address_nobody_knows_is_named_without_telling_it() -> None:
    """It holds tokens."""
    environ = {"APPRISE_URL": "json://localhost nonsense://secretsecret"}
    with pytest.raises(ValueError, match="address 2 in the environment variable") as caught:
        AppriseChannel(rule("apprise"), environ)
    assert "secretsecret" not in str(caught.value)


def test_apprise_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it one sentence says how to get it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ValueError, match=r"pip install 'pytest-workflow-monitor\[apprise\]'"):
        AppriseChannel(rule("apprise"), {"APPRISE_URL": "json://localhost"})


@given(messages)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_breaks_a_message(message: Message) -> None:
    """Whatever pages and tests produce: no error, no mention."""
    channel = AppriseChannel(rule("apprise"), {"APPRISE_URL": "json://localhost"})
    said = channel.preview(message)
    assert not re.search(r"(?<!\w)@(here|channel|everyone)|<!", said)
    said.encode()


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("made", [evil, evil_report])
def test_evil_text_is_taken_by_a_real_server(
    server: HttpServer, text: str, made: Callable[[str], Message]
) -> None:
    """What goes over the wire is JSON."""
    apprise(server).send(made(text), {})
    assert server.requests[0].json["title"]
