"""The shop's pages in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.examples.conftest import RunningShop

PATHS = (
    "/",
    "/products",
    "/products/tomatoes-sunny-bank-gardens",
    "/farms",
    "/farms/briar-patch",
    "/farms/new",
    "/login",
    "/register",
    "/cart",
    "/checkout",
    "/orders",
    "/dashboard",
)


@pytest.fixture
def page(browser: Browser, shop: RunningShop) -> Page:
    context = browser.new_context(base_url=shop.url, viewport={"width": 390, "height": 800})
    shop.stack.callback(context.close)
    page = context.new_page()
    account = {"name": "Ann Miller", "email": "ann@shop.example", "password": "long enough 1"}
    page.request.post("/api/accounts", data=account)
    return page


def test_no_page_scrolls_sideways_on_a_phone_or_complains(page: Page) -> None:
    """At 390 px every page fits, and no script or resource fails."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.goto("/products/tomatoes-sunny-bank-gardens")
    page.get_by_role("button", name="Add to cart", exact=True).click()
    expect(page.get_by_role("link", name="Cart")).to_have_text("Cart 1")
    for path in PATHS:
        page.goto(path, wait_until="load")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert complaints == []


def test_every_field_has_a_label(page: Page) -> None:
    """Whatever can be typed, ticked or chosen has a name for those who cannot see it."""
    page.goto("/products/tomatoes-sunny-bank-gardens")
    page.get_by_role("button", name="Add to cart", exact=True).click()
    for path in ("/products", "/register", "/login", "/farms/new", "/cart", "/checkout"):
        page.goto(path)
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            ".filter(field => !field.labels.length && !field.ariaLabel).map(field => field.name)"
        )
        assert unnamed == [], path


def test_typing_fast_asks_once(page: Page) -> None:
    """Search as you type waits for a pause, and shows the same as the search without script."""
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/api/products" in request.url else None,
    )
    page.goto("/products")
    page.get_by_role("searchbox", name="Search").press_sequentially("eggs", delay=10)
    expect(page.get_by_role("status")).to_have_text("2 products for “eggs”")
    assert [url.partition("?")[2] for url in asked] == ["q=eggs"]
    typed = page.get_by_role("article").all_inner_texts()
    page.reload()
    assert page.get_by_role("article").all_inner_texts() == typed


def test_what_a_search_finds_can_be_bought(page: Page) -> None:
    """The cards that the script made work like those of the server."""
    page.goto("/products")
    page.get_by_role("searchbox", name="Search").fill("honey")
    page.get_by_role("button", name="Add Honey from The Bakehouse to the cart").click()
    expect(page.get_by_role("status").first).to_have_text(
        "Honey from The Bakehouse added to your cart."
    )
