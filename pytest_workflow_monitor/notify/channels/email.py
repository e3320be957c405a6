"""E-mail, through any SMTP server."""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

import msgspec

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.model import Priority
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.options import read_options, secret
from pytest_workflow_monitor.notify.pictures import file_name, picture_bytes
from pytest_workflow_monitor.notify.texts import clean
from pytest_workflow_monitor.notify.transport import within, without
from pytest_workflow_monitor.notify.wording import MARKS, Story, heading, more, story, text
from pytest_workflow_monitor.words.alerts import NotificationKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jinja2

    from pytest_workflow_monitor.notify.messages import Message
    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

WHOM = "The mail server"
SUBJECT_LENGTH = 200
PORTS = {"starttls": 587, "tls": 465, "none": 25}
WITHOUT_THREAD = frozenset({NotificationKind.DIGEST, NotificationKind.SUMMARY})
PERMANENT_FROM = 500
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


class EmailOptions(Options, frozen=True, kw_only=True):
    """The keys of an e-mail channel.

    Attributes:
        host: The SMTP server.
        port: Its port; by default 587, with ``tls`` 465, without encryption 25.
        encryption: ``starttls``, ``tls`` from the first byte, or ``none``.
        username: Who logs in; nobody does if it is empty.
        password_env: The variable with the password.
        sender: From whom the mails are; the key is ``from``.
        to: Who gets them, one address or several.
        subject_prefix: What each subject begins with.
    """

    host: str
    sender: str = msgspec.field(name="from")
    to: str | tuple[str, ...]
    port: int = 0
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password_env: str = "SMTP_PASSWORD"  # noqa: S105 - a variable's name
    subject_prefix: str = ""


