from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from slack_sdk.models.blocks import Block

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channels import slack_form
from pytest_workflow_monitor.notify.channels.slack import SlackChannel
from pytest_workflow_monitor.notify.texts import units
from pytest_workflow_monitor.notify.wording import story
from tests.notify.messages import EVIL, PNG, evil, evil_report, many, messages, rule, sample
from tests.notify.servers import (
    Certificate,
    HttpServer,
    Reply,
    json_reply,
    refusing_port,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_workflow_monitor.notify.messages import Message

OK = json_reply({"ok": True, "channel": "C0123", "ts": "1731421920.000100"})
TEMPORARY = ("ratelimited", "internal_error", "fatal_error", "service_unavailable")
PERMANENT = ("invalid_auth", "token_revoked", "channel_not_found", "not_in_channel", "is_archived")
OURS = re.compile(
    r"<!date\^-?\d+\^\{date_short_pretty\} \{time\}\|[^<>|]*>|<https?://[^\s<>|]+\|[^<>|]*>"
)


def webhook(server: HttpServer, **options: Any) -> SlackChannel:
    """Return a channel that posts to a webhook."""
    environ = {"SLACK_WEBHOOK_URL": f"{server.url}/services/T0/B0/secretsecretsecret"}
    return SlackChannel(rule("slack", **options), environ)


def bot(url: str, **options: Any) -> SlackChannel:
    """Return a channel that writes as a bot."""
    environ = {"SLACK_BOT_TOKEN": "xoxb-1-secretsecretsecret", "SLACK_CHANNEL": "#alerts"}
    return SlackChannel(rule("slack", api_url=f"{url}/api/", **options), environ)


def texts(value: Any) -> list[dict[str, Any]]:
    """Return all text objects in some blocks."""
    if isinstance(value, list):
        return [found for it in value for found in texts(it)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") in {"mrkdwn", "plain_text"} else []
    return own + [found for it in value.values() for found in texts(it)]


def check(payload: dict[str, Any], mentions: tuple[str, ...] = ()) -> None:
    """Hold a message against Slack's rules, and against what pages must not do."""
    blocks = payload["blocks"] + [
        block for it in payload.get("attachments", []) for block in it["blocks"]
    ]
    assert len(blocks) <= 50
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 13_000
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        assert type(parsed) is not Block
        parsed.validate_json()
        for found in block.get("fields", []):
            assert units(found["text"]) <= 2_000
    for found in texts(blocks):
        assert 0 < units(found["text"]) <= (3_000 if found["type"] == "mrkdwn" else 150)
        harmless(found, mentions)
    assert units(payload["text"]) <= 40_000
    harmless({"type": "mrkdwn", "text": payload["text"], "verbatim": True}, ())


def harmless(found: dict[str, Any], mentions: tuple[str, ...]) -> None:
    """Only our own links, times and mentions are control sequences; no name is called."""
    said = found["text"]
    for mention in mentions:
        said = said.removeprefix(mention)
    if found["type"] == "mrkdwn":
        assert found["verbatim"] is True
        said = OURS.sub("", said)
    else:
        assert found["emoji"] is False
    assert not re.search(r"[<>]", said)
    assert not re.search(r"(?<!\w)@(here|channel|everyone)", said)


def test_a_failure_says_all_there_is_to_know(server: HttpServer) -> None:
    """What failed, where, since when, how often, how long, why, whose and where to read on."""
    receipt = webhook(server).send(sample("failure"), {})
    assert receipt.said == "ok"
    (request,) = server.requests
    check(request.json)
    assert request.json["text"] == "Failed: Order placement fails in production"
    header = request.json["blocks"][0]["text"]
    assert header == {
        "type": "plain_text",
        "text": "Order placement fails in production",
        "emoji": False,
    }
    (attachment,) = request.json["attachments"]
    assert attachment["color"] == "#cf2a23"
    said = "\n".join(it["text"] for it in texts(attachment["blocks"]))
    for part in (
        "✗ Failed",
        "*Workflow*\nOrder placement",
        "*Environment*\nproduction",
        "*Failing step*\nPay › Submit the card",
        "*Priority*\ncritical",
        "*Since*\n<!date^1794493200^{date_short_pretty} {time}|14:20 UTC>, for 12 min",
        "*Before*\n2 times in the 30 days before, last 3 Nov 09:10 UTC",
        "*Duration*\n9.8 s, normally 4.2 s",
        "*Failed steps*\n2 of 7: Pay, Submit the card",
        "*Likely cause*\npayments.example.com does not answer",
        "*Owner*\nshop-team",
        "*Run*\n`01939a5e-7c1f-7d55-9a3b-2f6c1e0d8b47`",
        "Actual value: Service &lt;unavailable&gt; &amp; try again",
        "<https://reports.example.com/shop/2031#order-placement|Open the run>",
        "<https://wiki.example.com/runbooks/payments|Runbook>",
        "shop · production",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("name", "colour", "said"),
    [
        ("reminder", "#cf2a23", "✗ Still failing*: Still failing after 42 min: nobody"),
        ("escalation", "#cf2a23", "✗ Escalated*: Not acknowledged for 15 min"),
        ("acknowledged", "#cf2a23", "✗ Acknowledged*: Acknowledged by maria: the payment"),
        ("resolved", "#19774a", "✓ Resolved*"),
        ("incident", "#cf2a23", "✗ Failed*"),
        ("flapping", "#d68a00", "! Flapping*"),
        ("digest", "#cf2a23", "✗ Digest*: The channel's limit"),
        ("summary", "#cf2a23", "✗ Daily report*: Wednesday 11 Nov 2026 (UTC)"),
    ],
)
def test_each_kind_has_its_colour_and_its_word(
    server: HttpServer, name: str, colour: str, said: str
) -> None:
    """What has happened is told by colour, mark and word."""
    webhook(server).send(sample(name), {})
    payload = server.requests[0].json
    check(payload)
    assert payload["attachments"][0]["color"] == colour
    assert said in payload["attachments"][0]["blocks"][0]["text"]["text"]


def test_a_recovery_says_how_long_it_lasted(server: HttpServer) -> None:
    """And what it had been, but not its picture and all of its error."""
    webhook(server).send(sample("resolved"), {})
    said = json.dumps(server.requests[0].json, ensure_ascii=False)
    assert "lasted 58 min" in said
    assert "```" not in said


def test_people_are_called_only_when_a_message_asks(server: HttpServer) -> None:
    """The configured names, in Slack's own form, and nobody else."""
    channel = webhook(server, mention=["here", "U0AB12", "S0CD34"])
    channel.send(sample("failure"), {})
    channel.send(sample("resolved"), {})
    called, quiet = (request.json for request in server.requests)
    assert called["blocks"][0]["text"]["text"] == "<!here> <@U0AB12> <!subteam^S0CD34>"
    check(called, ("<!here> <@U0AB12> <!subteam^S0CD34>",))
    check(quiet)


def test_a_mass_failure_names_all_in_a_handful_of_messages(server: HttpServer) -> None:
    """500 workflows are named, none is lost at a limit."""
    webhook(server).send(many(500), {})
    assert 1 < len(server.requests) <= 5
    for request in server.requests:
        check(request.json)
    said = " ".join(it["text"] for request in server.requests for it in texts(request.json))
    for number in range(500):
        assert re.search(rf"in country {number}\b", said)


def test_a_bot_keeps_one_message_up_to_date() -> None:
    """First a message, then updates of it, with what happened in its thread."""
    with HttpServer(OK) as server:
        channel = bot(server.url, mention="here")
        first = channel.send(sample("failure"), {})
        assert first.reference == {"channel": "C0123", "ts": "1731421920.000100"}
        channel.send(sample("acknowledged"), first.reference)
        channel.send(sample("escalation"), first.reference)
        last = channel.send(sample("resolved"), first.reference)
        assert last.reference == first.reference
    asked = [(request.path.rpartition("/")[2], request.json) for request in server.requests]
    assert [name for name, _ in asked] == ["chat.postMessage"] + 3 * [
        "chat.update",
        "chat.postMessage",
    ]
    (post, _, seen, _, escalated, over, _) = (body for _, body in asked)
    assert post["channel"] == "#alerts"
    assert post["metadata"]["event_payload"]["key"] == "0193-sample-failure"
    assert server.requests[0].headers["authorization"] == "Bearer xoxb-1-secretsecretsecret"
    assert (over["channel"], over["ts"]) == ("C0123", "1731421920.000100")
    assert over["attachments"][0]["color"] == "#19774a"
    assert seen["thread_ts"] == escalated["thread_ts"] == "1731421920.000100"
    assert "Acknowledged by maria" in seen["blocks"][0]["text"]["text"]
    assert "reply_broadcast" not in seen
    assert escalated["reply_broadcast"] is True
    assert escalated["blocks"][0]["text"]["text"].startswith("<!here> ")
    for _, body in asked:
        check(body, ("<!here> ", "<!here>"))


def test_a_message_that_is_sent_again_can_be_recognised() -> None:
    """The same message carries the same id, another one another."""
    with HttpServer(OK) as server:
        channel = bot(server.url)
        for name in ("failure", "failure", "incident"):
            channel.send(sample(name), {})
    first, again, other = (request.json["client_msg_id"] for request in server.requests)
    assert first == again != other


def test_a_deleted_message_is_written_anew() -> None:
    """Somebody removed it: the news still come."""
    with HttpServer(OK) as server:
        server.replies.append(json_reply({"ok": False, "error": "message_not_found"}))
        receipt = bot(server.url).send(sample("reminder"), {"channel": "C0123", "ts": "1.0"})
    assert receipt.reference["ts"] == "1731421920.000100"
    assert [it.path for it in server.requests] == ["/api/chat.update", "/api/chat.postMessage"]


def test_a_bot_shows_the_picture_in_the_thread(tmp_path: Path) -> None:
    """The screenshot goes below the message, with Slack's upload in three steps."""
    (tmp_path / "page.png").write_bytes(PNG)
    with HttpServer(OK) as server:
        upload = {"ok": True, "file_id": "F1", "upload_url": f"{server.url}/upload/v1/x"}
        done = json_reply({"ok": True, "files": [{"id": "F1"}]})
        server.replies.extend([OK, json_reply(upload), Reply(body=b"OK"), done])
        receipt = bot(server.url).send(sample("failure", tmp_path / "page.png"), {})
    assert "without" not in receipt.said
    assert server.requests[2].body == PNG
    finished = server.requests[3].body.decode()
    assert "channel_id=C0123" in finished
    assert "thread_ts=1731421920.000100" in finished


def test_a_bot_puts_a_report_into_the_thread() -> None:
    """As a file that one can open; a webhook can carry none."""
    with HttpServer(OK) as server:
        upload = {"ok": True, "file_id": "F1", "upload_url": f"{server.url}/upload/v1/x"}
        done = json_reply({"ok": True, "files": [{"id": "F1"}]})
        server.replies.extend([OK, json_reply(upload), Reply(body=b"OK"), done])
        channel = bot(server.url)
        channel.send(sample("summary"), {})
        assert (channel.carries_files, webhook(server).carries_files) == (True, False)
    assert server.requests[2].body.startswith(b"<!doctype html>")
    assert "daily-sample.html" in server.requests[1].body.decode()


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"ok": False, "error": "missing_scope"}),
        json_reply([1]),
        Reply(body=b"<html>"),
        Reply(status=500),
        Reply(hangs=True),
    ],
    ids=["refused", "wrong shape", "no JSON", "500", "no answer"],
)
def test_a_picture_that_cannot_be_shown_is_no_reason_to_send_again(
    tmp_path: Path, reply: Reply
) -> None:
    """The message was taken; that its picture was not is only said."""
    (tmp_path / "page.png").write_bytes(PNG)
    with HttpServer(reply) as server:
        server.replies.append(OK)
        channel = bot(server.url, timeout_seconds=max(2, reply.patience_seconds))
        receipt = channel.send(sample("failure", tmp_path / "page.png"), {})
    assert receipt.reference["ts"]
    assert "without its file" in receipt.said


