from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channels.webhook import Payload, WebhookChannel, encoded
from tests.notify.messages import EVIL, evil, evil_report, many, messages, rule, sample
from tests.notify.servers import HttpServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_workflow_monitor.notify.messages import Message

DOCS = Path(__file__).parents[2] / "docs"
SECRET = "correct horse battery staple"


def webhook(server: HttpServer, secret: str = SECRET, **options: Any) -> WebhookChannel:
    """Return a channel that posts to a server on loopback."""
    environ = {"WEBHOOK_URL": f"{server.url}/alerts?token=secretsecretsecret"}
    return WebhookChannel(rule("webhook", **options), environ | {"WEBHOOK_SECRET": secret})


def decoded(body: bytes) -> Payload:
    """Read a body as strictly as its schema is."""
    return msgspec.json.decode(body, type=Payload)


def in_one_line(schema: Any) -> Any:
    """Join the lines of descriptions, whose indentation depends on the version of Python."""
    if isinstance(schema, dict):
        return {
            key: " ".join(it.split())
            if key == "description" and isinstance(it, str)
            else in_one_line(it)
            for key, it in schema.items()
        }
    return [in_one_line(it) for it in schema] if isinstance(schema, list) else schema


def documented_verify() -> Callable[..., Any]:
    """Return the function that the documentation gives to those who receive messages."""
    text = (DOCS / "channels.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(import base64.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is our own documentation
    found: Callable[..., Any] = names["verified"]
    return found


def test_a_failure_is_posted_with_all_its_facts(server: HttpServer) -> None:
    """As JSON of a schema and a version, with the message's key for those who store it."""
    receipt = webhook(server, headers={"X-Team": "shop"}).send(sample("failure"), {})
    assert receipt.said == "answered 200"
    (request,) = server.requests
    assert request.path == "/alerts?token=secretsecretsecret"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "0193-sample-failure"
    assert request.headers["x-team"] == "shop"
    payload = decoded(request.body)
    assert (payload.schema, payload.version) == ("pytest-workflow-monitor/message", 1)
    assert (payload.id, payload.kind, payload.tone) == ("0193-sample-failure", "opened", "failed")
    assert payload.thread == "shop/production/sample-0193-sample"
    assert payload.counts == {"failing": 1}
    (alert,) = payload.alerts
    assert (alert.workflow_id, alert.priority) == ("order-placement", "critical")
    assert alert.failed_steps == ("Pay", "Submit the card")
    assert alert.error[1] == "Actual value: Service <unavailable> & try again"
    assert alert.since.isoformat() == "2026-11-12T14:20:00+00:00"
    assert "Pay › Submit the card" in payload.text


def test_every_field_is_always_there(server: HttpServer) -> None:
    """Who reads the JSON need not ask whether a key exists."""
    sent = json.loads(encoded(sample("summary")))
    assert set(sent) == set(Payload.__struct_fields__)
    assert sent["summary"][0] == "Success rate: 98.6 % (−0.9 points)"
    assert sent["summary"][-1].startswith("✗ Order placement fails since 09:12")


def test_the_schema_is_documented() -> None:
    """docs/webhook.schema.json is what is sent; a change of it is a new version."""
    documented = json.loads((DOCS / "webhook.schema.json").read_text(encoding="utf-8"))
    assert documented == in_one_line(msgspec.json.schema(Payload))


@pytest.mark.parametrize(
    "secret", [SECRET, "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()]
)
def test_the_signature_can_be_verified_as_documented(server: HttpServer, secret: str) -> None:
    """By a few lines of Python: what was changed, repeated late or signed by others is refused."""
    webhook(server, secret).send(sample("failure"), {})
    (request,) = server.requests
    verify = documented_verify()
    assert verify(request.headers, request.body, secret)["id"] == "0193-sample-failure"
    late = request.headers | {"webhook-timestamp": "1700000000"}
    for headers, body, key in (
        (request.headers, request.body + b" ", secret),
        (request.headers, request.body, "another"),
        (request.headers | {"webhook-id": "other"}, request.body, secret),
        (late, request.body, secret),
    ):
        with pytest.raises(ValueError, match=r"signature|old"):
            verify(headers, body, key)


def test_without_a_secret_nothing_is_signed(server: HttpServer) -> None:
    """The key is there all the same."""
    WebhookChannel(rule("webhook"), {"WEBHOOK_URL": server.url}).send(sample("failure"), {})
    (request,) = server.requests
    assert "webhook-signature" not in request.headers
    assert request.headers["webhook-id"] == "0193-sample-failure"


def test_a_mass_failure_is_one_message(server: HttpServer) -> None:
    """All alerts are in it."""
    webhook(server).send(many(500), {})
    assert len(decoded(server.requests[0].body).alerts) == 500


@pytest.mark.parametrize(
    ("reply", "permanent", "retry_after"),
    [
        (Reply(status=500), False, None),
        (Reply(status=429, headers={"Retry-After": "7"}), False, 7),
        (Reply(status=410, body=b"gone"), True, None),
        (Reply(hangs=True), False, None),
    ],
    ids=["500", "429", "410", "no answer"],
)
def test_faults(
    server: HttpServer, reply: Reply, permanent: bool, retry_after: float | None
) -> None:
    """What is permanent stops, what is not waits; no address is told."""
    server.usual = reply
    with pytest.raises(TransportError) as caught:
        webhook(server, timeout_seconds=reply.patience_seconds).send(sample("failure"), {})
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, retry_after)
    assert "secretsecret" not in str(caught.value)


@given(messages)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_breaks_a_message(message: Message) -> None:
    """Whatever pages and tests produce, it is JSON of the schema."""
    payload = decoded(encoded(message))
    assert len(payload.alerts) == len(message.items)
    assert all(not it or it.startswith("http") for it in (payload.report_url,))


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("made", [evil, evil_report])
def test_evil_text_is_taken_by_a_real_server(
    server: HttpServer, text: str, made: Callable[[str], Message]
) -> None:
    """A key that cannot be a header is hashed."""
    webhook(server).send(made(text), {})
    (request,) = server.requests
    assert decoded(request.body).id == request.headers["idempotency-key"]


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        ({}, {}, "WEBHOOK_URL is not set"),
        ({"secret_env": "SIGN"}, {"WEBHOOK_URL": "http://a"}, "SIGN is not set"),
        ({}, {"WEBHOOK_URL": "http://a", "WEBHOOK_SECRET": "whsec_§"}, "not base64"),
        ({"headers": {"Host": "b"}}, {"WEBHOOK_URL": "http://a"}, "Host is set by the channel"),
        ({"headers": {"A": "b\r\nC: d"}}, {"WEBHOOK_URL": "http://a"}, "'A' has characters"),
        ({}, {"WEBHOOK_URL": "file:///etc/passwd"}, "no http(s) address"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], environ: dict[str, str], said: str) -> None:
    """One clause says what is wrong."""
    with pytest.raises(ValueError, match=re.escape(said)):
        WebhookChannel(rule("webhook", **options), environ)


def test_the_preview_is_the_body(server: HttpServer) -> None:
    """With line breaks."""
    shown = webhook(server).preview(sample("failure"))
    assert json.loads(shown) == json.loads(encoded(sample("failure")))
    assert "\n" in shown
