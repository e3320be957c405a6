"""Customers can buy: from the stall through the cart and the payment to the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import attach, metric, step

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from pytest_workflow_monitor.login import LoggedInAs


STALL = "/farms/old-mill-orchard"


@pytest.mark.workflow(
    "order-placement",
    description="A customer buys apples and pears, pays, and cancels the order again.",
    type="browser",
    priority="critical",
    cron="*/20 * * * *",
    owner="shop-team",
    tags=("shop", "revenue"),
    retries=1,
    timeout="90s",
    degraded_after="45s",
)
def test_order_placement(logged_in_as: LoggedInAs) -> None:
    page = logged_in_as("customer")
    heading = page.get_by_role("heading", level=1)

    with step("Fill the cart"):
        for product in ("Apples", "Pears"):
            with step(f"Put {product.lower()} in the cart"):
                page.goto(STALL)
                button = f"Add {product} from Old Mill Orchard to the cart"
                page.get_by_role("button", name=button).click()
                expect(heading).to_have_text("Your cart")
                expect(page.get_by_role("heading", name=product)).to_be_visible()

    with step("Take two more kilos of apples"):
        page.get_by_label("Quantity of Apples").fill("3")
        page.get_by_role("button", name="Update Apples").click()
        expect(page.get_by_label("Quantity of Apples")).to_have_value("3")
        expect(page.get_by_role("link", name="Cart")).to_have_text("Cart 4")
        metric("cart_total", euros(page, "cart-total"), "EUR", threshold=500)

    with step("Go to checkout"):
        page.get_by_role("link", name="Go to checkout").click()
        expect(heading).to_have_text("Checkout")

    with step("Enter the address"):
        page.get_by_label("Street and number").fill("Mill Lane 4")
        page.get_by_label("Postcode").fill("10405")
        page.get_by_label("Town or city").fill("Greenham")
        page.get_by_label("Delivery day").select_option(index=1)
        expect(page.get_by_test_id("delivery")).to_have_text("€2.90")

    with step("Pay"):
        total = page.get_by_test_id("total").inner_text()
        with step("Enter the card"):
            page.get_by_label("Card number").fill("4242 4242 4242 4242")
            page.get_by_label("Valid until").fill("12/39")
            page.get_by_label("Security code").fill("123")
        with step("Submit the card", slower_than=2.0):
            page.get_by_role("button", name="Pay and order").click()
            expect(heading).to_have_text("Thank you")

    with step("Check the order"):
        expect(page.get_by_test_id("total")).to_have_text(total)
        number = page.get_by_test_id("order-number").inner_text()
        attach(page.get_by_role("main").screenshot(), "order.png", "image/png")

    with step("Cancel the order, so that the stock is as before"):
        page.get_by_role("link", name="Orders").click()
        page.get_by_role("link", name=number).click()
        page.get_by_role("button", name="Cancel this order").click()
        expect(page.get_by_test_id("order-status")).to_have_text("Cancelled")


def euros(page: Page, test_id: str) -> float:
    """Return the amount that an element of the page shows."""
    return float(page.get_by_test_id(test_id).inner_text().removeprefix("€"))
