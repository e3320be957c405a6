from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.store import Store
from tests.history.playing import PROJECT
from tests.history.reading import Desk
from tests.history.template import history, truth_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Server
    from tests.history.truth import Truth


@pytest.fixture(scope="session")
def truth() -> Truth:
    """What is behind the shop of fourteen days."""
    return truth_of()


@pytest.fixture(scope="session")
def shop(server: Server, template: str) -> Iterator[Store]:
    """A store with fourteen days of the shop."""
    name = server.create(history(server, template))
    with Store(server.url_of(name), project=PROJECT) as store:
        yield store
    server.drop(name)


@pytest.fixture(scope="session")
def desk(shop: Store) -> Desk:
    """Reports of the shop."""
    return Desk(shop)
