"""The shop: what the views work with, and what they ask about a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.farmers_market.season import Season, season_of
from examples.farmers_market.store import accounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from starlette.requests import Request

    from examples.farmers_market.database import Database
    from examples.farmers_market.faults import Faults
    from examples.farmers_market.records import Account


@dataclass(frozen=True, kw_only=True)
class Shop:
    """One running shop. `today` is a function so that tests can move the calendar."""

    database: Database
    faults: Faults
    today: Callable[[], date]

    @property
    def season(self) -> Season:
        """What the calendar says now."""
        return season_of(self.today())


class SignInNeededError(Exception):
    """A page is only for people who have signed in."""


def shop_of(request: Request) -> Shop:
    """Return the shop that a request came to."""
    shop: Shop = request.app.state.shop
    return shop


def client_of(request: Request) -> str:
    """Return who asks: the name a synthetic monitor gives itself, else the network address."""
    address = request.client.host if request.client else "unknown"
    return request.headers.get("X-Synthetic-Monitor", address)


async def moment(request: Request, area: str) -> None:
    """Let a fault of this area strike, if one is switched on."""
    await shop_of(request).faults.moment(area, client_of(request))


async def account_of(request: Request) -> Account | None:
    """Return the account that is signed in."""
    account_id = request.session.get("account_id")
    if account_id is None:
        return None
    return await shop_of(request).database.read(accounts.by_id, account_id)


async def signed_in(request: Request) -> Account:
    """Return the account that is signed in; raises `SignInNeededError` when nobody is."""
    account = await account_of(request)
    if account is None:
        raise SignInNeededError
    return account


def cart_of(request: Request) -> dict[int, int]:
    """Return the quantities in the cart by product id; the cart lives in the session."""
    cart: dict[str, int] = request.session.get("cart", {})
    return {int(product): quantity for product, quantity in cart.items()}


def keep_cart(request: Request, cart: dict[int, int]) -> None:
    """Store the cart in the session; lines with nothing in them are dropped."""
    request.session["cart"] = {
        str(product): quantity for product, quantity in cart.items() if quantity > 0
    }


def sign_in(request: Request, account_id: int) -> None:
    """Begin a session of this account; of the old session only the cart stays."""
    cart = cart_of(request)
    request.session.clear()
    request.session["account_id"] = account_id
    keep_cart(request, cart)
