from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.notify.conftest import PROXIES
from tests.notify.servers import HttpServer, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody stands between the tests and loopback."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def site() -> Iterator[HttpServer]:
    """A web server that answers ``ok``."""
    with HttpServer(Reply(body=b"all is well")) as running:
        yield running