@pytest.mark.parametrize("code", [*TEMPORARY, *PERMANENT])
def test_errors_of_the_api(code: str) -> None:
    """What the API says decides whether another try makes sense."""
    with HttpServer(json_reply({"ok": False, "error": code})) as server:
        error = trouble(bot(server.url), {})
    assert error.permanent == (code in PERMANENT)
    assert code in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("is_bot", [True, False])
def test_rate_limits_are_obeyed(server: HttpServer, is_bot: bool) -> None:
    """The library's own retries are off; the pause goes to the outbox."""
    server.usual = json_reply({"ok": False, "error": "ratelimited"}, 429, Retry_After="30")
    error = trouble(bot(server.url) if is_bot else webhook(server), {})
    assert (error.permanent, error.retry_after) == (False, 30)
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"no_service", b"no_active_hooks", b"channel_not_found"])
def test_a_revoked_webhook_is_permanent(server: HttpServer, body: bytes) -> None:
    """Nobody knocks at a door that is no more; its address is not told."""
    server.usual = Reply(status=404, body=body)
    error = trouble(webhook(server), {})
    assert error.permanent
    assert body.decode() in str(error)
    assert "secretsecret" not in str(error)


FAULTS = {
    "500": (Reply(status=500, body=b"<html>oops"), "500"),
    "not JSON": (Reply(body=b"<html>log in to the hotel's network"), "understood"),
    "wrong shape": (json_reply([1]), "understood"),
    "no ts": (json_reply({"ok": True}), "understood"),
    "no HTTP": (Reply(raw=b"garbage\n\n"), "understood"),
    "wrong encoding": (
        Reply(body=b"\xff\xfe", headers={"Content-Type": "text/plain; charset=utf-8"}),
        "understood",
    ),
    "no answer": (Reply(hangs=True), "did not answer"),
}


