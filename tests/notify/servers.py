"""Services on loopback that answer as they are told and remember what they were asked."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import socketserver
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import EmailMessage
    from pathlib import Path

HOST = "127.0.0.1"
WAIT_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer; ``raw`` is sent instead of one of HTTP, ``hangs`` sends nothing at all."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    hangs: bool = False

    @property
    def patience_seconds(self) -> float:
        """How long to wait for it: not long for what never comes, else as long as it takes."""
        return 0.3 if self.hangs else WAIT_SECONDS


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Return an answer in JSON; ``_`` in the names of headers stand for ``-``."""
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(
        status=status,
        body=json.dumps(value).encode(),
        headers={"Content-Type": "application/json", **given},
    )


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, or the part of a form that Discord's library puts it into."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/"):
            return json.loads(self.body)
        parts = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.body)
        for part in cast("Iterable[Any]", parts.get_payload()):
            if part.get_param("name", header="Content-Disposition") == "payload_json":
                return json.loads(part.get_payload(decode=True))
        raise AssertionError("the form has no payload_json")


class HttpServer:
    """A server of HTTP, or of HTTPS with a certificate.

    Attributes:
        replies: What it answers, first to last; when they are used up, ``usual``.
        requests: What it was asked.
    """

    def __init__(self, usual: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.usual = usual
        self.replies: deque[Reply] = deque()
        self.requests: list[Request] = []
        self._released = threading.Event()
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self._scheme}://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_SECONDS)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                # A client that does not trust us, or lost patience, is no failure of ours.
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                request = Request(
                    method=self.command,
                    path=self.path,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                )
                server.requests.append(request)
                server._answer(self)

            do_PATCH = do_GET = do_POST  # noqa: N815 - the names are the server's

            def log_message(self, *_: object) -> None:
                return

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        reply = self.replies.popleft() if self.replies else self.usual
        handler.close_connection = True
        if reply.hangs:
            self._released.wait(WAIT_SECONDS)
            return
        if reply.raw:
            handler.wfile.write(reply.raw)
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)


class RawServer:
    """A server that says one thing to whoever connects, and ends the connection.

    Args:
        said: What it says; None for nothing, without an end.
    """

    def __init__(self, said: bytes | None) -> None:
        self._released = threading.Event()
        released = self._released

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if said is None:
                    released.wait(WAIT_SECONDS)
                else:
                    self.request.sendall(said)

        self._server = socketserver.ThreadingTCPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        """Its port."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(WAIT_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as it came in."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    was_encrypted: bool
    user: str


class SmtpServer:
    """A mail server.

    Attributes:
        mails: What it took.
        refusals: Answers by address, such as ``550 no such user``.
        data_reply: What it answers to a whole mail.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        is_tls_at_once: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.refusals: dict[str, str] = {}
        self.data_reply = "250 taken"
        self.port = 0
        self._tls, self._at_once, self._login = tls, is_tls_at_once, login
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(WAIT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(
                self._session, HOST, 0, ssl=self._tls if self._at_once else None
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._ended())
        self._loop.close()

    async def _ended(self) -> None:
        """Wait for the sessions that are still open to be cancelled."""
        tasks = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _session(self) -> SMTP:
        return SMTP(
            self,
            hostname="localhost",
            tls_context=None if self._at_once else self._tls,
            authenticator=self._authenticated,
            auth_require_tls=not self._at_once,
            auth_required=self._login is not None and not self._at_once,
            loop=self._loop,
        )

    def _authenticated(self, *arguments: Any) -> AuthResult:
        given = cast(LoginPassword, arguments[-1])
        login = (given.login.decode(), given.password.decode())
        return AuthResult(success=login == self._login, auth_data=given, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name is the server's
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take or refuse a recipient."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a mail."""
        if self.data_reply.startswith("250"):
            login = session.auth_data.login.decode() if session.auth_data else ""
            self.mails.append(
                Mail(
                    sender=envelope.mail_from,
                    to=tuple(envelope.rcpt_tos),
                    message=message_from_bytes(envelope.content, policy=policy.default),
                    was_encrypted=session.ssl is not None or self._at_once,
                    user=login,
                )
            )
        return self.data_reply


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate for loopback that nobody has signed but itself."""

    file: Path

    @property
    def server_context(self) -> ssl.SSLContext:
        """What a server shows it with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


def certificate(folder: Path) -> Certificate:
    """Make a certificate and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "loopback.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return Certificate(file=file)


def refusing_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
