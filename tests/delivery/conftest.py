from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.delivery.office import Office, office
from tests.notify.servers import HttpServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.store import Store


@pytest.fixture
def hook() -> Iterator[HttpServer]:
    """Return the server that the channel ``team`` posts to."""
    with HttpServer(Reply()) as made:
        yield made


@pytest.fixture
def desk(store: Store, settings_for: Callable[..., Settings], hook: HttpServer) -> Office:
    """Return a project with the channel ``team``."""
    return office(store, settings_for, {"team": hook})
