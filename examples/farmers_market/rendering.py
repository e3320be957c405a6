"""Turning templates into pages, with what every page shows."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from examples.farmers_market.forms import Form
from examples.farmers_market.records import CATEGORIES
from examples.farmers_market.security import form_token
from examples.farmers_market.shop import account_of, shop_of

if TYPE_CHECKING:
    from starlette.requests import Request

TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


def money(cents: int) -> str:
    """Write an amount: 1240 becomes €12.40."""
    return f"€{cents // 100}.{cents % 100:02d}"


def day(value: date | str) -> str:
    """Write a day as people say it: Tuesday 24 November."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{moment:%A} {moment.day} {moment:%B}"


TEMPLATES.env.undefined = StrictUndefined
TEMPLATES.env.filters.update(money=money, day=day)
TEMPLATES.env.globals.update(categories=CATEGORIES)


async def render(
    request: Request,
    template: str,
    *,
    area: str | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """Return a page. `area` names the part of the shop whose layout and script faults it shows."""
    shop = shop_of(request)
    values = {
        "account": await account_of(request),
        "season": shop.season,
        "form_token": form_token(request),
        "notice": request.session.pop("notice", None),
        "fault": shop.faults.kind(area) if area else None,
        "form": Form(),
        **context,
    }
    return TEMPLATES.TemplateResponse(request, template, values, status_code=status)


def go(request: Request, url: str, notice: str | None = None) -> Response:
    """Redirect after a form was handled; the next page shows the notice once."""
    if notice:
        request.session["notice"] = notice
    return RedirectResponse(url, status_code=303)


def within_shop(url: str, otherwise: str) -> str:
    """Return an address if it is a path of this shop, so that no link leads elsewhere by it."""
    inside = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if inside and url.isprintable() else otherwise
