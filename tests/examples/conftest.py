"""Real shops on loopback, and people who visit them over HTTP or in a browser."""

from __future__ import annotations

import re
import threading
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
import uvicorn

from examples.farmers_market.app import create_app
from examples.farmers_market.faults import read_faults
from examples.farmers_market.server import listen
from pytest_workflow_monitor.browser import browser_launch_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Playwright
    from starlette.types import ASGIApp, Receive, Scope, Send

    from examples.farmers_market.shop import Shop

PASSWORD = "a quiet meadow"
SUMMER_DAY = date(2026, 7, 1)


class Visitor:
    """Somebody with a cookie jar, who sends forms as a browser would: with their token."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path)

    def send(
        self, path: str, *, page: str | None = None, **fields: str | list[str]
    ) -> httpx.Response:
        """Open the page with the form, and send it."""
        return self.client.post(path, data={"form_token": self.token(page or path), **fields})

    def token(self, page: str) -> str:
        """Return the token of the forms on a page."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def sign_up(self, name: str = "Ann Miller") -> str:
        """Create an account, which signs in, and return its e-mail address."""
        email = f"{uuid.uuid4().hex}@shop.example"
        answer = self.send("/register", name=name, email=email, password=PASSWORD)
        assert "Your account is ready" in answer.text
        return email

    def product(self, slug: str) -> str:
        """Return the id of a product."""
        products = self.get("/api/products").json()["products"]
        return str(next(product["id"] for product in products if product["slug"] == slug))

    def put_in_cart(self, slug: str, quantity: int = 1) -> httpx.Response:
        """Put a product into the cart."""
        return self.send(
            "/cart/items",
            page=f"/products/{slug}",
            product=self.product(slug),
            quantity=str(quantity),
        )

    def check_out(self, **changes: str) -> httpx.Response:
        """Send the checkout form, correct but for the changes."""
        page = self.get("/checkout").text
        form = {
            "name": "Ann Miller",
            "street": "Mill Lane 4",
            "postcode": "10405",
            "city": "Greenham",
            "day": _first(r'<option value="([^"]+)"', page),
            "card_number": "4242 4242 4242 4242",
            "card_expiry": "12/39",
            "card_code": "123",
            "checkout_key": _first(r'name="checkout_key" value="([^"]+)"', page),
        }
        return self.send("/checkout", **{**form, **changes})


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


class Stage:
    """One server for all tests, which shows one shop after the other."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the present shop answer."""
        assert self.app is not None
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class RunningShop:
    """A shop that answers at `url`; `shop` is what its views work with."""

    url: str
    shop: Shop
    stack: ExitStack

    def visitor(self) -> Visitor:
        """Return somebody new."""
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=20, trust_env=False)
        return Visitor(self.stack.enter_context(client))


class OpenShop(Protocol):
    """Opens a shop, in summer unless told otherwise; the one before closes."""

    def __call__(self, faults: str = "", today: date = SUMMER_DAY) -> RunningShop:
        """Return the new shop."""


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Stage, str]]:
    stage = Stage()
    with listen("127.0.0.1", 0) as listening:
        config = uvicorn.Config(stage, log_level="critical", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield stage, f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def open_shop(stage: tuple[Stage, str], tmp_path: Path) -> Iterator[OpenShop]:
    with ExitStack() as stack:

        def opened(faults: str = "", today: date = SUMMER_DAY) -> RunningShop:
            app = create_app(tmp_path / "shop.db", faults=read_faults(faults), today=lambda: today)
            stage[0].app = app
            return RunningShop(stage[1], app.state.shop, stack)

        yield opened


@pytest.fixture
def shop(open_shop: OpenShop) -> RunningShop:
    return open_shop()


@pytest.fixture
def visitor(shop: RunningShop) -> Visitor:
    return shop.visitor()


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], playwright: Playwright
) -> dict[str, Any]:
    return {
        **browser_launch_options(playwright.chromium.executable_path),
        **browser_type_launch_args,
    }
