from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.notify.servers import Certificate, HttpServer, Reply, certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(scope="session")
def loopback_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for loopback."""
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(loopback_certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """A certificate for loopback that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(loopback_certificate.file))
    return loopback_certificate


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """A service that takes everything, and says ``ok`` like Slack's webhooks."""
    with HttpServer(Reply(body=b"ok")) as running:
        yield running


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody stands between the tests and loopback."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
