"""Faults: how they are written, and what each does to the shop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from examples.farmers_market.faults import (
    AREAS,
    FaultError,
    Faults,
    UnavailableError,
    demonstration,
    main,
    read_faults,
    write_faults,
)

if TYPE_CHECKING:
    from tests.examples.conftest import OpenShop, Visitor

APPLES = "apples-old-mill-orchard"
PASSWORD = "a quiet meadow"


def test_a_spec_is_read_and_written_back() -> None:
    """Areas, kinds and amounts survive; amounts that are not given get their default."""
    faults = read_faults(" orders=error, products=slow:1.5 ,login=flaky,health=slow")
    assert write_faults(faults) == "login=flaky:2,products=slow:1.5,orders=error,health=slow:3"
    assert read_faults("") == {}


def test_all_stands_for_every_area_not_named_otherwise() -> None:
    """`all` fills in what the rest of the spec leaves open."""
    faults = read_faults("all=slow:1,orders=error")
    assert {area: str(fault) for area, fault in faults.items()} == {
        **dict.fromkeys(AREAS, "slow:1"),
        "orders": "error",
    }


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("orders", "'orders' is no fault; write area=kind, like orders=error"),
        ("order=error", "unknown area 'order'; choose one of login, registration, farms, "),
        ("orders=eror", "orders: unknown fault 'eror'; choose one of error, slow, flaky, layout, "),
        ("orders=error:3", "orders: 'error' takes no number, but 'error:3' has one"),
        ("orders=slow:x", "orders: slow:x: 'x' is not a number"),
        ("orders=slow:0", "orders: slow:0: give more than 0 and at most 60 seconds"),
        ("orders=slow:nan", "orders: slow:nan: give more than 0"),
        ("orders=flaky:1", "orders: flaky:1: give a whole number from 2 on"),
        ("orders=flaky:2.5", "orders: flaky:2.5: give a whole number from 2 on"),
        ("orders=flaky:inf", "orders: flaky:inf: give a whole number from 2 on"),
        ("orders=error,orders=slow", "'orders' is given twice"),
    ],
)
def test_a_wrong_spec_is_explained_in_one_sentence(spec: str, sentence: str) -> None:
    """Each mistake names what was given and what is allowed."""
    with pytest.raises(FaultError) as error:
        read_faults(spec)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("areas", "spec"),
    [
        ("orders", "login=flaky:2,products=slow:3,orders=error"),
        ("products", "login=flaky:2,products=error"),
        ("login,products", "login=error,products=error"),
        ("farms=layout", "farms=layout"),
        ("orders,login=slow:4", "login=slow:4,products=slow:3,orders=error"),
        ("all", ",".join(f"{area}=error" for area in AREAS)),
        ("", ""),
    ],
)
def test_a_demonstration_shows_three_kinds_of_trouble(areas: str, spec: str) -> None:
    """A bare area fails, and products are slow and login flaky beside it unless named."""
    assert read_faults(demonstration(areas)) == read_faults(spec)


def test_the_command_prints_a_spec_or_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The Makefile gets a spec on standard output, or exit code 2 and a sentence."""
    assert main(["orders"]) == 0
    assert read_faults(capsys.readouterr().out.strip())
    assert main(["shoes"]) == 2
    assert capsys.readouterr().err.startswith("BREAK: unknown area 'shoes'")


def test_flaky_lets_a_client_through_that_comes_again() -> None:
    """However the requests of several clients mix, each fails first and passes at once after."""
    faults = Faults(read_faults("login=flaky"))

    async def fails(client: str) -> bool:
        try:
            await faults.moment("login", client)
        except UnavailableError:
            return True
        return False

    async def visits() -> list[bool]:
        return [await fails(client) for client in ("a", "b", "b", "c", "a", "c", "a")]

    assert asyncio.run(visits()) == [True, True, False, True, False, False, True]


def test_flaky_by_n_fails_every_nth_time() -> None:
    """`flaky:3` fails the first, fourth, seventh ... of a client's requests."""
    faults = Faults(read_faults("health=flaky:3"))
    failed = []
    for visit in range(7):
        try:
            asyncio.run(faults.moment("health", "client"))
        except UnavailableError:
            failed.append(visit)
    assert failed == [0, 3, 6]


def at_the_moment(visitor: Visitor, area: str) -> tuple[int, str]:
    """Do what an area is about, and return how the shop answers."""
    if area in ("login", "registration"):
        path = "/login" if area == "login" else "/register"
        email = f"{time.monotonic_ns()}@shop.example"
        account = {"name": "Ann", "email": email, "password": PASSWORD}
        if area == "login":
            visitor.client.post("/api/accounts", json=account)
            visitor.client.cookies.clear()
        answer = visitor.send(path, **account)
    elif area == "farms":
        story = "A farm that is only here to be opened."
        answer = visitor.send(
            "/farms/new", name=f"F {time.monotonic_ns()}", place="H", story=story, crops=["Kale"]
        )
    elif area == "orders":
        visitor.put_in_cart(APPLES)
        answer = visitor.check_out()
    else:
        answer = visitor.get("/products" if area == "products" else "/api/health")
    return answer.status_code, answer.text


