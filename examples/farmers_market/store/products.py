"""Products: what the farms sell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.farmers_market.database import statements
from examples.farmers_market.records import Line, Product
from examples.farmers_market.store.farms import seasons_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from examples.farmers_market.season import Season

SQL = statements("products")
MOST = 60


@dataclass(frozen=True, kw_only=True)
class Search:
    """What somebody looks for. Empty fields match everything."""

    text: str = ""
    category: str = ""
    farm_slug: str = ""
    season: Season | None = None


def search(
    connection: sqlite3.Connection, wanted: Search, *, most: int = MOST
) -> tuple[Product, ...]:
    """Return the products that match, by name, at most `most` of them."""
    values = {
        "text": wanted.text,
        "category": wanted.category,
        "farm_slug": wanted.farm_slug,
        "season": wanted.season or "",
        "most": most,
    }
    return tuple(_product(row) for row in connection.execute(SQL["products"], values))


def by_slug(connection: sqlite3.Connection, slug: str) -> Product | None:
    """Find a product by the name in its address."""
    row = connection.execute(SQL["product_by_slug"], {"slug": slug}).fetchone()
    return _product(row) if row else None


def by_id(connection: sqlite3.Connection, product_id: int) -> Product | None:
    """Find a product by its id."""
    row = connection.execute(SQL["product_by_id"], {"id": product_id}).fetchone()
    return _product(row) if row else None


def lines(connection: sqlite3.Connection, quantities: Mapping[int, int]) -> tuple[Line, ...]:
    """Return the lines of a cart; products that are gone from the market are left out."""
    found = ((by_id(connection, product), wanted) for product, wanted in quantities.items())
    return tuple(Line(product=product, quantity=wanted) for product, wanted in found if product)


def _product(row: sqlite3.Row) -> Product:
    return Product(**{**dict(row), "seasons": seasons_of(row["seasons"])})
