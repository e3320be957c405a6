"""Orders: placing them, which takes the produce from stock, and cancelling them again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from examples.farmers_market.database import statements
from examples.farmers_market.records import Address, Line, Order, OrderLine

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

SQL = statements("orders")
FIRST_NUMBER = 1000


class OutOfStockError(Exception):
    """There is less of a product than the order asks for."""

    def __init__(self, product: str) -> None:
        super().__init__(product)
        self.product = product


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """Everything that an order is made of. Two purchases with one key are the same order."""

    account_id: int
    checkout_key: str
    placed_at: str
    address: Address
    delivery_day: str
    delivery_cents: int
    card_ending: str
    lines: Sequence[Line]


def place(connection: sqlite3.Connection, purchase: Purchase) -> int:
    """Place an order and return its id; a purchase placed before returns the same id again.

    Raises `OutOfStockError` when somebody else was quicker. The database decides who was: stock
    never goes below zero, and the transaction of the slower one is rolled back as a whole.
    """
    key = {"checkout_key": purchase.checkout_key, "account_id": purchase.account_id}
    placed = connection.execute(SQL["order_id_of_checkout"], key).fetchone()
    if placed:
        return int(placed["id"])
    for line in purchase.lines:
        _take_stock(connection, line)
    return _insert(connection, purchase)


def _take_stock(connection: sqlite3.Connection, line: Line) -> None:
    taken = connection.execute(
        SQL["take_stock"], {"product_id": line.product.id, "quantity": line.quantity}
    )
    if taken.rowcount != 1:
        raise OutOfStockError(line.product.name)


def _insert(connection: sqlite3.Connection, purchase: Purchase) -> int:
    values = {
        "account_id": purchase.account_id,
        "checkout_key": purchase.checkout_key,
        "placed_at": purchase.placed_at,
        "delivery_day": purchase.delivery_day,
        "delivery_cents": purchase.delivery_cents,
        "card_ending": purchase.card_ending,
        **asdict(purchase.address),
    }
    order_id = cast("int", connection.execute(SQL["insert_order"], values).lastrowid)
    connection.executemany(
        SQL["insert_order_line"],
        [
            {
                "order_id": order_id,
                "position": position,
                "product_id": line.product.id,
                "name": line.product.name,
                "farm": line.product.farm,
                "unit": line.product.unit,
                "price_cents": line.product.price_cents,
                "quantity": line.quantity,
            }
            for position, line in enumerate(purchase.lines)
        ],
    )
    return order_id


def of_account(
    connection: sqlite3.Connection, account_id: int, *, most: int = 50
) -> tuple[Order, ...]:
    """Return the newest orders of an account."""
    rows = connection.execute(
        SQL["orders_of_account"], {"account_id": account_id, "most": most}
    ).fetchall()
    return tuple(_order(connection, row) for row in rows)


def find(connection: sqlite3.Connection, *, account_id: int, order_id: int) -> Order | None:
    """Find one order of an account; nobody sees the orders of others."""
    row = connection.execute(
        SQL["order_of_account"], {"account_id": account_id, "id": order_id}
    ).fetchone()
    return _order(connection, row) if row else None


def cancel(connection: sqlite3.Connection, *, account_id: int, order_id: int) -> bool:
    """Cancel an order and put its produce back; False when there is nothing to cancel."""
    cancelled = connection.execute(SQL["cancel_order"], {"id": order_id, "account_id": account_id})
    if cancelled.rowcount != 1:
        return False
    connection.execute(SQL["return_stock"], {"order_id": order_id})
    return True


def _order(connection: sqlite3.Connection, row: sqlite3.Row) -> Order:
    lines = tuple(
        OrderLine(**line)
        for line in connection.execute(SQL["lines_of_order"], {"order_id": row["id"]})
    )
    return Order(
        id=row["id"],
        number=f"OL-{FIRST_NUMBER + row['id']}",
        status=row["status"],
        placed_at=row["placed_at"],
        address=Address(**{part: row[part] for part in ("name", "street", "postcode", "city")}),
        delivery_day=row["delivery_day"],
        items_cents=sum(line.total_cents for line in lines),
        delivery_cents=row["delivery_cents"],
        card_ending=row["card_ending"],
        lines=lines,
    )