@pytest.mark.parametrize("area", AREAS)
def test_error_strikes_at_the_moment_that_matters(open_shop: OpenShop, area: str) -> None:
    """The area's deed ends in "Service unavailable", and what it should have done is not done."""
    visitor = open_shop(f"{area}=error").visitor()
    if area in ("farms", "orders"):
        visitor.sign_up()
    status, text = at_the_moment(visitor, area)
    assert status == 503
    assert "Service unavailable" in text
    if area == "orders":
        assert visitor.get("/api/orders").json() == {"orders": []}


@pytest.mark.parametrize("area", AREAS)
def test_flaky_fails_first_and_passes_again(open_shop: OpenShop, area: str) -> None:
    """The area's deed fails, then works when it is tried again."""
    visitor = open_shop(f"{area}=flaky").visitor()
    if area in ("farms", "orders"):
        visitor.sign_up()
    statuses = [at_the_moment(visitor, area)[0] for _ in range(2)]
    assert statuses == [503, 200]


@pytest.mark.parametrize("area", AREAS)
def test_slow_delays_and_still_works(open_shop: OpenShop, area: str) -> None:
    """The area's deed works, but takes the time that was asked for."""
    visitor = open_shop(f"{area}=slow:0.3").visitor()
    if area in ("farms", "orders"):
        visitor.sign_up()
    started = time.monotonic()
    status, _ = at_the_moment(visitor, area)
    assert status == 200
    assert time.monotonic() - started >= 0.3


PAGES = {
    "login": "/login",
    "registration": "/register",
    "farms": "/farms/new",
    "products": "/products",
    "orders": "/checkout",
    "health": "/",
}
APIS = {
    "login": "/api/account",
    "registration": "/api/email-address?address=a@b.example",
    "farms": "/api/produce",
    "products": "/api/products",
    "orders": "/api/delivery?postcode=10405",
    "health": "/api/season",
}


@pytest.mark.parametrize("area", AREAS)
def test_layout_and_javascript_change_only_the_areas_pages(open_shop: OpenShop, area: str) -> None:
    """The area's page is covered, or loads a broken script in place of its own; others are not."""
    shop = open_shop()
    visitor = shop.visitor()
    visitor.sign_up()
    visitor.put_in_cart(APPLES)
    for kind, sign in [("layout", "closing-notice"), ("javascript", "/static/broken.js")]:
        shop.shop.faults.switch_on(read_faults(f"{area}={kind}"))
        with_sign = {name for name, path in PAGES.items() if sign in visitor.get(path).text}
        assert with_sign == {area}


@pytest.mark.parametrize("area", AREAS)
def test_api_fails_only_what_the_areas_pages_ask(open_shop: OpenShop, area: str) -> None:
    """The JSON behind the area's pages answers 500, and that of the others works."""
    visitor = open_shop(f"{area}=api").visitor()
    visitor.sign_up()
    failing = {name for name, path in APIS.items() if visitor.get(path).status_code == 500}
    assert failing == {area}


def test_faults_are_switched_on_and_off_at_run_time(visitor: Visitor) -> None:
    """POST adds faults, GET tells them, DELETE removes all."""
    client = visitor.client
    first = client.post("/_faults", json={"orders": "error"}).json()
    assert first == {"orders": "error"}
    second = client.post("/_faults", json={"products": "slow:1"}).json()
    assert second == {"orders": "error", "products": "slow:1"}
    assert client.get("/_faults").json() == second
    assert client.delete("/_faults").json() == {}
    everywhere = client.post("/_faults", json={"all": "layout"}).json()
    assert everywhere == dict.fromkeys(AREAS, "layout")


def test_a_wrong_fault_at_run_time_changes_nothing(visitor: Visitor) -> None:
    """A mistake answers 422 with a sentence; what is no JSON answers 415."""
    answer = visitor.client.post("/_faults", json={"orders": "error", "shoes": "error"})
    assert answer.status_code == 422
    assert "unknown area 'shoes'" in answer.json()["error"]
    assert visitor.client.post("/_faults", content="orders=error").status_code == 415
    assert visitor.client.get("/_faults").json() == {}


def test_faults_are_out_of_reach_over_a_network(visitor: Visitor) -> None:
    """Whoever does not come from this machine may neither see nor change faults."""
    away = {"X-Forwarded-For": "192.0.2.7"}
    for method in ("GET", "POST", "DELETE"):
        answer = visitor.client.request(method, "/_faults", headers=away)
        assert answer.status_code == 403
