"""The season, the list of produce, farms, and the JSON API about them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from examples.farmers_market.season import season_of

if TYPE_CHECKING:
    from tests.examples.conftest import OpenShop, RunningShop, Visitor


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (date(2026, 2, 28), "winter"),
        (date(2026, 3, 1), "spring"),
        (date(2026, 6, 1), "summer"),
        (date(2026, 8, 31), "summer"),
        (date(2026, 9, 1), "autumn"),
        (date(2026, 12, 1), "winter"),
    ],
)
def test_seasons_begin_with_their_month(day: date, season: str) -> None:
    """A season is three whole months, and winter spans the turn of the year."""
    assert season_of(day) == season


def test_the_calendar_decides_what_is_in_season(open_shop: OpenShop) -> None:
    """In spring there is asparagus, in autumn there is none, and honey is there all year."""
    listed = {}
    for day in (date(2026, 4, 1), date(2026, 10, 1)):
        found = open_shop(today=day).visitor().get("/api/products?now=1").json()
        listed[found["season"]] = {product["name"] for product in found["products"]}
    assert "Asparagus" in listed["spring"] - listed["autumn"]
    assert "Pumpkin" in listed["autumn"] - listed["spring"]
    assert "Honey" in listed["spring"] & listed["autumn"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=HONEY", {"Honey"}),
        ("q=mill+orchard&category=pantry", {"Cider"}),
        ("category=herbs", {"Basil", "Parsley", "Rosemary"}),
        ("q=tomato&now=1", {"Tomatoes"}),
        ("q=%25", set()),
        ("q=nothing+like+this", set()),
    ],
)
def test_a_search_finds_by_produce_farm_category_and_season(
    visitor: Visitor, query: str, names: set[str]
) -> None:
    """Page and API find the same; no character of a search has a special meaning."""
    found = visitor.get(f"/api/products?{query}").json()
    assert {product["name"] for product in found["products"]} == names
    page = visitor.get(f"/products?{query}").text
    assert f"{found['count']} product" in page
    assert page.count("<article") == found["count"] + 1  # one more: the template for the script


def test_a_product_page_shows_price_seasons_and_farm(visitor: Visitor) -> None:
    """A product says what it costs, when it grows, and who grows it."""
    page = visitor.get("/products/tomatoes-sunny-bank-gardens").text
    for text in ("€4.90", "Sunny Bank Gardens", "Summer<span", ": in season", "kg"):
        assert text in page


@pytest.mark.parametrize("path", ["/products/no-such", "/farms/no-such", "/nowhere", "/orders/x"])
def test_what_is_not_there_is_a_page_that_says_so(visitor: Visitor, path: str) -> None:
    """An unknown address answers 404 with a page of the shop."""
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert "Back to the market" in answer.text


def test_a_farm_opens_with_what_it_grows_and_closes_again(shop: RunningShop) -> None:
    """A new stall sells its crops at the usual price; closed, it is off the market."""
    owner = shop.visitor()
    owner.sign_up()
    answer = owner.send("/farms/new", **FARM, crops=["Carrots", "Honey"])
    assert answer.url.path == "/farms/zoe-s-acre"
    found = shop.visitor().get("/api/products?q=acre").json()["products"]
    assert {(product["name"], product["price_cents"]) for product in found} == {
        ("Carrots", 230),
        ("Honey", 850),
    }
    owner.send("/farms/zoe-s-acre/close", page="/farms/zoe-s-acre")
    assert owner.get("/farms/zoe-s-acre").status_code == 404
    assert shop.visitor().get("/api/products?q=acre").json()["count"] == 0


def test_a_farm_is_closed_only_by_its_owner(shop: RunningShop) -> None:
    """Somebody else gets no button, and 404 for trying."""
    owner, other = shop.visitor(), shop.visitor()
    for person in (owner, other):
        person.sign_up()
    owner.send("/farms/new", **FARM, crops=["Carrots", "Honey"])
    assert "Close this stall" not in other.get("/farms/zoe-s-acre").text
    answer = other.send("/farms/zoe-s-acre/close", page="/farms/zoe-s-acre")
    assert answer.status_code == 404
    assert owner.get("/farms/zoe-s-acre").status_code == 200


FARM = {
    "name": "Zoë's Acre",
    "place": "Far Hill",
    "story": "A small acre with a big view.",
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Please give the farm a name."),
        ({"name": "Briar patch"}, "Another farm has this name already."),
        ({"name": "Zo"}, "Please write at least 3 characters."),
        ({"place": ""}, "Please say where the farm is."),
        ({"story": "Short."}, "Please write at least 20 characters."),
        ({"crops": "Bananas"}, "Please choose something that the farm grows."),
    ],
)
def test_a_farm_with_mistakes_is_explained(
    visitor: Visitor, changes: dict[str, str], message: str
) -> None:
    """A wrong farm comes back with a message and with what was typed."""
    visitor.sign_up()
    answer = visitor.send("/farms/new", **{**FARM, "crops": "Kale", **changes})
    assert answer.status_code == 422
    assert message in answer.text
    assert "Far Hill" in answer.text or "place" in changes


def test_the_health_check_looks_into_the_database(visitor: Visitor) -> None:
    """Health names what it checked and how long the database took."""
    health = visitor.get("/api/health").json()
    assert health["status"] == "ok"
    assert health["checks"]["stalls"]["count"] == 6
    assert health["checks"]["database"]["ms"] >= 0


def test_the_api_tells_season_and_produce(visitor: Visitor) -> None:
    """Programs learn the season, and what of the catalogue is in it."""
    season = visitor.get("/api/season").json()
    assert (season["season"], season["date"]) == ("summer", "2026-07-01")
    produce = visitor.get("/api/produce").json()["produce"]
    by_name = {crop["name"]: crop["in_season"] for crop in produce}
    assert (by_name["Tomatoes"], by_name["Kale"]) == (True, False)


def test_the_api_signs_up_and_in_by_json_only(shop: RunningShop) -> None:
    """Programs get accounts and sessions by JSON; a form of another site gets nothing."""
    visitor = shop.visitor()
    account = {"name": "Bot", "email": "bot@shop.example", "password": "long enough 1"}
    assert visitor.client.post("/api/accounts", data=account).status_code == 415
    assert visitor.client.post("/api/accounts", json={**account, "email": "no"}).status_code == 422
    assert visitor.client.post("/api/accounts", json=account).status_code == 201
    assert visitor.get("/api/account").json()["name"] == "Bot"
    other = shop.visitor()
    assert other.get("/api/account").status_code == 401
    assert other.client.post("/api/session", json={**account, "password": "no"}).status_code == 401
    assert other.client.post("/api/session", json=account).status_code == 201
    assert other.get("/api/orders").json() == {"orders": []}


def test_a_market_keeps_its_data_when_it_opens_again(open_shop: OpenShop) -> None:
    """A second start on the same database finds the farms, and plants nothing twice."""
    for _ in range(2):
        assert open_shop().visitor().get("/api/health").json()["checks"]["stalls"]["count"] == 6


def test_pages_load_nothing_from_elsewhere(visitor: Visitor) -> None:
    """The content security policy allows this shop only, and pages name no other host."""
    answer = visitor.get("/")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "http://" not in answer.text
    assert "https://" not in answer.text
