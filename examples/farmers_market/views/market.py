"""Home page, list of produce, product and farm pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from examples.farmers_market.records import CATEGORIES
from examples.farmers_market.rendering import render
from examples.farmers_market.shop import moment, shop_of
from examples.farmers_market.store import farms, products
from examples.farmers_market.store.products import Search

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ON_HOME_PAGE = 8


def search_of(request: Request) -> Search:
    """Return what a request's query asks for; `now=1` means what is in season."""
    query = request.query_params
    category = query.get("category", "")
    return Search(
        text=query.get("q", "").strip()[:80],
        category=category if category in CATEGORIES else "",
        season=shop_of(request).season if query.get("now") == "1" else None,
    )


async def home(request: Request) -> Response:
    """Show what is in season, and the farms."""
    shop = shop_of(request)
    in_season = await shop.database.read(
        products.search, Search(season=shop.season), most=products.MOST
    )
    stalls = await shop.database.read(farms.newest, most=6)
    one_of_each = {product.name: product for product in reversed(in_season)}.values()
    seasonal = sorted(one_of_each, key=lambda product: len(product.seasons))[:ON_HOME_PAGE]
    return await render(request, "home.html", area="health", products=seasonal, stalls=stalls[::-1])


async def listing(request: Request) -> Response:
    """Show all produce, or what a search finds."""
    await moment(request, "products")
    wanted = search_of(request)
    found = await shop_of(request).database.read(products.search, wanted)
    return await render(request, "products.html", area="products", products=found, wanted=wanted)


async def product(request: Request) -> Response:
    """Show one product."""
    database = shop_of(request).database
    found = await database.read(products.by_slug, request.path_params["slug"])
    if found is None:
        raise HTTPException(404)
    others = await database.read(products.search, Search(farm_slug=found.farm_slug), most=5)
    others = tuple(other for other in others if other.id != found.id)[:4]
    return await render(request, "product.html", product=found, others=others)


async def farm_list(request: Request) -> Response:
    """Show the farms of the market."""
    return await render(
        request, "farms.html", stalls=await shop_of(request).database.read(farms.newest)
    )


async def farm(request: Request) -> Response:
    """Show one farm and what it sells."""
    database = shop_of(request).database
    found = await database.read(farms.by_slug, request.path_params["slug"])
    if found is None:
        raise HTTPException(404)
    sold = await database.read(products.search, Search(farm_slug=found.slug))
    return await render(request, "farm.html", farm=found, products=sold)
