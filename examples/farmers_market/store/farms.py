"""Farms and the catalogue of crops that they choose their produce from."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from examples.farmers_market.database import statements
from examples.farmers_market.records import Crop, Farm
from examples.farmers_market.season import Season

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

SQL = statements("farms")
FIRST_STOCK = 40


def crops(connection: sqlite3.Connection) -> tuple[Crop, ...]:
    """Return the whole catalogue, by name."""
    return tuple(_crop(row) for row in connection.execute(SQL["crops"]))


def count(connection: sqlite3.Connection) -> int:
    """Count the farms."""
    farms: int = connection.execute(SQL["count_farms"]).fetchone()["farms"]
    return farms


def newest(
    connection: sqlite3.Connection, *, owner_id: int | None = None, most: int = 60
) -> tuple[Farm, ...]:
    """Return the newest farms, of one owner or of all."""
    rows = connection.execute(SQL["farms"], {"owner_id": owner_id, "most": most})
    return tuple(Farm(**row) for row in rows)


def by_slug(connection: sqlite3.Connection, slug: str) -> Farm | None:
    """Find a farm by the name in its address."""
    row = connection.execute(SQL["farm_by_slug"], {"slug": slug}).fetchone()
    return Farm(**row) if row else None


def create(
    connection: sqlite3.Connection,
    *,
    owner_id: int | None,
    name: str,
    place: str,
    story: str,
    prices: Mapping[str, int | None],
) -> str | None:
    """Open a farm's stall and return its slug, or None when the name is taken.

    `prices` maps crops to prices in cents; None stands for the crop's usual price.
    """
    slug = slug_of(name)
    farm = {"owner_id": owner_id, "name": name, "slug": slug, "place": place, "story": story}
    cursor = connection.execute(SQL["insert_farm"], farm)
    if cursor.rowcount != 1:
        return None
    products = [
        {
            "farm_id": cursor.lastrowid,
            "farm_slug": slug,
            "crop": crop,
            "price_cents": price,
            "stock": FIRST_STOCK,
        }
        for crop, price in prices.items()
    ]
    connection.executemany(SQL["insert_product"], products)
    return slug


def close(connection: sqlite3.Connection, *, slug: str, owner_id: int) -> bool:
    """Remove a farm and its products; False when it is not this owner's."""
    cursor = connection.execute(SQL["delete_farm"], {"slug": slug, "owner_id": owner_id})
    return cursor.rowcount == 1


def slug_of(name: str) -> str:
    """Return a name as it stands in an address: `Hill Farm` becomes `hill-farm`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "stall"


def _crop(row: sqlite3.Row) -> Crop:
    return Crop(
        id=row["id"],
        name=row["name"],
        category=row["category"],
        unit=row["unit"],
        usual_price_cents=row["usual_price_cents"],
        motif=row["motif"],
        tint=row["tint"],
        seasons=seasons_of(row["seasons"]),
    )


def seasons_of(names: str) -> tuple[Season, ...]:
    """Turn a comma list of seasons into seasons in the order of the year."""
    listed = names.split(",")
    return tuple(season for season in Season if season in listed)
