"""The fixtures of logging in once; they need pytest-playwright and its synchronous API.

Every session with pytest-playwright imports this module, so it imports nothing more by itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext

    from pytest_workflow_monitor.login import IsLoggedIn, LoggedInAs, LogIn
    from pytest_workflow_monitor.login.keeping import Keeper


@pytest.fixture(scope="session")
def log_in() -> LogIn | None:
    """How to log in; a project that uses `logged_in_as` overrides it in conftest.py.

    The fixture returns a function that gets a fresh page and a role, and logs in.
    """
    return None


@pytest.fixture(scope="session")
def is_logged_in() -> IsLoggedIn | None:
    """How to see whether a login still works; a project may override it in conftest.py.

    The fixture returns a function that gets a fresh page and returns True or False.
    """
    return None


@pytest.fixture
def logged_in_as(
    request: pytest.FixtureRequest,
    new_context: Callable[..., BrowserContext],
    browser_context_args: dict[str, Any],
    browser_name: str,
    log_in: LogIn | None,
    is_logged_in: IsLoggedIn | None,
    _login_keeper: Keeper,
) -> LoggedInAs:
    """Open pages on which somebody is logged in; a test calls it with a role.

    Logging in is done once, by the function of the fixture `log_in`, and then used again.
    """
    from pytest_workflow_monitor.login.door import Door
    from pytest_workflow_monitor.plugin import settings_of

    marker = request.node.get_closest_marker("browser_context_args")
    arguments = {**browser_context_args, **(marker.kwargs if marker else {})}
    address = str(arguments.get("base_url") or "")
    return Door(
        keeper=_login_keeper,
        new_context=new_context,
        log_in=log_in,
        is_logged_in=is_logged_in,
        place=(settings_of(request.config).project, address, browser_name),
        mask=_mask,
    )


@pytest.fixture(scope="session")
def _login_keeper(pytestconfig: pytest.Config) -> Keeper:
    from pytest_workflow_monitor.login.keeping import KEY_VARIABLE, keeper
    from pytest_workflow_monitor.plugin import settings_of

    settings = settings_of(pytestconfig)
    key = os.environ.get(KEY_VARIABLE, "")
    return keeper(settings.state_path / "logins", key, settings.login_ttl_seconds)


def _mask(state: dict[str, Any]) -> None:
    from pytest_workflow_monitor.login.secrets import secrets_of
    from pytest_workflow_monitor.masking import known

    known.learn(*secrets_of(state))
