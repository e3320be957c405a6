"""Cart, checkout and orders."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import pytest

from examples.farmers_market import delivery, payment

if TYPE_CHECKING:
    from tests.examples.conftest import RunningShop, Visitor

APPLES = "apples-old-mill-orchard"


def stock(shop: RunningShop, slug: str) -> int:
    products = shop.visitor().get("/api/products").json()["products"]
    return int(next(product["stock"] for product in products if product["slug"] == slug))


def set_stock(shop: RunningShop, slug: str, amount: int) -> None:
    with closing(sqlite3.connect(shop.shop.database.path)) as connection, connection:
        connection.execute("UPDATE products SET stock = ? WHERE slug = ?", (amount, slug))


def test_a_cart_counts_changes_and_empties(visitor: Visitor) -> None:
    """Products add up in the cart; quantities can be changed and lines removed."""
    visitor.put_in_cart(APPLES, 2)
    page = visitor.put_in_cart("cider-old-mill-orchard").text
    assert "Cider from Old Mill Orchard added to your cart." in page
    assert "€12.00" in page
    assert visitor.get("/api/cart").json() == {"count": 3}
    row = f"/cart/items/{visitor.product(APPLES)}"
    visitor.send(row, page="/cart", quantity="5")
    assert visitor.get("/api/cart").json() == {"count": 6}
    visitor.send(row, page="/cart", quantity="5", remove="1")
    assert visitor.get("/api/cart").json() == {"count": 1}


@pytest.mark.parametrize(("typed", "count"), [("x", 1), ("-3", 1), ("999", 20), ("9" * 50, 1)])
def test_a_strange_quantity_is_made_sensible(visitor: Visitor, typed: str, count: int) -> None:
    """Whatever is typed as quantity, the cart holds between 1 and 20."""
    fields = {"product": visitor.product(APPLES), "quantity": typed}
    visitor.send("/cart/items", page=f"/products/{APPLES}", **fields)
    assert visitor.get("/api/cart").json() == {"count": count}


def test_an_order_takes_the_stock_and_shows_what_was_paid(
    shop: RunningShop, visitor: Visitor
) -> None:
    """A paid order appears with its lines, fee and card's end; cart and stock follow."""
    before = stock(shop, APPLES)
    visitor.sign_up()
    visitor.put_in_cart(APPLES, 3)
    page = visitor.check_out()
    for text in ("Thank you", "3 × Apples", "€2.90", "€11.60", "ending in 4242", "Placed"):
        assert text in page.text
    assert visitor.get("/api/cart").json() == {"count": 0}
    assert stock(shop, APPLES) == before - 3
    listed = visitor.get("/api/orders").json()["orders"]
    assert [(order["number"], order["total_cents"]) for order in listed] == [("OL-1001", 1160)]
    assert visitor.get("/api/account").json()["spent_cents"] == 1160
    assert "OL-1001" in visitor.get("/orders").text
    assert "OL-1001" in visitor.get("/dashboard").text


def test_cancelling_puts_the_produce_back_once(shop: RunningShop, visitor: Visitor) -> None:
    """A cancelled order returns its stock; cancelling again changes nothing."""
    before = stock(shop, APPLES)
    visitor.sign_up()
    visitor.put_in_cart(APPLES, 3)
    order = visitor.check_out().url.path
    for _ in range(2):
        assert "Cancelled" in visitor.send(f"{order}/cancel", page="/orders").text
    assert stock(shop, APPLES) == before


