"""The JSON API, for the shop's own pages and for programs."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData
from starlette.responses import JSONResponse, Response

from examples.farmers_market import delivery
from examples.farmers_market.forms import EMAIL, Form
from examples.farmers_market.shop import account_of, cart_of, moment, shop_of, sign_in
from examples.farmers_market.store import accounts, farms, orders, products
from examples.farmers_market.views.buying import lines_of
from examples.farmers_market.views.market import search_of
from examples.farmers_market.views.people import account_with, check_registration, create_account

if TYPE_CHECKING:
    from starlette.requests import Request


def problem(status: int, message: str, **details: Any) -> Response:
    """Return an error as JSON."""
    return JSONResponse({"error": message, **details}, status_code=status)


def broken(request: Request, area: str) -> Response | None:
    """Return the answer of an API whose area has the fault `api`."""
    if shop_of(request).faults.kind(area) == "api":
        return problem(500, "The server could not answer this request.")
    return None


async def health(request: Request) -> Response:
    """Tell whether the shop can do its work."""
    await moment(request, "health")
    started = time.perf_counter()
    stalls = await shop_of(request).database.read(farms.count)
    milliseconds = (time.perf_counter() - started) * 1000
    checks = {
        "database": {"status": "ok", "ms": round(milliseconds, 2)},
        "stalls": {"status": "ok" if stalls else "empty", "count": stalls},
    }
    return JSONResponse({"status": "ok" if stalls else "degraded", "checks": checks})


async def season(request: Request) -> Response:
    """Tell the season and how much of the produce is in it."""
    shop = shop_of(request)
    wanted = products.Search(season=shop.season)
    in_season = await shop.database.read(products.search, wanted)
    answer = {
        "season": shop.season,
        "date": shop.today().isoformat(),
        "products": len(in_season),
    }
    return broken(request, "health") or JSONResponse(answer)


async def product_list(request: Request) -> Response:
    """Search the produce, like the list of produce does."""
    shop = shop_of(request)
    found = await shop.database.read(products.search, search_of(request))
    listed = [{**asdict(product), "in_season": shop.season in product.seasons} for product in found]
    return broken(request, "products") or JSONResponse(
        {"season": shop.season, "count": len(listed), "products": listed}
    )


async def produce(request: Request) -> Response:
    """List what can be grown, and what of it is in season."""
    shop = shop_of(request)
    crops = await shop.database.read(farms.crops)
    listed = [
        {"name": crop.name, "category": crop.category, "in_season": shop.season in crop.seasons}
        for crop in crops
    ]
    return broken(request, "farms") or JSONResponse({"season": shop.season, "produce": listed})


async def email_address(request: Request) -> Response:
    """Tell whether an e-mail address can be used to sign up."""
    address = request.query_params.get("address", "").strip()
    known = await shop_of(request).database.read(accounts.by_email, address)
    usable = EMAIL.fullmatch(address) is not None and known is None
    return broken(request, "registration") or JSONResponse(
        {"address": address, "usable": usable, "taken": known is not None}
    )


async def cart(request: Request) -> Response:
    """Count what is in the cart."""
    return JSONResponse({"count": sum(cart_of(request).values())})


async def quote(request: Request) -> Response:
    """Tell what delivering the cart to a postcode costs, and on which days."""
    lines = await lines_of(request)
    items_cents = sum(line.total_cents for line in lines)
    fee = delivery.fee_cents(request.query_params.get("postcode", ""), items_cents)
    days = delivery.next_days(shop_of(request).today())
    return broken(request, "orders") or JSONResponse(
        {
            "items_cents": items_cents,
            "delivery_cents": fee,
            "total_cents": items_cents + fee,
            "days": [day.isoformat() for day in days],
        }
    )


async def account(request: Request) -> Response:
    """Sum up the account that is signed in."""
    found = await account_of(request)
    if found is None:
        return problem(401, "Sign in first.")
    totals = await shop_of(request).database.read(accounts.totals, found.id)
    return broken(request, "login") or JSONResponse({"name": found.name, **asdict(totals)})


async def order_list(request: Request) -> Response:
    """List the orders of the account that is signed in."""
    found = await account_of(request)
    if found is None:
        return problem(401, "Sign in first.")
    placed = await shop_of(request).database.read(orders.of_account, found.id)
    listed = [{**asdict(order), "total_cents": order.total_cents} for order in placed]
    return JSONResponse({"orders": listed})


async def create(request: Request) -> Response:
    """Sign up by JSON with name, email and password; begins a session."""
    form = await _json_form(request)
    if form is None:
        return problem(415, "Send a JSON object as application/json.")
    check_registration(form)
    account_id = None if form.errors else await create_account(request, form)
    if account_id is None:
        return problem(422, "Please correct the fields.", fields=form.errors)
    sign_in(request, account_id)
    return JSONResponse({"id": account_id}, status_code=201)


async def begin_session(request: Request) -> Response:
    """Sign in by JSON with email and password."""
    form = await _json_form(request)
    if form is None:
        return problem(415, "Send a JSON object as application/json.")
    found = await account_with(request, form)
    if found is None:
        return problem(401, form.errors["password"])
    sign_in(request, found.id)
    return JSONResponse({"id": found.id}, status_code=201)


async def _json_form(request: Request) -> Form | None:
    """Read a JSON object as a form.

    It needs no form token: a page of another site cannot send `application/json` here, because
    the browser asks first and the shop does not allow it.
    """
    body = await json_object(request)
    return None if body is None else Form(FormData({k: str(v) for k, v in body.items()}))


async def json_object(request: Request) -> dict[str, Any] | None:
    """Return the JSON object of a request, or None when it carries anything else."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None
