from __future__ import annotations

import threading
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pytest_workflow_monitor.errors import TransportError
from pytest_workflow_monitor.notify.http_sending import Answer, post
from pytest_workflow_monitor.notify.transport import pause_seconds, refused, within, without
from tests.notify.servers import Certificate, HttpServer, Reply, refusing_port


def send(url: str, seconds: float = 5.0) -> Answer:
    """Post a little."""
    headers = {"Content-Type": "text/plain"}
    return post(url, b"hello", headers, seconds=seconds, whom="The service", secret=url)


def problem(url: str, seconds: float = 5.0) -> TransportError:
    """Post a little, and return what went wrong."""
    with pytest.raises(TransportError) as caught:
        send(url, seconds)
    return caught.value


def test_an_answer_is_returned(server: HttpServer) -> None:
    """What the service took is not asked again."""
    server.usual = Reply(status=202, body=b"taken", headers={"X-Id": "7"})
    answer = send(f"{server.url}/hook")
    assert (answer.status, answer.text, answer.headers["x-id"]) == (202, "taken", "7")
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook", b"hello")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301, 413, 422])
def test_a_refusal_that_stays_is_permanent(server: HttpServer, status: int) -> None:
    """Nobody tries again where the answer would be the same; redirects are not followed."""
    server.usual = Reply(status=status, headers={"Location": f"{server.url}/elsewhere"})
    error = problem(server.url)
    assert error.permanent
    assert str(status) in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_refusal_that_passes_is_temporary(server: HttpServer, status: int) -> None:
    """What is only now not possible is tried again, when the service says."""
    server.usual = Reply(status=status, headers={"Retry-After": "17"})
    error = problem(server.url)
    assert not error.permanent
    assert error.retry_after == 17


def test_pauses_are_read_in_every_form() -> None:
    """Seconds, decimals, dates; nonsense is no pause, and nobody waits for more than a day."""
    soon = datetime.now(UTC) + timedelta(seconds=90)
    found = pause_seconds(format_datetime(soon, usegmt=True))
    assert found is not None
    assert 80 < found <= 90
    assert pause_seconds("0.65") == 0.65
    assert pause_seconds(3) == 3
    assert pause_seconds("-5") == 0
    assert pause_seconds("1e99") == 86_400
    for nonsense in ("soon", "", "nan", "Fri, 99 Foo 2025", None, True, [1]):
        assert pause_seconds(nonsense) is None


def test_a_pause_in_the_body_comes_before_the_header() -> None:
    """Discord says it more exactly in the body."""
    assert refused("It", 429, {"Retry-After": "1"}, retry_after=0.4).retry_after == 0.4


def test_a_service_that_never_answers_is_left(server: HttpServer) -> None:
    """The limit holds."""
    server.usual = Reply(hangs=True)
    error = problem(server.url, seconds=0.2)
    assert not error.permanent
    assert "did not answer" in str(error)


def test_the_limit_is_one_for_everything() -> None:
    """A call that makes progress all the time, and never ends, is left too."""
    ended = threading.Event()
    with pytest.raises(TransportError, match=r"did not answer within 0.05 s"):
        within(0.05, "It", lambda: ended.wait(10))
    ended.set()


def test_a_mistake_of_ours_stays_what_it_is() -> None:
    """Only trouble with the service becomes a TransportError."""
    with pytest.raises(ZeroDivisionError):
        within(5, "It", lambda: 1 / 0)


def test_nobody_there() -> None:
    """A connection that is refused is worth another try."""
    error = problem(f"http://127.0.0.1:{refusing_port()}/")
    assert "refuses connections" in str(error)
    assert not error.permanent


def test_a_certificate_nobody_trusts(loopback_certificate: Certificate) -> None:
    """Nothing is said to a service that cannot prove who it is."""
    with HttpServer(Reply(), tls=loopback_certificate.server_context) as impostor:
        error = problem(impostor.url)
        assert "certificate" in str(error)
        assert impostor.requests == []


def test_tls_with_a_trusted_certificate(trusted: Certificate) -> None:
    """HTTPS works where the certificate is known."""
    with HttpServer(Reply(status=204), tls=trusted.server_context) as secure:
        assert send(secure.url).status == 204


def test_plain_where_tls_is_expected(server: HttpServer) -> None:
    """A service that does not speak TLS is named."""
    error = problem(server.url.replace("http:", "https:"))
    assert "no secure connection" in str(error).lower()


@pytest.mark.parametrize("raw", [b"garbage\r\n\r\n", b"\n", b"HTTP/1.1 many\r\n\r\n"])
def test_an_answer_that_is_none(server: HttpServer, raw: bytes) -> None:
    """Nobody knows whether the message was taken: it is sent again."""
    server.usual = Reply(raw=raw)
    assert not problem(server.url).permanent


def test_no_message_tells_the_address(server: HttpServer) -> None:
    """An address may be a secret; a service that repeats it does not get it into our log."""
    url = f"{server.url}/hooks/T0000000/B0000000/abcdefghijklmnopqrstuvwx"
    server.usual = Reply(status=404, body=f"no {url}, abcdefghijklmnopqrstuvwx".encode())
    assert "abcdefgh" not in str(problem(url))
    assert "abcdefgh" not in str(problem(url.replace(server.url, "http://127.0.0.1:1")))


def test_no_traceback_tells_the_address() -> None:
    """A library's own error names it; whoever logs ours does not log that one."""
    error = problem("http://127.0.0.1:1/hooks/abcdefghijklmnopqrstuvwx")
    assert "abcdefgh" not in "".join(traceback.format_exception(error))


def test_secrets_are_taken_out_of_what_was_said() -> None:
    """Whole, and in parts that are long enough to be secret."""
    said = without(
        "https://h/a/0123456789abcdef01 0123456789abcdef01 pw",
        "https://h/a/0123456789abcdef01",
        "pw",
    )
    assert said == "[masked] [masked] [masked]"
