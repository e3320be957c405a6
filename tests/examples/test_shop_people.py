"""Signing up, in and out."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from examples.farmers_market.app import PAGES
from examples.farmers_market.security import hash_password, password_matches

if TYPE_CHECKING:
    from tests.examples.conftest import RunningShop, Visitor

PASSWORD = "a quiet meadow"


def test_a_new_account_is_signed_in_and_greeted(visitor: Visitor) -> None:
    """Signing up leads to the dashboard, under the name that was given."""
    visitor.sign_up("Ann <b>Miller</b>")
    page = visitor.get("/dashboard").text
    assert "Welcome, Ann &lt;b&gt;Miller&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "Please tell us your name."),
        ({"name": "A" * 81}, "Please keep it under 80 characters."),
        ({"email": ""}, "Please enter your e-mail address."),
        ({"email": "ann@example"}, "This does not look like an e-mail address"),
        ({"password": "short"}, "Please write at least 10 characters."),
    ],
)
def test_a_mistake_is_explained_beside_its_field(
    visitor: Visitor, fields: dict[str, str], message: str
) -> None:
    """A wrong sign-up comes back with what was typed and one message, and creates nothing."""
    form = {"name": "Ann", "email": "ann@shop.example", "password": PASSWORD, **fields}
    answer = visitor.send("/register", **form)
    assert answer.status_code == 422
    assert f'id="{next(iter(fields))}-wrong">{message}' in answer.text
    assert PASSWORD not in answer.text
    assert visitor.get("/dashboard").url.path == "/login"


def test_an_address_signs_up_once(shop: RunningShop) -> None:
    """A second account with the same address, in whatever case, is refused."""
    email = shop.visitor().sign_up()
    answer = shop.visitor().send("/register", name="Eve", email=email.upper(), password=PASSWORD)
    assert "There is an account with this address already" in answer.text


def test_only_the_right_password_signs_in(shop: RunningShop) -> None:
    """Wrong password and unknown address give the same answer; the right one opens the page."""
    email = shop.visitor().sign_up()
    visitor = shop.visitor()
    for wrong in ({"email": email, "password": "no"}, {"email": "x@y.example", "password": "no"}):
        answer = visitor.send("/login", **wrong)
        assert answer.status_code == 422
        assert "do not belong together" in answer.text
    assert visitor.send("/login", email=email, password=PASSWORD).url.path == "/dashboard"


def test_signing_in_leads_back_but_never_elsewhere(shop: RunningShop) -> None:
    """The page that asked for signing in follows; an address of another site does not."""
    email = shop.visitor().sign_up()
    asked = shop.visitor().get("/orders")
    assert str(asked.url).endswith("/login?next=/orders")
    for onward, path in [
        ("/orders", "/orders"),
        ("//evil.example/", "/dashboard"),
        ("https://evil.example/", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
    ]:
        visitor = shop.visitor()
        answer = visitor.send(f"/login?next={onward}", email=email, password=PASSWORD)
        assert (answer.url.host, answer.url.path) == ("127.0.0.1", path)


def test_signing_out_ends_the_session(visitor: Visitor) -> None:
    """After signing out the dashboard asks to sign in."""
    visitor.sign_up()
    visitor.send("/logout", page="/dashboard")
    assert visitor.get("/dashboard").url.path == "/login"


@pytest.mark.parametrize(
    "path",
    [route.path for route in PAGES if "POST" in (route.methods or ())],
)
def test_a_form_without_its_token_is_refused(visitor: Visitor, path: str) -> None:
    """Every form that changes something answers 403 without, and with a foreign, token."""
    visitor.sign_up()
    real = re.sub(r"\{\w+(:int)?\}", "1", path)
    for data in ({}, {"form_token": "foreign"}):
        answer = visitor.client.post(real, data=data)
        assert answer.status_code == 403
        assert "This form has expired" in answer.text


def test_a_forged_cookie_is_nobody(shop: RunningShop) -> None:
    """A session that the shop did not sign is ignored."""
    visitor = shop.visitor()
    visitor.client.cookies.set("orchard_lane", "eyJhY2NvdW50X2lkIjogMX0=.aaaa.bbbb")
    assert visitor.get("/dashboard").url.path == "/login"


def test_passwords_are_kept_as_salted_hashes(shop: RunningShop) -> None:
    """The database never holds a password, and equal passwords look different in it."""
    for _ in range(2):
        shop.visitor().sign_up()
    with closing(sqlite3.connect(shop.shop.database.path)) as connection:
        rows = connection.execute("SELECT password_hash FROM accounts").fetchall()
    assert len(set(rows)) == 2
    assert PASSWORD not in str(rows)


def test_a_password_matches_only_its_own_hash() -> None:
    """Hash and check agree; nobody's hash matches nothing."""
    stored = hash_password(PASSWORD)
    assert password_matches(PASSWORD, stored)
    assert not password_matches(PASSWORD + " ", stored)
    assert not password_matches("", None)
