from __future__ import annotations

import re
from email import message_from_bytes, message_from_string, policy
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.channels.email import EmailChannel
from tests.notify.messages import EVIL, PNG, evil, evil_report, many, messages, rule, sample
from tests.notify.servers import (
    Certificate,
    Mail,
    RawServer,
    SmtpServer,
    refusing_port,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from pytest_workflow_monitor.notify.messages import Message

LOGIN = ("monitor", "correct horse")
FRAME = {"host": "127.0.0.1", "from": "Monitor <monitor@shop.example>", "to": "team@shop.example"}


def mailer(port: int, **options: Any) -> EmailChannel:
    """Return a channel that talks to a server on loopback."""
    given = {**FRAME, "port": port, "encryption": "none", **options}
    return EmailChannel(rule("email", **given), {"SMTP_PASSWORD": LOGIN[1]})


def trouble(channel: EmailChannel) -> TransportError:
    """Send, and return what went wrong."""
    with pytest.raises(TransportError) as caught:
        channel.send(sample("failure"), {})
    return caught.value


def content(mail: EmailMessage, kind: str) -> str:
    """Return the text or the HTML of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def header(mail: EmailMessage, name: str) -> str:
    """Return a header."""
    return str(mail[name])


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A mail server without encryption."""
    with SmtpServer() as server:
        yield server


def sent(server: SmtpServer) -> Mail:
    """Return the one mail that came in."""
    (mail,) = server.mails
    return mail


def test_a_report_is_attached_as_a_page(smtp: SmtpServer) -> None:
    """The mail says the figures, the attachment is the whole; the subject tells which report."""
    mailer(smtp.port).send(sample("summary"), {})
    mail = sent(smtp).message
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == (
        "daily-sample.html",
        "text/html",
    )
    assert (
        header(mail, "Subject")
        .strip()
        .startswith("Daily report: 98.6 % of 1,152 executions passed")
    )
    for kind in ("plain", "html"):
        assert "workflow-monitor history product-search" in content(mail, kind)


def test_a_failure_is_html_with_text_and_the_picture_inside(
    smtp: SmtpServer, tmp_path: Path
) -> None:
    """Both parts say the same; the screenshot is in the HTML, not beside it."""
    (tmp_path / "page.png").write_bytes(PNG)
    receipt = mailer(smtp.port).send(sample("failure", tmp_path / "page.png"), {})
    assert receipt.said == "taken"
    mail = sent(smtp)
    assert (mail.sender, mail.to) == ("monitor@shop.example", ("team@shop.example",))
    message = mail.message
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    assert header(message, "Subject") == "Order placement fails in production"
    assert header(message, "From") == "Monitor <monitor@shop.example>"
    assert header(message, "Date") == "Thu, 12 Nov 2026 14:32:00 +0000"
    assert header(message, "Auto-Submitted") == "auto-generated"
    assert header(message, "Importance") == "high"
    html, text = content(message, "html"), content(message, "plain")
    for part in (
        "✗ Failed",
        "Order placement fails in production",
        "Pay › Submit the card",
        "14:20 UTC, for 12 min",
        "2 times in the 30 days before, last 3 Nov 09:10 UTC",
        "9.8 s, normally 4.2 s",
        "2 of 7: Pay, Submit the card",
        "payments.example.com does not answer",
        "shop-team",
        "https://wiki.example.com/runbooks/payments",
        "01939a5e-7c1f-7d55-9a3b-2f6c1e0d8b47",
        "https://reports.example.com/shop/2031",
    ):
        assert part in text
    assert "Actual value: Service <unavailable> & try again" in text
    assert "Actual value: Service &lt;unavailable&gt; &amp; try again" in html
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert image.get_content() == PNG
    assert f'src="cid:{str(image["Content-ID"])[1:-1]}"' in html
    assert image.get_content_disposition() == "inline"
    assert image.get_filename() == "payment-page.png"


def test_all_mails_about_an_incident_form_a_thread(smtp: SmtpServer) -> None:
    """They refer to the first and to a common ancestor, and keep its subject."""
    channel = mailer(smtp.port)
    first = channel.send(sample("failure"), {})
    for name in ("acknowledged", "reminder", "resolved"):
        assert channel.send(sample(name), first.reference).reference == first.reference
    channel.send(sample("incident"), {})
    *thread, other = (mail.message for mail in smtp.mails)
    root = header(thread[0], "References")
    assert header(thread[0], "Message-ID") == first.reference["message_id"]
    for mail in thread[1:]:
        assert header(mail, "In-Reply-To") == first.reference["message_id"]
        assert header(mail, "References").split() == [root, first.reference["message_id"]]
        assert header(mail, "Subject") == "Re: Order placement fails in production"
    assert len({header(mail, "Message-ID") for mail in (*thread, other)}) == 5
    assert header(other, "References") != root


def test_a_mail_that_is_sent_again_is_the_same(smtp: SmtpServer) -> None:
    """Its id is made from the message's key, so that mail readers show it once."""
    channel = mailer(smtp.port)
    for _ in range(2):
        channel.send(sample("failure"), {})
    first, again = (header(mail.message, "Message-ID") for mail in smtp.mails)
    assert first == again


def test_a_digest_belongs_to_no_thread(smtp: SmtpServer) -> None:
    """It is about many incidents."""
    mailer(smtp.port).send(sample("digest"), {})
    assert sent(smtp).message["References"] is None


def test_a_mass_failure_names_all(smtp: SmtpServer) -> None:
    """500 workflows in one mail, in both parts."""
    mailer(smtp.port).send(many(500), {})
    for kind in ("html", "plain"):
        said = content(sent(smtp).message, kind)
        assert all(re.search(rf"in country {number}\b", said) for number in range(500))


def test_encryption_is_asked_for_before_the_login(trusted: Certificate) -> None:
    """STARTTLS is the default."""
    with SmtpServer(trusted.server_context, login=LOGIN) as server:
        given = {"encryption": "starttls", "username": LOGIN[0]}
        mailer(server.port, **given).send(sample("failure"), {})
    mail = sent(server)
    assert mail.was_encrypted
    assert mail.user == "monitor"


def test_tls_from_the_first_byte(trusted: Certificate) -> None:
    """As on port 465."""
    with SmtpServer(trusted.server_context, is_tls_at_once=True, login=LOGIN) as server:
        given = {"encryption": "tls", "username": LOGIN[0]}
        mailer(server.port, **given).send(sample("failure"), {})
    assert sent(server).was_encrypted


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_an_impostor_is_told_nothing(loopback_certificate: Certificate, encryption: str) -> None:
    """A certificate nobody trusts ends it before the password is sent."""
    context = loopback_certificate.server_context
    with SmtpServer(context, is_tls_at_once=encryption == "tls") as server:
        error = trouble(mailer(server.port, encryption=encryption, username="monitor"))
    assert "certificate" in str(error)
    assert not error.permanent
    assert server.mails == []


def test_a_server_without_encryption_gets_no_mail(smtp: SmtpServer) -> None:
    """What was asked for is not left out silently."""
    error = trouble(mailer(smtp.port, encryption="starttls"))
    assert error.permanent
    assert "STARTTLS" in str(error)


def test_a_wrong_password_is_permanent(trusted: Certificate) -> None:
    """And is not told."""
    with SmtpServer(trusted.server_context, login=(LOGIN[0], "another")) as server:
        error = trouble(mailer(server.port, encryption="starttls", username=LOGIN[0]))
    assert error.permanent
    assert "535" in str(error)
    assert LOGIN[1] not in str(error)


@pytest.mark.parametrize(
    ("reply", "permanent"), [("550 no such user", True), ("450 greylisted, come back", False)]
)
def test_refused_recipients(smtp: SmtpServer, reply: str, permanent: bool) -> None:
    """What the server says decides whether another try makes sense."""
    smtp.refusals["team@shop.example"] = reply
    error = trouble(mailer(smtp.port))
    assert error.permanent == permanent
    assert reply[4:] in str(error)


def test_some_refused_recipients_are_told(smtp: SmtpServer) -> None:
    """The others have the mail; it is not sent again."""
    smtp.refusals["gone@shop.example"] = "550 no such user"
    to = ["team@shop.example", "gone@shop.example"]
    receipt = mailer(smtp.port, to=to).send(sample("failure"), {})
    assert receipt.said == "refused for gone@shop.example"
    assert sent(smtp).to == ("team@shop.example",)


@pytest.mark.parametrize(("reply", "permanent"), [("554 spam", True), ("452 full", False)])
def test_refused_mails(smtp: SmtpServer, reply: str, permanent: bool) -> None:
    """A full disk is temporary, a verdict is not."""
    smtp.data_reply = reply
    assert trouble(mailer(smtp.port)).permanent == permanent


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (b"220 hello\r\n", "broke"),
        (b"\xff\xfe garbage\r\n", "mail server"),
        (None, "did not answer"),
    ],
    ids=["breaks off", "garbage", "no answer"],
)
def test_faults_are_temporary(greeting: bytes | None, said: str) -> None:
    """What is no mail server, or a broken one, keeps the message in the outbox."""
    limit = 10 if greeting else 0.3
    with RawServer(greeting) as server:
        error = trouble(mailer(server.port, timeout_seconds=limit))
    assert not error.permanent
    assert said in str(error)


