"""Every fault of the shop makes the workflow of its area fail or degrade where it strikes."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from playwright.sync_api import Error, expect

import pytest_workflow_monitor
from examples.farmers_market.faults import demonstration, read_faults
from workflows import (
    test_farm_creation,
    test_health_check,
    test_order_placement,
    test_product_listing,
    test_user_login,
    test_user_registration,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType, TracebackType

    from playwright.sync_api import Browser, Page

    from tests.examples.conftest import RunningShop

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pytest", "workflows", "-p", "no:cacheprovider"]
PATIENCE_MS = 30_000
SHORT_PATIENCE_MS = 1_500
HURRY = 5
"""Limits of time are divided by this, so that a short delay is a slow one."""

WORKFLOWS: dict[str, ModuleType] = {
    "login": test_user_login,
    "registration": test_user_registration,
    "farms": test_farm_creation,
    "products": test_product_listing,
    "orders": test_order_placement,
    "health": test_health_check,
}
MOMENTS = {
    "login": "Sign in",
    "registration": "Create the account",
    "farms": "Open the stall",
    "products": "Open the list of produce",
    "orders": "Submit the card",
    "health": "Ask the shop for its health",
}
FAILS_AT = {
    ("login", "layout"): "Try a wrong password",
    ("registration", "layout"): "Send a form with mistakes",
    ("farms", "layout"): "Take the suggestions for the season",
    ("products", "layout"): "Look for fruit that is in season",
    ("orders", "layout"): "Submit the card",
    ("health", "layout"): "Follow a link",
    **{
        (area, kind): name
        for kind in ("javascript", "api")
        for area, name in {
            "registration": "Check that the e-mail address is free",
            "farms": "Take the suggestions for the season",
            "products": "Search while typing",
            "orders": "Enter the address",
            "health": "Wait for the season",
        }.items()
    },
}
DEGRADES_AT = {
    **{(area, "slow:0.6"): name for area, name in MOMENTS.items()},
    ("health", "slow:0.6"): "health_response",
    ("login", "javascript"): "See the figures of the account",
    ("login", "api"): "See the figures of the account",
}


@dataclass
class Notes:
    """What became of the steps and metrics of one attempt."""

    failed: list[str] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)
    error: str = ""


@dataclass
class Person:
    """Somebody new."""

    name: str = "Ann Miller"
    email: str = field(default_factory=lambda: f"{uuid.uuid4().hex}@shop.example")
    password: str = "a quiet meadow"


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    yield
    expect.set_options(timeout=PATIENCE_MS)


def watch(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, page: Page, struck: str = ""
) -> Notes:
    """Note what the module's steps come to; wait only shortly in the step that is to be struck."""
    notes = Notes()

    class Watched(pytest_workflow_monitor.step):
        def __enter__(self) -> Self:
            self.began = time.monotonic()
            patience = SHORT_PATIENCE_MS if self.name == struck else PATIENCE_MS
            page.set_default_timeout(patience)
            expect.set_options(timeout=patience)
            super().__enter__()
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> bool:
            swallowed = super().__exit__(kind, error, traceback)
            took = time.monotonic() - self.began
            if error and not swallowed:
                notes.failed.append(self.name)
            elif error or (self.slower_than and took > self.slower_than / HURRY):
                notes.degraded.append(self.name)
            return swallowed

    def metric(name: str, value: float, unit: str = "", *, threshold: float | None = None) -> None:
        if threshold is not None and value > threshold / HURRY:
            notes.degraded.append(name)

    monkeypatch.setattr(module, "step", Watched)
    if hasattr(module, "metric"):
        monkeypatch.setattr(module, "metric", metric)
    return notes


def attempt(
    monkeypatch: pytest.MonkeyPatch, browser: Browser, shop: RunningShop, area: str, struck: str
) -> Notes:
    """Run an area's workflow once, as somebody new with a browser of their own."""
    module = WORKFLOWS[area]
    test: Any = getattr(module, module.__name__.rpartition(".")[2])
    person = Person()
    with browser.new_context(base_url=shop.url) as context:
        page = context.new_page()
        notes = watch(monkeypatch, module, page, struck)
        if area in ("login", "farms", "orders"):
            page.request.post("/api/accounts", data=vars(person))
        if area == "login":
            context.clear_cookies()
        given = {
            "page": page,
            "logged_in_as": lambda _: page,
            "season": "summer",
            "newcomer": person,
            "registered": person,
        }
        try:
            test(**{name: given[name] for name in inspect.signature(test).parameters})
        except (AssertionError, Error) as error:
            notes.error = str(error)
    return notes


def switch_on(shop: RunningShop, area: str, kind: str) -> None:
    shop.shop.faults.switch_on(read_faults(f"{area}={kind}"))


@pytest.mark.parametrize(("area", "kind"), FAILS_AT)
def test_a_fault_fails_the_step_it_strikes(
    monkeypatch: pytest.MonkeyPatch, browser: Browser, shop: RunningShop, area: str, kind: str
) -> None:
    """The workflow fails in the very step, and the error shows what a customer would see."""
    switch_on(shop, area, kind)
    struck = FAILS_AT[area, kind]
    notes = attempt(monkeypatch, browser, shop, area, struck)
    assert notes.failed[:1] == [struck], notes.error
    if kind == "layout":
        assert "intercepts pointer events" in notes.error


@pytest.mark.parametrize(("area", "kind"), DEGRADES_AT)
def test_a_fault_degrades_the_step_it_strikes(
    monkeypatch: pytest.MonkeyPatch, browser: Browser, shop: RunningShop, area: str, kind: str
) -> None:
    """A delay, or a part that customers can do without, degrades the workflow and fails nothing."""
    switch_on(shop, area, kind)
    struck = DEGRADES_AT[area, kind]
    short = "" if kind.startswith("slow") else struck
    notes = attempt(monkeypatch, browser, shop, area, short)
    assert notes.failed == [], notes.error
    assert struck in notes.degraded


@pytest.mark.parametrize("area", MOMENTS)
def test_a_flaky_area_fails_once_and_passes_when_retried(
    monkeypatch: pytest.MonkeyPatch, browser: Browser, shop: RunningShop, area: str
) -> None:
    """The first attempt fails at the moment that matters, and the second one passes."""
    switch_on(shop, area, "flaky")
    first = attempt(monkeypatch, browser, shop, area, MOMENTS[area])
    assert first.failed[:1] == [MOMENTS[area]], first.error
    assert re.search("Service [Uu]navailable", first.error)
    second = attempt(monkeypatch, browser, shop, area, "")
    assert second.failed == [], second.error


def test_a_demonstration_shows_a_failing_and_a_flaky_workflow(tmp_path: Path) -> None:
    """Run as a user does, on two workers with one shop: one fails, one passes on its retry."""
    report = tmp_path / "junit.xml"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "BASE_URL", "MONITORING_"))
    }
    ran = subprocess.run(
        [*COMMAND, "-n", "2", "-rR", f"--junitxml={report}", f"--output={tmp_path / 'output'}"],
        cwd=REPOSITORY,
        env={**environment, "FARMERS_MARKET_FAULTS": demonstration("orders")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert re.search(r"1 failed, 5 passed, 2 rerun", ran.stdout), ran.stdout
    assert re.search(r"^RERUN .*test_user_login", ran.stdout, re.MULTILINE)
    assert "Service unavailable" in report.read_text(encoding="utf-8")
