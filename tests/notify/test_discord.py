from __future__ import annotations

import json
import re
import traceback
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channels import discord_form
from pytest_workflow_monitor.notify.channels.discord import DiscordChannel
from pytest_workflow_monitor.notify.texts import units
from pytest_workflow_monitor.notify.wording import story
from tests.notify.messages import AT, EVIL, PNG, evil, evil_report, many, messages, rule, sample
from tests.notify.servers import Certificate, HttpServer, Reply, json_reply, refusing_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.notify.messages import Message

PATH = "/api/webhooks/1/secretsecretsecret"
OK = json_reply({"id": "77"})
OURS = re.compile(
    r"<t:-?\d+:f>|\[(?:[^\[\]\\]|\\.)*\]\(https?://[^\s()]+\)|```\n.*?\n```", re.DOTALL
)
ESCAPED = re.compile(r"\\[^A-Za-z0-9\s]")


def discord(server: HttpServer, **options: Any) -> DiscordChannel:
    """Return a channel that posts to a webhook."""
    environ = {"DISCORD_WEBHOOK_URL": f"{server.url}{PATH}"}
    return DiscordChannel(rule("discord", **options), environ)


def trouble(channel: DiscordChannel, reference: dict[str, str] | None = None) -> TransportError:
    """Send, and return what went wrong."""
    with pytest.raises(TransportError) as caught:
        channel.send(sample("failure"), reference or {})
    return caught.value


def check_embeds(embeds: list[dict[str, Any]]) -> None:
    """Hold the embeds of one message against Discord's limits."""
    assert 1 <= len(embeds) <= 10
    total = 0
    for embed in embeds:
        fields = embed.get("fields", [])
        assert len(fields) <= 25
        parts = [
            (embed.get("title", ""), 256),
            (embed["description"], 4_096),
            (embed["footer"]["text"], 2_048),
        ]
        parts += [(field["name"], 256) for field in fields]
        parts += [(field["value"], 1_024) for field in fields]
        assert all(units(text) <= limit for text, limit in parts)
        assert all(field["name"] and field["value"] for field in fields)
        assert embed["description"]
        total += sum(units(text) for text, _ in parts)
        for text, _ in parts:
            harmless(text, is_plain=text == embed["footer"]["text"])
    assert total <= 6_000


def harmless(text: str, *, is_plain: bool) -> None:
    """Nothing of a page's text is markup, and nobody is called."""
    assert not re.search(r"(?<!\w)@(here|everyone)", text)
    if is_plain:
        return
    said = ESCAPED.sub("", OURS.sub("", text)).replace("**", "")
    said = re.sub(r"^`[^`]*`$", "", said, flags=re.MULTILINE)
    assert not re.search(r"[`*_~|<>\[\]#]", said)


def test_a_failure_says_all_there_is_to_know(server: HttpServer, tmp_path: Path) -> None:
    """What failed, where, since when and why, with the screenshot in the embed."""
    (tmp_path / "page.png").write_bytes(PNG)
    server.usual = json_reply({"id": "77", "attachments": [{"id": "5"}]})
    receipt = discord(server).send(sample("failure", tmp_path / "page.png"), {})
    assert receipt.reference == {
        "message_id": "77",
        "attachment_id": "5",
        "attachment_name": "payment-page.png",
    }
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"{PATH}?wait=True")
    assert PNG in request.body
    assert request.json["allowed_mentions"] == {"parse": [], "roles": [], "users": []}
    assert "content" not in request.json
    (embed,) = request.json["embeds"]
    check_embeds([embed])
    assert embed["title"] == "Order placement fails in production"
    assert embed["color"] == 0xCF2A23
    assert embed["url"] == "https://reports.example.com/shop/2031#order-placement"
    assert embed["image"] == {"url": "attachment://payment-page.png"}
    assert embed["timestamp"] == "2026-11-12T14:32:00+00:00"
    assert "Actual value: Service <unavailable> & try again" in embed["description"]
    assert embed["description"].startswith("**✗ Failed**")
    fields = {field["name"]: field["value"] for field in embed["fields"]}
    assert fields["Failing step"] == "Pay › Submit the card"
    assert fields["Since"] == "<t:1794493200:f>, for 12 min"
    assert fields["Failed steps"] == "2 of 7\\: Pay, Submit the card"
    assert fields["Run"] == "`01939a5e-7c1f-7d55-9a3b-2f6c1e0d8b47`"
    assert "[Runbook](https://wiki.example.com/runbooks/payments)" in embed["description"]
    assert {"Workflow", "Environment", "Priority", "Before", "Duration", "Owner"} < fields.keys()


