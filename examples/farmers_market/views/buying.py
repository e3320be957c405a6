"""Cart, checkout and orders."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from examples.farmers_market import delivery, payment
from examples.farmers_market.forms import Form, read_form
from examples.farmers_market.records import Account, Address, Line
from examples.farmers_market.rendering import go, render
from examples.farmers_market.shop import cart_of, keep_cart, moment, shop_of, signed_in
from examples.farmers_market.store import orders, products

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

MOST_OF_ONE = 20
EXPIRY = r"(0[1-9]|1[0-2])/[0-9]{2}"


async def cart(request: Request) -> Response:
    """Show the cart."""
    return await render(request, "cart.html", **_sums(await lines_of(request)))


async def add_to_cart(request: Request) -> Response:
    """Put a product into the cart."""
    form = await read_form(request)
    wanted = form.value("product")
    database = shop_of(request).database
    found = (
        await database.read(products.by_id, int(wanted))
        if re.fullmatch("[0-9]{1,9}", wanted)
        else None
    )
    if found is None:
        raise HTTPException(404)
    cart = cart_of(request)
    in_cart = cart.get(found.id, 0)
    most = min(found.stock, MOST_OF_ONE)
    cart[found.id] = min(in_cart + quantity_of(form), most)
    keep_cart(request, cart)
    if cart[found.id] == in_cart:
        return go(request, "/cart", f"There are no more {found.name} to be had.")
    return go(request, "/cart", f"{found.name} from {found.farm} added to your cart.")


async def change_cart(request: Request) -> Response:
    """Change how many of a product are in the cart; none removes it."""
    form = await read_form(request)
    cart = cart_of(request)
    product_id = request.path_params["product_id"]
    if product_id in cart:
        cart[product_id] = 0 if form.value("remove") else quantity_of(form)
        keep_cart(request, cart)
    return go(request, "/cart", "Your cart is up to date.")


def quantity_of(form: Form) -> int:
    """Return the quantity a form asks for; 1 when it is unreadable."""
    typed = form.value("quantity")
    return min(int(typed), MOST_OF_ONE) if re.fullmatch("[0-9]{1,3}", typed) else 1


async def lines_of(request: Request) -> tuple[Line, ...]:
    """Return the lines of the request's cart."""
    return await shop_of(request).database.read(products.lines, cart_of(request))


async def checkout_page(request: Request) -> Response:
    """Ask for address, day and card."""
    account = await signed_in(request)
    lines = await lines_of(request)
    if not lines:
        return go(request, "/cart")
    return await _checkout(request, account, lines, Form())


async def checkout(request: Request) -> Response:
    """Have the bank promise the amount, and place the order."""
    account = await signed_in(request)
    form = await read_form(request)
    lines = await lines_of(request)
    if not lines:
        return go(request, "/cart")
    check_checkout(form, shop_of(request).today())
    if not form.errors:
        await moment(request, "orders")
        order_id = await _place(request, account, lines, form)
        if order_id is not None:
            keep_cart(request, {})
            return go(request, f"/orders/{order_id}?thanks=1")
    return await _checkout(request, account, lines, form)


def check_checkout(form: Form, today: date) -> None:
    """Note what is wrong with address, day or card."""
    form.text("name", missing="Please tell us who the order is for.", most=80)
    form.text("street", missing="Please enter street and number.")
    form.matching(
        "postcode",
        delivery.POSTCODE,
        missing="Please enter the postcode.",
        wrong="A postcode has five digits, like 10405.",
    )
    form.text("city", missing="Please enter the town or city.", most=80)
    days = [str(day) for day in delivery.next_days(today)]
    form.choice("day", days, missing="Please choose a delivery day.")
    number = form.text("card_number", missing="Please enter the card number.")
    if number and not payment.is_card_number(number):
        form.refuse("card_number", "This is not a card number. Please check the digits.")
    expiry = form.matching(
        "card_expiry",
        EXPIRY,
        missing="Please enter month and year.",
        wrong="Please write month and year, like 04/29.",
    )
    if "card_expiry" not in form.errors and payment.is_expired(expiry, today):
        form.refuse("card_expiry", "This card has expired.")
    form.matching(
        "card_code",
        "[0-9]{3,4}",
        missing="Please enter the code.",
        wrong="The code has three or four digits.",
    )


async def _place(
    request: Request, account: Account, lines: Sequence[Line], form: Form
) -> int | None:
    items_cents = sum(line.total_cents for line in lines)
    fee = delivery.fee_cents(form.value("postcode"), items_cents)
    number = form.value("card_number")
    try:
        purchase = orders.Purchase(
            account_id=account.id,
            checkout_key=form.value("checkout_key") or secrets.token_hex(8),
            placed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            address=Address(
                **{part: form.value(part) for part in ("name", "street", "postcode", "city")}
            ),
            delivery_day=form.value("day"),
            delivery_cents=fee,
            card_ending=payment.authorise(number, items_cents + fee),
            lines=lines,
        )
        return await shop_of(request).database.write(orders.place, purchase)
    except payment.DeclinedError:
        form.refuse("card_number", "The bank declined this card. Nothing was charged.")
    except orders.OutOfStockError as error:
        form.refuse(
            "cart",
            f"Somebody was quicker: there are not enough {error.product} left. Nothing was "
            "charged. Please change your cart.",
        )
    return None


async def _checkout(
    request: Request, account: Account, lines: Sequence[Line], form: Form
) -> Response:
    return await render(
        request,
        "checkout.html",
        area="orders",
        form=form,
        name=form.value("name") or account.name,
        days=delivery.next_days(shop_of(request).today()),
        checkout_key=form.value("checkout_key") or secrets.token_hex(8),
        status=422 if form.errors else 200,
        **_sums(lines),
    )


def _sums(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "lines": lines,
        "items_cents": sum(line.total_cents for line in lines),
        "short": [line for line in lines if line.quantity > line.product.stock],
        "free_from_cents": delivery.FREE_FROM_CENTS,
    }


async def order_list(request: Request) -> Response:
    """Show somebody's orders."""
    account = await signed_in(request)
    placed = await shop_of(request).database.read(orders.of_account, account.id)
    return await render(request, "orders.html", orders=placed)


async def order(request: Request) -> Response:
    """Show one order."""
    account = await signed_in(request)
    found = await shop_of(request).database.read(
        orders.find, account_id=account.id, order_id=request.path_params["order_id"]
    )
    if found is None:
        raise HTTPException(404)
    thanks = request.query_params.get("thanks") == "1" and found.status == "placed"
    return await render(request, "order.html", order=found, thanks=thanks)


async def cancel_order(request: Request) -> Response:
    """Cancel an order."""
    account = await signed_in(request)
    await read_form(request)
    order_id = request.path_params["order_id"]
    cancelled = await shop_of(request).database.write(
        orders.cancel, account_id=account.id, order_id=order_id
    )
    notice = "The order is cancelled. Your card is not charged."
    return go(request, f"/orders/{order_id}", notice if cancelled else None)
