"""The records that the shop's pages and its JSON API show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from examples.farmers_market.season import Season

CATEGORIES = {
    "vegetables": "Vegetables",
    "fruit": "Fruit",
    "herbs": "Herbs",
    "dairy": "Dairy and eggs",
    "pantry": "Bread and pantry",
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """A person who can sign in."""

    id: int
    name: str
    email: str
    password_hash: str


@dataclass(frozen=True, kw_only=True)
class Crop:
    """Something that a farm can offer, with the seasons in which it is at its best."""

    id: int
    name: str
    category: str
    unit: str
    usual_price_cents: int
    motif: str
    tint: str
    seasons: tuple[Season, ...]


@dataclass(frozen=True, kw_only=True)
class Farm:
    """A stall of the market."""

    id: int
    owner_id: int | None
    name: str
    slug: str
    place: str
    story: str
    product_count: int


@dataclass(frozen=True, kw_only=True)
class Product:
    """One crop, as one farm sells it."""

    id: int
    slug: str
    name: str
    farm: str
    farm_slug: str
    category: str
    unit: str
    price_cents: int
    stock: int
    description: str
    motif: str
    tint: str
    seasons: tuple[Season, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A product and how many of it: a line of the cart."""

    product: Product
    quantity: int

    @property
    def total_cents(self) -> int:
        """Price of the whole line."""
        return self.product.price_cents * self.quantity


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """A line of an order, with the name and price of the day it was placed."""

    name: str
    farm: str
    unit: str
    price_cents: int
    quantity: int

    @property
    def total_cents(self) -> int:
        """Price of the whole line."""
        return self.price_cents * self.quantity


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an order goes."""

    name: str
    street: str
    postcode: str
    city: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order that has been paid."""

    id: int
    number: str
    status: str
    placed_at: str
    address: Address
    delivery_day: str
    items_cents: int
    delivery_cents: int
    card_ending: str
    lines: tuple[OrderLine, ...]

    @property
    def total_cents(self) -> int:
        """What was charged."""
        return self.items_cents + self.delivery_cents
