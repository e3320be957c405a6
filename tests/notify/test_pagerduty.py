from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channels.pagerduty import PagerDutyChannel
from pytest_workflow_monitor.notify.messages import Message, Picture
from tests.notify.messages import EVIL, evil, evil_report, many, messages, rule, sample
from tests.notify.servers import HttpServer, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "R0UT1NGKEYR0UT1NGKEY"
OK = json_reply({"status": "success", "message": "Event processed", "dedup_key": "x"}, 202)


def pager(server: HttpServer, **options: Any) -> PagerDutyChannel:
    """Return a channel that talks to a server on loopback."""
    server.usual = OK
    return PagerDutyChannel(
        rule("pagerduty", api_url=server.url, **options), {"PAGERDUTY_ROUTING_KEY": KEY}
    )


def test_a_failure_triggers_with_all_its_facts(server: HttpServer) -> None:
    """Whoever is called knows what failed, how bad it is and where to look."""
    picture = Picture(name="page", url="https://files.example.com/page.png")
    message = sample("failure")
    item = msgspec.structs.replace(message.items[0], picture=picture)
    receipt = pager(server).send(msgspec.structs.replace(message, items=(item,)), {})
    assert receipt.reference == {"dedup_key": "shop/production/sample-0193-sample"}
    (request,) = server.requests
    assert request.path == "/v2/enqueue"
    event = request.json
    details = event["payload"].pop("custom_details")
    assert event == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "shop/production/sample-0193-sample",
        "client": "Workflow monitor",
        "client_url": "https://reports.example.com/shop/2031#order-placement",
        "payload": {
            "summary": "Order placement fails in production",
            "source": "production",
            "severity": "critical",
            "timestamp": "2026-11-12T14:32:00+00:00",
            "component": "Order placement",
            "group": "shop",
            "class": "payments.example.com does not answer",
        },
        "links": [
            {
                "href": "https://reports.example.com/shop/2031#order-placement",
                "text": "Open the run",
            },
            {"href": "https://reports.example.com/shop/2031", "text": "Open the report"},
            {"href": "https://wiki.example.com/runbooks/payments", "text": "Runbook"},
            {"href": "https://files.example.com/page.png", "text": "Screenshot"},
        ],
        "images": [{"src": "https://files.example.com/page.png", "alt": "The page when it failed"}],
    }
    assert details["Failing step"] == "Pay › Submit the card"
    assert details["Since"] == "14:20 UTC, for 12 min"
    assert "try again" in details["Error"]


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("failure", "trigger"),
        ("reminder", "trigger"),
        ("escalation", "trigger"),
        ("acknowledged", "acknowledge"),
        ("resolved", "resolve"),
    ],
)
def test_one_incident_of_ours_is_one_of_theirs(server: HttpServer, name: str, action: str) -> None:
    """It is opened, acknowledged and resolved under one key."""
    pager(server).send(sample(name), {})
    event = server.requests[0].json
    assert event["event_action"] == action
    assert event["dedup_key"] == "shop/production/sample-0193-sample"
    assert ("payload" in event) == (action == "trigger")


def test_an_incident_with_open_alerts_is_not_resolved(server: HttpServer) -> None:
    """Some of its workflows pass again, others do not."""
    message = msgspec.structs.replace(sample("resolved"), counts={"resolved": 1, "failing": 2})
    pager(server).send(message, {})
    assert server.requests[0].json["event_action"] == "trigger"


@pytest.mark.parametrize(("name", "severity"), [("failure", "critical"), ("flapping", "warning")])
def test_severity_follows_priority(server: HttpServer, name: str, severity: str) -> None:
    """What matters more calls louder."""
    pager(server).send(sample(name), {})
    assert server.requests[0].json["payload"]["severity"] == severity


@pytest.mark.parametrize("name", ["digest", "summary"])
def test_nobody_is_called_for_what_is_no_incident(server: HttpServer, name: str) -> None:
    """It becomes a change event."""
    receipt = pager(server).send(sample(name), {})
    (request,) = server.requests
    assert request.path == "/v2/change/enqueue"
    assert set(request.json) == {"routing_key", "payload", "links"}
    assert receipt.reference == {}


def test_a_mass_failure_names_all(server: HttpServer) -> None:
    """Within the 512 KB that an event may have."""
    message = msgspec.structs.replace(many(500), kind=sample("incident").kind)
    pager(server).send(message, {})
    (request,) = server.requests
    assert len(request.body) < 512_000
    said = request.json["payload"]["custom_details"]["Workflows"]
    assert all(re.search(rf"in country {number}\b", said) for number in range(500))


@pytest.mark.parametrize(
    ("reply", "permanent", "retry_after", "said"),
    [
        (
            json_reply({"status": "invalid event", "errors": ["Invalid routing key"]}, 400),
            True,
            None,
            "Invalid routing key",
        ),
        (Reply(status=429, headers={"Retry-After": "60"}), False, 60, "429"),
        (Reply(status=503), False, None, "503"),
        (Reply(status=200, body=b"<html>"), False, None, "understood"),
        (Reply(hangs=True), False, None, "did not answer"),
    ],
    ids=["invalid key", "429", "503", "not PagerDuty", "no answer"],
)
def test_faults(
    server: HttpServer, reply: Reply, permanent: bool, retry_after: float | None, said: str
) -> None:
    """What is permanent stops, what is not waits."""
    channel = pager(server, timeout_seconds=reply.patience_seconds)
    server.usual = reply
    with pytest.raises(TransportError, match=said) as caught:
        channel.send(sample("failure"), {})
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, retry_after)
    assert KEY not in str(caught.value)


def check(event: dict[str, Any]) -> None:
    """Hold an event against PagerDuty's limits."""
    assert len(json.dumps(event)) < 512_000
    if "dedup_key" in event:
        assert 0 < len(event["dedup_key"]) <= 255
    if "payload" in event:
        assert 0 < len(event["payload"]["summary"]) <= 1_024
        assert event["payload"]["source"]
    assert all(link["href"].startswith("http") for link in event.get("links", []))


@given(messages)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@example(many(1_500, "\N{GRINNING FACE}" * 200 + " {}"))
def test_no_text_breaks_an_event(message: Message) -> None:
    """Whatever pages and tests produce: no error, no limit passed."""
    channel = PagerDutyChannel(rule("pagerduty"), {"PAGERDUTY_ROUTING_KEY": KEY})
    check(json.loads(channel.preview(message)))


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("made", [evil, evil_report])
def test_evil_text_is_taken_by_a_real_server(
    server: HttpServer, text: str, made: Callable[[str], Message]
) -> None:
    """What goes over the wire is JSON."""
    pager(server).send(made(text), {})
    check(server.requests[0].json)


def test_mistakes_are_named() -> None:
    """One clause says what is wrong."""
    with pytest.raises(ValueError, match="PAGERDUTY_ROUTING_KEY is not set"):
        PagerDutyChannel(rule("pagerduty"), {})
    with pytest.raises(ValueError, match="api_url has to be an http"):
        PagerDutyChannel(rule("pagerduty", api_url="eu"), {"PAGERDUTY_ROUTING_KEY": KEY})
