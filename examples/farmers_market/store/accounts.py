"""Accounts: creating and finding them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.farmers_market.database import statements
from examples.farmers_market.records import Account

if TYPE_CHECKING:
    import sqlite3

SQL = statements("accounts")


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What an account has done so far."""

    orders: int
    farms: int
    spent_cents: int


def create(
    connection: sqlite3.Connection, *, name: str, email: str, password_hash: str, created_at: str
) -> int | None:
    """Create an account and return its id, or None when the e-mail address has one already."""
    values = {
        "name": name,
        "email": email,
        "password_hash": password_hash,
        "created_at": created_at,
    }
    cursor = connection.execute(SQL["insert_account"], values)
    return cursor.lastrowid if cursor.rowcount == 1 else None


def by_id(connection: sqlite3.Connection, account_id: int) -> Account | None:
    """Find an account by its id."""
    row = connection.execute(SQL["account_by_id"], {"id": account_id}).fetchone()
    return Account(**row) if row else None


def by_email(connection: sqlite3.Connection, email: str) -> Account | None:
    """Find an account by its e-mail address, in upper or lower case."""
    row = connection.execute(SQL["account_by_email"], {"email": email}).fetchone()
    return Account(**row) if row else None


def totals(connection: sqlite3.Connection, account_id: int) -> Totals:
    """Count the orders and farms of an account, and what it spent."""
    return Totals(**connection.execute(SQL["account_totals"], {"id": account_id}).fetchone())