def test_nobody_there() -> None:
    """A connection that is refused."""
    error = trouble(mailer(refusing_port()))
    assert "refuses" in str(error)
    assert not error.permanent


class Tags(HTMLParser):
    """Collects the tags and the addresses of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


def check(mail: EmailMessage) -> None:
    """Nothing of a page's text became a header, a tag or an address."""
    names = [name.lower() for name in mail]
    assert len(names) == len(set(names))
    assert "bcc" not in names
    assert "\n" not in header(mail, "Subject")
    assert "\ufffe" not in content(mail, "plain")
    page = Tags(content(mail, "html"))
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td"),
        *("p", "h1", "a", "img", "span", "br"),
    }
    assert not {it for it in page.attributes if it.startswith("on")}
    assert all(it.startswith(("http://", "https://", "cid:")) for it in page.addresses)


@given(messages)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_breaks_a_mail(message: Message) -> None:
    """Whatever pages and tests produce: no error, no header, no tag."""
    channel = mailer(25)
    mail = message_from_string(channel.preview(message), policy=policy.default)
    assert header(mail, "Subject")
    sent_mail = channel._mail(message, {"subject": "first"}, with_files=True)
    check(message_from_bytes(sent_mail.as_bytes(), policy=policy.default))


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
@pytest.mark.parametrize("made", [evil, evil_report])
def test_evil_text_is_taken_by_a_real_server(
    smtp: SmtpServer, text: str, made: Callable[[str], Message]
) -> None:
    """It arrives as text, to those it was meant for only."""
    mailer(smtp.port).send(msgspec.structs.replace(made(text), mention=False), {})
    mail = sent(smtp)
    assert mail.to == ("team@shop.example",)
    check(mail.message)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"to": "nobody"}, "to: 'nobody' is no e-mail address"),
        ({"to": []}, "to has to name at least one address"),
        ({"from": "a@b.c\nBcc: d@e.f"}, "is no e-mail address"),
        ({"host": "https://mail"}, "host has to be"),
        ({"port": 70_000}, "port has to be"),
        ({"encryption": "ssl"}, "encryption: "),
        ({"username": "x", "password_env": "NONE"}, "NONE is not set"),
        ({"timeout_seconds": 60}, "timeout_seconds: "),
        ({"form": "x"}, "unknown key 'form'; did you mean 'from'?"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], said: str) -> None:
    """One clause says what is wrong and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(said)):
        EmailChannel(rule("email", **{**FRAME, **options}), {})


def test_what_must_be_given_is_named() -> None:
    """Host, sender and recipients have no default."""
    with pytest.raises(ValueError, match="host and from and to must be given"):
        EmailChannel(rule("email"), {})


def test_the_preview_is_a_mail_that_can_be_read(tmp_path: Path) -> None:
    """In a terminal, and by a mail reader."""
    (tmp_path / "page.png").write_bytes(PNG)
    shown = mailer(25).preview(sample("failure", tmp_path / "page.png"))
    assert "Pay › Submit the card" in shown
    mail = message_from_bytes(shown.encode(), policy=policy.default)
    assert header(mail, "Subject") == "Order placement fails in production"
    assert "cid:" not in shown
