"""Opening a farm's stall, and closing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from examples.farmers_market.forms import Form, read_form
from examples.farmers_market.rendering import go, render
from examples.farmers_market.shop import moment, shop_of, signed_in
from examples.farmers_market.store import farms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from examples.farmers_market.records import Crop

MOST_CROPS = 12


async def new_farm_page(request: Request) -> Response:
    """Show the form to open a stall."""
    await signed_in(request)
    return await _form_page(request, Form(), await _catalogue(request))


async def new_farm(request: Request) -> Response:
    """Open a stall."""
    account = await signed_in(request)
    form = await read_form(request)
    catalogue = await _catalogue(request)
    chosen = check_farm(form, catalogue)
    if form.errors:
        return await _form_page(request, form, catalogue)
    await moment(request, "farms")
    slug = await shop_of(request).database.write(
        farms.create,
        owner_id=account.id,
        name=form.value("name"),
        place=form.value("place"),
        story=form.value("story"),
        prices=dict.fromkeys(chosen),
    )
    if slug is None:
        form.refuse("name", "Another farm has this name already.")
        return await _form_page(request, form, catalogue)
    return go(request, f"/farms/{slug}", "Your stall is open.")


def check_farm(form: Form, catalogue: Sequence[Crop]) -> list[str]:
    """Note what is wrong with a new farm, and return the crops it chose."""
    form.text("name", missing="Please give the farm a name.", least=3, most=60)
    form.text("place", missing="Please say where the farm is.", most=60)
    form.text("story", missing="Please tell us about the farm.", least=20, most=600)
    known = {crop.name for crop in catalogue}
    chosen = [name for name in form.values("crops") if name in known]
    if not chosen:
        form.refuse("crops", "Please choose something that the farm grows.")
    elif len(chosen) > MOST_CROPS:
        form.refuse("crops", f"Please choose at most {MOST_CROPS} for the beginning.")
    return chosen


async def close_farm(request: Request) -> Response:
    """Close one's own stall."""
    account = await signed_in(request)
    await read_form(request)
    slug = request.path_params["slug"]
    if not await shop_of(request).database.write(farms.close, slug=slug, owner_id=account.id):
        raise HTTPException(404)
    return go(request, "/dashboard", "The stall is closed and its produce is off the market.")


async def _catalogue(request: Request) -> tuple[Crop, ...]:
    return await shop_of(request).database.read(farms.crops)


async def _form_page(request: Request, form: Form, catalogue: Sequence[Crop]) -> Response:
    return await render(
        request,
        "new_farm.html",
        area="farms",
        form=form,
        crops=catalogue,
        status=422 if form.errors else 200,
    )