@pytest.mark.parametrize("is_bot", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_temporary(server: HttpServer, fault: str, is_bot: bool) -> None:
    """Whatever a broken service answers, the message stays in the outbox."""
    server.usual, said = FAULTS[fault]
    limit = server.usual.patience_seconds
    channel = (
        bot(server.url, timeout_seconds=limit) if is_bot else webhook(server, timeout_seconds=limit)
    )
    error = trouble(channel, {})
    assert not error.permanent
    assert said in str(error)


def test_nobody_there() -> None:
    """A connection that is refused."""
    assert "refuses" in str(trouble(bot(f"http://127.0.0.1:{refusing_port()}"), {}))


def test_an_impostor_is_told_nothing(loopback_certificate: Certificate) -> None:
    """A certificate nobody trusts ends it before the token is sent."""
    with HttpServer(OK, tls=loopback_certificate.server_context) as server:
        assert "certificate" in str(trouble(bot(server.url), {}))
        assert server.requests == []


def trouble(channel: SlackChannel, reference: dict[str, str]) -> TransportError:
    """Send, and return what went wrong."""
    with pytest.raises(TransportError) as caught:
        channel.send(sample("failure"), reference)
    return caught.value


@given(messages)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(many(1_500, "x" * 200 + " {}"))
def test_no_text_breaks_a_message(message: Message) -> None:
    """Whatever pages and tests produce: no error, no limit passed, no mention, no markup."""
    for part in slack_form.parts(story(message), ()):
        check(part)
    check(slack_form.event(story(message), ()))


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("made", [evil, evil_report])
def test_evil_text_is_taken_by_a_real_client(text: str, made: Callable[[str], Message]) -> None:
    """What goes over the wire is JSON that Slack can read."""
    with HttpServer(OK) as server:
        channel = bot(server.url)
        channel.send(msgspec.structs.replace(made(text), mention=False), {})
        for request in server.requests:
            check(request.json)


def test_markup_is_shown_as_text() -> None:
    """Bold, code, quotes and emoji stay what was written, as far as Slack can show it."""
    assert slack_form.literal("*a* `b` ~c~ _d_ snake_case :smile: <!here> & 10:20") == (
        "∗a∗ ˋbˋ ∼c∼ ＿d＿ snake_case ∶smile: &lt;!here&gt; &amp; 10:20"
    )
    assert slack_form.literal("> quote") == "› quote"


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        ({}, {}, "SLACK_WEBHOOK_URL is not set"),
        ({}, {"SLACK_BOT_TOKEN": "x"}, "a bot needs a channel"),
        ({"token_env": "BOT"}, {"SLACK_WEBHOOK_URL": "https://x"}, "BOT is not set"),
        ({}, {"SLACK_WEBHOOK_URL": "hooks.slack.com/x"}, "no http(s) address"),
        ({"mention": "@bob"}, {"SLACK_WEBHOOK_URL": "https://x"}, "'@bob' is neither here"),
        ({"api_url": "slack.com"}, {"SLACK_WEBHOOK_URL": "https://x"}, "api_url has to be"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], environ: dict[str, str], said: str) -> None:
    """One clause says what is wrong; it tells no secret."""
    with pytest.raises(ValueError, match=re.escape(said)):
        SlackChannel(rule("slack", **options), environ)


def test_the_preview_can_be_pasted_into_block_kit_builder(server: HttpServer) -> None:
    """It is what would be sent."""
    channel = webhook(server)
    (shown,) = json.loads(channel.preview(sample("failure")))
    channel.send(sample("failure"), {})
    sent = server.requests[0].json
    assert shown == {key: sent[key] for key in shown}
