"""The shop as an ASGI application: routes, sessions, error pages."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from examples.farmers_market import seed
from examples.farmers_market.database import Database
from examples.farmers_market.faults import Fault, Faults, UnavailableError
from examples.farmers_market.rendering import render
from examples.farmers_market.security import ForgedFormError
from examples.farmers_market.shop import Shop, SignInNeededError
from examples.farmers_market.views import api, buying, farming, market, people, switchboard

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = Path(__file__).parent

PAGES = [
    Route("/", market.home),
    Route("/products", market.listing),
    Route("/products/{slug}", market.product),
    Route("/farms", market.farm_list),
    Route("/farms/new", farming.new_farm_page, methods=["GET"]),
    Route("/farms/new", farming.new_farm, methods=["POST"]),
    Route("/farms/{slug}", market.farm),
    Route("/farms/{slug}/close", farming.close_farm, methods=["POST"]),
    Route("/register", people.register_page, methods=["GET"]),
    Route("/register", people.register, methods=["POST"]),
    Route("/login", people.login_page, methods=["GET"]),
    Route("/login", people.login, methods=["POST"]),
    Route("/logout", people.logout, methods=["POST"]),
    Route("/dashboard", people.dashboard),
    Route("/cart", buying.cart),
    Route("/cart/items", buying.add_to_cart, methods=["POST"]),
    Route("/cart/items/{product_id:int}", buying.change_cart, methods=["POST"]),
    Route("/checkout", buying.checkout_page, methods=["GET"]),
    Route("/checkout", buying.checkout, methods=["POST"]),
    Route("/orders", buying.order_list),
    Route("/orders/{order_id:int}", buying.order),
    Route("/orders/{order_id:int}/cancel", buying.cancel_order, methods=["POST"]),
]

API = [
    Route("/api/health", api.health),
    Route("/api/season", api.season),
    Route("/api/products", api.product_list),
    Route("/api/produce", api.produce),
    Route("/api/email-address", api.email_address),
    Route("/api/cart", api.cart),
    Route("/api/delivery", api.quote),
    Route("/api/account", api.account),
    Route("/api/orders", api.order_list),
    Route("/api/accounts", api.create, methods=["POST"]),
    Route("/api/session", api.begin_session, methods=["POST"]),
    Route("/_faults", switchboard.show_faults, methods=["GET"]),
    Route("/_faults", switchboard.switch_on_faults, methods=["POST"]),
    Route("/_faults", switchboard.clear_faults, methods=["DELETE"]),
]


def create_app(
    database: Path,
    *,
    faults: dict[str, Fault] | None = None,
    today: Callable[[], date] = date.today,
    secret: str | None = None,
) -> Starlette:
    """Return the shop on a database file, which is created and filled when it is new.

    Sessions end when the shop stops, unless `secret`, the key that signs them, is given.
    """
    shop = Shop(database=Database(database), faults=Faults(faults), today=today)
    shop.database.create()
    shop.database.write_now(seed.plant)
    app = Starlette(
        routes=[*PAGES, *API, Mount("/static", StaticFiles(directory=HERE / "static"))],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(
                SessionMiddleware,
                secret_key=secret or secrets.token_urlsafe(32),
                session_cookie="orchard_lane",
            ),
        ],
        exception_handlers={
            HTTPException: on_http_error,
            ForgedFormError: on_forged_form,
            SignInNeededError: on_sign_in_needed,
            UnavailableError: on_unavailable,
            500: on_crash,
        },
    )
    app.state.shop = shop
    return app


SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SafeHeaders:
    """Middleware that lets pages load nothing from elsewhere and be framed by nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to the answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE_HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)


ERRORS = {
    403: ("Not allowed", "This page is not for you."),
    404: ("Not found", "There is no such page. It may have been sold out."),
    405: ("Not found", "This address cannot be used in this way."),
    500: ("Something went wrong", "The mistake is ours. Please try again in a while."),
    503: ("Service unavailable", "The market is closed for a moment. Please try again shortly."),
}


async def error_page(request: Request, status: int, text: str | None = None) -> Response:
    """Return an error as a page, or as JSON where the API was asked."""
    title, usual = ERRORS.get(status, ERRORS[500])
    if request.url.path.startswith(("/api/", "/_faults")):
        return api.problem(status, title)
    return await render(request, "error.html", status=status, title=title, text=text or usual)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what has no page, or is not allowed."""
    return await error_page(request, getattr(error, "status_code", 500))


async def on_forged_form(request: Request, _error: Exception) -> Response:
    """Answer a form that does not belong to this session."""
    text = "This form has expired. Please go back, reload the page and send it again."
    return await error_page(request, 403, text)


async def on_sign_in_needed(request: Request, _error: Exception) -> Response:
    """Send somebody to the sign-in page, and back afterwards."""
    path = request.url.path if request.method == "GET" else "/dashboard"
    return RedirectResponse(f"/login?next={quote(path)}", status_code=303)


async def on_unavailable(request: Request, _error: Exception) -> Response:
    """Answer as a shop that is down."""
    return await error_page(request, 503)


async def on_crash(_request: Request, _error: Exception) -> Response:
    """Answer after a mistake of ours; the traceback goes to the log."""
    return Response("Something went wrong. The mistake is ours.", status_code=500)
