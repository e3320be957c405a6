"""What the workflows share: the shop they run against, the browser, and people who use it.

The shop is the one at `BASE_URL` (or `--base-url`). Without either, the tests start the example
shop themselves, on a free port and with an empty database; with `-n` all workers share it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import label, step
from pytest_workflow_monitor.browser import browser_launch_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, Page, Playwright

    from pytest_workflow_monitor.login import IsLoggedIn, LogIn

REPOSITORY = Path(__file__).parent.parent
PATIENCE_SECONDS = float(os.environ.get("WORKFLOWS_PATIENCE_SECONDS", "6"))


# --- The shop ----------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start one shop for all workers, before xdist starts them: they inherit `BASE_URL`."""
    options = session.config.option
    distributes = getattr(options, "numprocesses", None) and not options.collectonly
    if distributes and _given_url(session.config) is None:
        running = ExitStack()
        session.config.add_cleanup(running.close)
        os.environ["BASE_URL"] = running.enter_context(own_shop())
        running.callback(os.environ.pop, "BASE_URL")


@pytest.fixture(scope="session")
def base_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """Address of the shop, which is started for this session when none was given."""
    with ExitStack() as stack:
        yield _given_url(pytestconfig) or stack.enter_context(own_shop())


def _given_url(config: pytest.Config) -> str | None:
    return os.environ.get("BASE_URL") or config.getoption("base_url", None)


@contextmanager
def own_shop() -> Iterator[str]:
    """Run the example shop as a process and yield its address.

    The shop stops when the pipe to its standard input closes, so it never outlives this process,
    however that ends.
    """
    command = [sys.executable, "-m", "examples.farmers_market", "--port", "0"]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [*command, "--until-stdin-closes"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as shop,
    ):
        assert shop.stdin
        assert shop.stdout
        address = shop.stdout.readline().rpartition(" ")[2].strip()
        if not address:
            log.seek(0)
            pytest.exit(f"The example shop did not start: {log.read().decode().strip()}", 3)
        yield address
        shop.stdin.close()


@pytest.fixture(scope="session")
def season(base_url: str) -> str:
    """What the shop calls the season, or `unknown` when it does not answer."""
    try:
        with urllib.request.urlopen(f"{base_url}/api/season", timeout=5) as answer:  # noqa: S310 - http or https by what BASE_URL says
            return str(json.load(answer)["season"])
    except (OSError, ValueError, KeyError):
        return "unknown"


@pytest.fixture(autouse=True)
def label_with_season(season: str) -> None:
    """Label every execution with the season, so that history can be grouped by it."""
    label("season", season)


# --- The browser -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_name: str, playwright: Playwright
) -> dict[str, Any]:
    """Start the system's Chrome or Chromium where Playwright's own browser is missing."""
    if browser_name != "chromium" or "channel" in browser_type_launch_args:
        return browser_type_launch_args
    return {
        **browser_launch_options(playwright.chromium.executable_path),
        **browser_type_launch_args,
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Tell the shop that this traffic is synthetic, and which test process it comes from."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    headers = {"X-Synthetic-Monitor": f"{worker}-{uuid.uuid4()}"}
    return {**browser_context_args, "extra_http_headers": headers, "locale": "en-GB"}


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """Wait for what should appear no longer than a patient customer would."""
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)

    def patient(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        context.set_default_navigation_timeout(30_000)
        return context

    return patient


# --- The people --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody with an e-mail address that nobody had before."""

    name: str
    email: str
    password: str

    def sign_up(self, page: Page) -> None:
        """Create an account and log in.

        Through the API, so that a broken sign-up or sign-in page fails only the workflow that is
        about it.
        """
        account = {"name": self.name, "email": self.email, "password": self.password}
        expect(page.request.post("/api/accounts", data=account)).to_be_ok()


def somebody() -> Person:
    """Return somebody whom the shop does not know yet."""
    unique = uuid.uuid4().hex[:12]
    return Person(
        name="Robin Field",
        email=f"robin.{unique}@workflow.example",
        password=f"a-quiet-meadow-{unique}",
    )


@pytest.fixture
def newcomer() -> Person:
    """Somebody the shop does not know yet."""
    return somebody()


@pytest.fixture
def registered(page: Page, newcomer: Person) -> Person:
    """Somebody who has an account, in a browser that does not know it."""
    with step("Sign up through the API"):
        newcomer.sign_up(page)
    page.context.clear_cookies()
    return newcomer


@pytest.fixture(scope="session")
def log_in() -> LogIn:
    """How `logged_in_as` logs in: each role is somebody with an account of their own."""

    def log_in(page: Page, role: str) -> None:  # noqa: ARG001 - all roles can do the same
        somebody().sign_up(page)

    return log_in


@pytest.fixture(scope="session")
def is_logged_in() -> IsLoggedIn:
    """How `logged_in_as` sees whether the shop still knows somebody."""

    def is_logged_in(page: Page) -> bool:
        return page.request.get("/api/account").status != HTTPStatus.UNAUTHORIZED

    return is_logged_in