def test_a_report_comes_as_a_file(server: HttpServer) -> None:
    """Beside the embed, with its name; later pictures of incidents are not mixed up with it."""
    server.usual = json_reply({"id": "77", "attachments": [{"id": "5"}]})
    channel = discord(server)
    receipt = channel.send(sample("summary"), {})
    assert channel.carries_files
    assert receipt.reference == {"message_id": "77"}
    (request,) = server.requests
    assert b'filename="daily-sample.html"' in request.body
    assert b"<!doctype html>" in request.body
    check_embeds(request.json["embeds"])


def test_the_first_message_is_edited_and_people_hear_of_it(server: HttpServer) -> None:
    """It turns green and keeps its picture; an edit rings no bell, so a message follows."""
    server.usual = OK
    reference = {"message_id": "77", "attachment_id": "5", "attachment_name": "page.png"}
    receipt = discord(server).send(sample("resolved"), reference)
    assert receipt.reference == reference
    edit, post = server.requests
    assert (edit.method, edit.path) == ("PATCH", f"{PATH}/messages/77?wait=True")
    assert edit.json["embeds"][0]["color"] == 0x19774A
    assert edit.json["embeds"][0]["image"] == {"url": "attachment://page.png"}
    assert edit.json["attachments"] == [{"id": "5"}]
    assert (post.method, post.json["embeds"][0]["color"]) == ("POST", 0x19774A)
    for request in server.requests:
        check_embeds(request.json["embeds"])


def test_an_acknowledgement_is_only_an_edit(server: HttpServer) -> None:
    """Who looks sees it; nobody is disturbed."""
    server.usual = OK
    discord(server).send(sample("acknowledged"), {"message_id": "77"})
    (edit,) = server.requests
    assert edit.method == "PATCH"
    assert "Acknowledged by maria" in edit.json["embeds"][0]["description"]


def test_a_deleted_message_is_written_anew(server: HttpServer) -> None:
    """Somebody removed it: the news still come."""
    server.usual = json_reply({"id": "78"})
    server.replies.append(json_reply({"code": 10008, "message": "Unknown Message"}, 404))
    receipt = discord(server).send(sample("resolved"), {"message_id": "77"})
    assert receipt.reference == {"message_id": "78"}


def test_people_are_called_only_when_a_message_asks(server: HttpServer) -> None:
    """Only those who are configured, whatever stands in the text."""
    server.usual = OK
    channel = discord(server, mention=["here", "role:1234567", "user:7654321"])
    channel.send(sample("failure"), {})
    channel.send(sample("flapping"), {})
    called, quiet = (request.json for request in server.requests)
    assert called["content"] == "@here <@&1234567> <@7654321>"
    assert called["allowed_mentions"] == {
        "parse": ["everyone"],
        "roles": ["1234567"],
        "users": ["7654321"],
    }
    assert quiet["allowed_mentions"]["parse"] == []


def test_a_mass_failure_names_all_in_a_handful_of_messages(server: HttpServer) -> None:
    """500 workflows are named, none is lost at a limit, and the rate limit is not passed."""
    server.usual = json_reply(
        {"id": "77"}, X_RateLimit_Remaining="0", X_RateLimit_Reset_After="0.01"
    )
    discord(server).send(many(500), {})
    assert 1 < len(server.requests) <= 6
    for request in server.requests:
        check_embeds(request.json["embeds"])
    said = " ".join(request.json["embeds"][0]["description"] for request in server.requests)
    for number in range(500):
        assert re.search(rf"in country {number}\b", said)


