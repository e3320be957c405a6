"""Signing up, in and out, and the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from examples.farmers_market.forms import Form, read_form
from examples.farmers_market.rendering import go, render, within_shop
from examples.farmers_market.security import hash_password, password_matches
from examples.farmers_market.shop import moment, shop_of, sign_in, signed_in
from examples.farmers_market.store import accounts, farms, orders

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from examples.farmers_market.records import Account

SHORTEST_PASSWORD = 10


async def register_page(request: Request) -> Response:
    """Show the form to sign up."""
    return await render(request, "register.html", area="registration")


async def register(request: Request) -> Response:
    """Create an account and sign in."""
    form = await read_form(request)
    check_registration(form)
    if not form.errors:
        await moment(request, "registration")
        account_id = await create_account(request, form)
        if account_id is not None:
            sign_in(request, account_id)
            return go(request, "/dashboard", "Your account is ready.")
    return await render(request, "register.html", area="registration", form=form, status=422)


def check_registration(form: Form) -> None:
    """Note what is wrong with a sign-up."""
    form.text("name", missing="Please tell us your name.", most=80)
    form.email("email")
    form.text("password", missing="Please choose a password.", least=SHORTEST_PASSWORD, most=200)


async def create_account(request: Request, form: Form) -> int | None:
    """Create the account of a correct sign-up, unless the e-mail address has one."""
    hashed = await run_in_threadpool(hash_password, form.value("password"))
    account_id = await shop_of(request).database.write(
        accounts.create,
        name=form.value("name"),
        email=form.value("email"),
        password_hash=hashed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if account_id is None:
        form.refuse("email", "There is an account with this address already. Sign in instead?")
    return account_id


async def login_page(request: Request) -> Response:
    """Show the form to sign in."""
    return await render(request, "login.html", area="login", onward=_onward(request))


async def login(request: Request) -> Response:
    """Sign in."""
    form = await read_form(request)
    form.email("email")
    form.text("password", missing="Please enter your password.", most=200)
    account = None if form.errors else await account_with(request, form)
    if account is None:
        return await render(
            request, "login.html", area="login", form=form, onward=_onward(request), status=422
        )
    await moment(request, "login")
    sign_in(request, account.id)
    return go(request, _onward(request))


async def account_with(request: Request, form: Form) -> Account | None:
    """Return the account that an e-mail address and a password belong to."""
    account = await shop_of(request).database.read(accounts.by_email, form.value("email"))
    stored = account.password_hash if account else None
    if await run_in_threadpool(password_matches, form.value("password"), stored):
        return account
    form.refuse("password", "This e-mail address and password do not belong together.")
    return None


async def logout(request: Request) -> Response:
    """Sign out; the cart goes too."""
    await read_form(request)
    request.session.clear()
    return go(request, "/", "You are signed out. See you at the market.")


async def dashboard(request: Request) -> Response:
    """Show somebody's own farms and orders."""
    account = await signed_in(request)
    database = shop_of(request).database
    return await render(
        request,
        "dashboard.html",
        area="login",
        stalls=await database.read(farms.newest, owner_id=account.id),
        orders=await database.read(orders.of_account, account.id, most=5),
    )


def _onward(request: Request) -> str:
    return within_shop(request.query_params.get("next", ""), "/dashboard")