class EmailChannel(Channel):
    """Sends HTML with the same as text; all mails about an incident form a thread."""

    type = "email"
    options = EmailOptions

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        given = read_options(EmailOptions, rule)
        if not re.fullmatch(r"[^\s/@]+", given.host):
            raise ValueError("host has to be the name or the address of an SMTP server")
        if given.port and not 0 < given.port < 65_536:  # noqa: PLR2004 - what TCP allows
            raise ValueError("port has to be between 1 and 65535")
        self._given = given
        self._sender = _address("from", given.sender)
        named = (given.to,) if isinstance(given.to, str) else given.to
        self._to = tuple(_address("to", it) for it in named)
        if not self._to:
            raise ValueError("to has to name at least one address")
        self._password = secret(environ, given.password_env) if given.username else ""

    @property
    def carries_files(self) -> bool:
        """Whether it can send a file along with a message: it can."""
        return True

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Deliver one message; see :meth:`Channel.send`."""
        mail = self._mail(message, reference, with_files=True)
        seconds = self._given.timeout_seconds
        refused = within(seconds, WHOM, lambda: self._deliver(mail))
        kept = dict(reference) or {"message_id": mail["Message-ID"], "subject": mail["Subject"]}
        said = f"refused for {', '.join(refused)}" if refused else "taken"
        return Receipt(reference=kept, said=said)

    def preview(self, message: Message) -> str:
        """Return the mail without its files; saved as ``.eml``, mail readers show it."""
        mail = self._mail(message, {}, with_files=False)
        return mail.as_bytes(policy=SMTP.clone(cte_type="8bit", utf8=True, linesep="\n")).decode()

    def _mail(
        self, message: Message, reference: Mapping[str, str], *, with_files: bool
    ) -> EmailMessage:
        told = story(message)
        picture = told.picture if with_files else None
        data = picture_bytes(picture) if picture else None
        mail = self._headed(message, told, reference)
        encoding = "quoted-printable" if with_files else "8bit"
        image_id = _message_id("picture", message.key, self._sender.domain)
        html = _html(told, image_id[1:-1] if data else "")
        mail.set_content(text(told) + "\n", cte=encoding)
        mail.add_alternative(html, subtype="html", cte=encoding)
        page = mail.get_body(("html",))
        if data and picture and page is not None:
            page.add_related(
                data,
                "image",
                picture.content_type.partition("/")[2],
                cid=image_id,
                filename=file_name(picture),
                disposition="inline",
            )
        if message.attachment is not None and with_files:
            attached = message.attachment
            main, _, sub = attached.content_type.partition("/")
            mail.add_attachment(attached.data, main, sub, filename=attached.name)
        return mail

    def _headed(self, message: Message, told: Story, reference: Mapping[str, str]) -> EmailMessage:
        """Return a mail with its headers.

        A thread needs a common ancestor; its id is made from the incident's key, so that a thread
        holds together even if the first mail's own id is not known.
        """
        domain = self._sender.domain
        said = told.headline if message.kind is NotificationKind.SUMMARY else told.title
        subject = clean(f"{self._given.subject_prefix} {said}", SUBJECT_LENGTH)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = self._to
        # Several mail readers keep a thread together only while its subject stays the same.
        mail["Subject"] = f"Re: {reference['subject']}" if reference.get("subject") else subject
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = _message_id("mail", message.key, domain)
        if message.kind not in WITHOUT_THREAD:
            root = _message_id("thread", message.thread_key, domain)
            first = reference.get("message_id", "")
            mail["In-Reply-To"] = first or root
            mail["References"] = " ".join(filter(None, (root, first)))
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        if message.priority is Priority.CRITICAL and not message.is_good:
            mail["Importance"] = "high"
        return mail

    def _deliver(self, mail: EmailMessage) -> list[str]:
        """Send a mail, and return who was refused while others were not."""
        given = self._given
        port, seconds = given.port or PORTS[given.encryption], given.timeout_seconds
        try:
            with self._connected(port, seconds) as server:
                if given.username:
                    server.login(given.username, self._password)
                return sorted(server.send_message(mail))
        except smtplib.SMTPException as error:
            raise self._transport_error(error) from error

    def _connected(self, port: int, seconds: float) -> smtplib.SMTP:
        given = self._given
        context = ssl.create_default_context()
        if given.encryption == "tls":
            return smtplib.SMTP_SSL(given.host, port, timeout=seconds, context=context)
        server = smtplib.SMTP(given.host, port, timeout=seconds)
        if given.encryption == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _transport_error(self, error: Exception) -> TransportError:
        """Say what the server refused; codes from 500 on are permanent (RFC 5321, 4.2.1)."""
        said = without(_said(error), self._password)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return TransportError(f"{WHOM} cannot do what is asked: {said}.", permanent=True)
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            codes = [code for code, _ in error.recipients.values()]
            return TransportError(
                f"{WHOM} refused all recipients: {said}.",
                permanent=all(code >= PERMANENT_FROM for code in codes),
            )
        if isinstance(error, smtplib.SMTPResponseException):
            code = error.smtp_code
            return TransportError(
                f"{WHOM} answered {code}: {said}.", permanent=code >= PERMANENT_FROM
            )
        return TransportError(f"{WHOM} broke the connection off: {said}.")


def _said(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            said: object = next(iter(error.recipients.values()), (0, b""))[1]
        case smtplib.SMTPResponseException():
            said = error.smtp_error
        case _:
            said = str(error)
    decoded = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return clean(decoded, 200).rstrip(".") or "no reason given"


def _html(told: Story, image_id: str) -> str:
    return (
        _environment()
        .get_template("email.html.j2")
        .render(story=told, image_id=image_id, marks=MARKS, heading=heading, more=more(told))
    )


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_workflow_monitor.notify"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _address(key: str, value: str) -> Address:
    """Read an address such as ``Monitor <monitor@example.com>``."""
    name, _, rest = value.strip().rpartition("<")
    specification = rest.removesuffix(">") if name or value.strip().startswith("<") else value
    if not value.isprintable() or not _ADDRESS.fullmatch(specification.strip()):
        raise ValueError(f"{key}: {value!r} is no e-mail address")
    return Address(display_name=name.strip().strip('"'), addr_spec=specification.strip())


def _message_id(kind: str, key: str, domain: str) -> str:
    """Return an id that is the same whenever it is made: a mail that is sent again is the same."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"<{kind}.{digest}@{domain}>"