def test_nobody_sees_the_orders_of_others(shop: RunningShop, visitor: Visitor) -> None:
    """An order of somebody else is not found, and cannot be cancelled."""
    visitor.sign_up()
    visitor.put_in_cart(APPLES)
    order = visitor.check_out().url.path
    other = shop.visitor()
    other.sign_up()
    assert other.get(order).status_code == 404
    other.send(f"{order}/cancel", page="/orders")
    assert "Placed" in visitor.get(order).text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Please tell us who the order is for."),
        ({"street": ""}, "Please enter street and number."),
        ({"postcode": "12"}, "A postcode has five digits, like 10405."),
        ({"city": ""}, "Please enter the town or city."),
        ({"day": "2020-01-01"}, "Please choose a delivery day."),
        ({"card_number": "4242 4242 4242 4243"}, "This is not a card number."),
        ({"card_number": "4000 0000 0000 0002"}, "The bank declined this card."),
        ({"card_expiry": "13/30"}, "Please write month and year, like 04/29."),
        ({"card_expiry": "06/26"}, "This card has expired."),
        ({"card_code": "12"}, "The code has three or four digits."),
    ],
)
def test_a_wrong_checkout_is_explained_and_charges_nothing(
    shop: RunningShop, visitor: Visitor, changes: dict[str, str], message: str
) -> None:
    """A mistake comes back beside its field; cart, stock and orders stay as they were."""
    before = stock(shop, APPLES)
    visitor.sign_up()
    visitor.put_in_cart(APPLES, 2)
    answer = visitor.check_out(**changes)
    assert answer.status_code == 422
    assert message in answer.text
    assert visitor.get("/api/cart").json() == {"count": 2}
    assert visitor.get("/api/orders").json() == {"orders": []}
    assert stock(shop, APPLES) == before


def test_sending_the_same_checkout_twice_orders_once(shop: RunningShop, visitor: Visitor) -> None:
    """A double click leads to the same order, and takes the stock once."""
    before = stock(shop, APPLES)
    visitor.sign_up()
    visitor.put_in_cart(APPLES)
    first = visitor.check_out(checkout_key="the-same").url.path
    visitor.put_in_cart(APPLES)
    assert visitor.check_out(checkout_key="the-same").url.path == first
    assert stock(shop, APPLES) == before - 1


def test_the_last_item_is_sold_once(shop: RunningShop) -> None:
    """Of several people who pay for the last item at the same time exactly one gets it."""
    set_stock(shop, APPLES, 1)
    people = [shop.visitor() for _ in range(4)]
    for person in people:
        person.sign_up()
        person.put_in_cart(APPLES)
    together = threading.Barrier(len(people))
    answers: list[str] = []

    def buy(person: Visitor) -> None:
        together.wait()
        answers.append(person.check_out().text)

    threads = [threading.Thread(target=buy, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Thank you" in answer for answer in answers) == 1
    assert sum("Somebody was quicker" in answer for answer in answers) == len(people) - 1
    assert stock(shop, APPLES) == 0
    assert "Sold out for this week" in shop.visitor().get(f"/products/{APPLES}").text


def test_more_than_there_is_never_enters_the_cart(shop: RunningShop, visitor: Visitor) -> None:
    """The cart stops at what is in stock, and says so."""
    set_stock(shop, APPLES, 2)
    visitor.put_in_cart(APPLES, 5)
    assert visitor.get("/api/cart").json() == {"count": 2}
    assert "There are no more Apples to be had." in visitor.put_in_cart(APPLES).text


def test_an_empty_cart_cannot_be_checked_out(visitor: Visitor) -> None:
    """Without products the checkout leads back to the cart."""
    visitor.sign_up()
    assert visitor.get("/checkout").url.path == "/cart"


def test_delivery_costs_by_distance_and_is_free_for_much() -> None:
    """Near postcodes are cheaper than far ones; from 40 euros on delivery is free."""
    assert delivery.fee_cents("10405", 1000) == 290
    assert delivery.fee_cents("90405", 1000) == 490
    assert delivery.fee_cents("90405", 4000) == 0


def test_delivery_days_leave_time_to_pick() -> None:
    """Deliveries are on Tuesdays and Fridays, two days ahead at least."""
    monday = date(2026, 11, 23)
    days = [str(day) for day in delivery.next_days(monday)]
    assert days == ["2026-11-27", "2026-12-01", "2026-12-04", "2026-12-08"]


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("4242-4242 42424242", True),
        ("5555 5555 5555 4444", True),
        ("4242 4242 4242 4241", False),
        ("4242", False),
        ("", False),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", False),
    ],
)
def test_card_numbers_are_checked_by_their_last_digit(number: str, good: bool) -> None:
    """Spaces and dashes are fine; a wrong digit or length is not."""
    assert payment.is_card_number(number) is good
