"""Customers find produce: by searching, by category and by season."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import degrade, metric, step

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.workflow(
    "product-listing",
    description="Search as you type, categories and the season's filter show the right produce.",
    type="browser",
    priority="high",
    cron="*/30 * * * *",
    owner="catalogue-team",
    tags=("shop", "catalogue"),
    retries=1,
    timeout="60s",
    degraded_after="30s",
)
def test_product_listing(page: Page) -> None:
    products = page.get_by_role("article")
    found = page.get_by_role("status")
    search = page.get_by_role("searchbox", name="Search")

    with step("Open the list of produce", slower_than=2.0):
        page.goto("/products")
        expect(page.get_by_role("heading", level=1)).to_have_text("Produce")
        expect(products).not_to_have_count(0)
        metric("products_listed", products.count())

    with step("Search while typing"):
        started = time.perf_counter()
        search.press_sequentially("honey")
        expect(found).to_have_text(re.compile(r"^\d+ products? for “honey”$"))
        metric("search", (time.perf_counter() - started) * 1000, "ms", threshold=2000)
        expect(products.filter(has_not_text="Honey")).to_have_count(0)
        expect(products).not_to_have_count(0)

    with step("Look for fruit that is in season"):
        search.clear()
        page.get_by_label("Category").select_option("Fruit")
        page.get_by_label("In season now").check()
        expect(page).to_have_url(re.compile(r"\?category=fruit&now=1$"))
        expect(products.filter(has_not_text="In season")).to_have_count(0)
        if not products.count():
            degrade("no fruit is in season")

    with step("Look at a product"):
        page.get_by_label("Category").select_option("All categories")
        expect(page).to_have_url(re.compile(r"\?now=1$"))
        link = products.first.get_by_role("link")
        name = link.inner_text()
        link.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.get_by_role("list", name="Seasons")).to_contain_text(": in season")