def test_a_thread_is_written_to(server: HttpServer) -> None:
    """Named by an option, or in the address as Discord does it."""
    server.usual = OK
    discord(server, thread_id="42").send(sample("failure"), {})
    environ = {"DISCORD_WEBHOOK_URL": f"{server.url}{PATH}?thread_id=43"}
    DiscordChannel(rule("discord"), environ).send(sample("resolved"), {"message_id": "77"})
    assert [re.findall(r"thread_id=\d+", request.path) for request in server.requests] == [
        ["thread_id=42"],
        ["thread_id=43"],
        ["thread_id=43"],
    ]


def test_rate_limits_are_obeyed(server: HttpServer) -> None:
    """The pause that the body names, not the library's own waiting."""
    server.usual = json_reply(
        {"message": "You are being rate limited.", "retry_after": 0.65, "global": False},
        429,
        Retry_After="1",
        Via="1.1 google",
    )
    error = trouble(discord(server))
    assert (error.permanent, error.retry_after) == (False, 0.65)
    assert len(server.requests) == 1


@pytest.mark.parametrize("reference", [{}, {"message_id": "77"}])
def test_a_revoked_webhook_is_permanent(server: HttpServer, reference: dict[str, str]) -> None:
    """Nobody knocks at a door that is no more; its address is not told."""
    server.usual = json_reply({"message": "Unknown Webhook", "code": 10015}, 404)
    error = trouble(discord(server), reference)
    assert error.permanent
    assert "Unknown Webhook" in str(error)
    assert "secretsecret" not in str(error)


FAULTS = {
    "500": (Reply(status=500, body=b"<html>oops"), "500"),
    "not JSON": (Reply(body=b"<html>hello"), "understood"),
    "wrong shape": (json_reply([1]), "understood"),
    "no id": (json_reply({}), "understood"),
    "no HTTP": (Reply(raw=b"garbage\n\n"), "Discord"),
    "no answer": (Reply(hangs=True), "did not answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_temporary(server: HttpServer, fault: str) -> None:
    """Whatever a broken service answers, the message stays in the outbox."""
    server.usual, said = FAULTS[fault]
    error = trouble(discord(server, timeout_seconds=server.usual.patience_seconds))
    assert not error.permanent
    assert said in str(error)
    assert "secretsecret" not in str(error)


def test_nobody_there() -> None:
    """A connection that is refused."""
    environ = {"DISCORD_WEBHOOK_URL": f"http://127.0.0.1:{refusing_port()}{PATH}"}
    error = trouble(DiscordChannel(rule("discord"), environ))
    assert "refuses" in str(error)
    assert "secretsecret" not in "".join(traceback.format_exception(error))
    assert not error.permanent


def test_an_impostor_is_told_nothing(loopback_certificate: Certificate) -> None:
    """A certificate nobody trusts ends it before anything is sent."""
    with HttpServer(OK, tls=loopback_certificate.server_context) as server:
        assert "certificate" in str(trouble(discord(server)))
        assert server.requests == []


@given(messages)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@example(many(1_500, "x" * 200 + " {}"))
def test_no_text_breaks_a_message(message: Message) -> None:
    """Whatever pages and tests produce: no error, no limit passed, no mention, no markup."""
    told = story(message)
    for embed in discord_form.embeds(told, AT, "page.png"):
        check_embeds([embed])
    check_embeds([discord_form.event(told, AT)])


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("made", [evil, evil_report])
def test_evil_text_is_taken_by_a_real_client(
    server: HttpServer, text: str, made: Callable[[str], Message]
) -> None:
    """What goes over the wire is JSON that Discord can read."""
    server.usual = OK
    discord(server).send(msgspec.structs.replace(made(text), mention=False), {})
    for request in server.requests:
        check_embeds(request.json["embeds"])


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        ({}, {}, "DISCORD_WEBHOOK_URL is not set"),
        ({"webhook_url_env": "TEAM_HOOK"}, {}, "TEAM_HOOK is not set"),
        ({"mention": "bob"}, {"DISCORD_WEBHOOK_URL": "https://x"}, "'bob' is neither here"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], environ: dict[str, str], said: str) -> None:
    """One clause says what is wrong."""
    with pytest.raises(ValueError, match=re.escape(said)):
        DiscordChannel(rule("discord", **options), environ)


def test_the_preview_is_what_would_be_sent(server: HttpServer) -> None:
    """As JSON."""
    (shown,) = json.loads(discord(server).preview(sample("failure")))
    check_embeds(shown["embeds"])
