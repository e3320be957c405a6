"""The truth of a history: what happens to the shop, counted back from its end."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1

from pytest_workflow_monitor.model import Status
from tests.history import shop
from tests.history.shop import PRODUCTION, STAGING
from tests.history.truth import (
    Blip,
    Breach,
    Broken,
    Change,
    Deployed,
    Drift,
    Failure,
    Flaky,
    Incident,
    Masked,
    MissedSlots,
    Season,
    Silenced,
    Truth,
)

HOST = "https://shop.example.com"
BLIPS_A_DAY = 0.3
DEPLOYED_AT = ((10, 40), (13, 5), (15, 30), (11, 15))

PAYMENT_DOWN = Failure(
    workflow_id="order-placement",
    step="Pay",
    type="AssertionError",
    message="Locator expected to have text 'Thank you', but the page said: The payment provider "
    "does not answer.",
    takes_ms=8_000,
)
SEARCH_BROKEN = Failure(
    workflow_id="product-listing",
    step="Search while typing",
    type="AssertionError",
    message="Locator expected to have text '… products for honey', but there was none.",
)
LOGIN_BROKEN = Failure(
    workflow_id="user-login",
    step="Sign in",
    type="AssertionError",
    message="Locator expected to have text 'Welcome', but it was 'Something went wrong'.",
)
SIGN_UP_BROKEN = Failure(
    workflow_id="user-registration",
    step="Create the account",
    type="TimeoutError",
    message="Timeout 30000ms exceeded while the account was created.",
    status=Status.TIMED_OUT,
    takes_ms=30_000,
)
NEWSLETTER_FLAKY = Failure(
    workflow_id="newsletter-signup",
    step="Confirm by the link in the mail",
    type="AssertionError",
    message="No mail had come after 5 seconds.",
    takes_ms=5_200,
)
SYNC_MASKED = Failure(
    workflow_id="stock-sync",
    step="Wait for the catalogue",
    type="AssertionError",
    message="The catalogue was not up to date: the cache answered.",
    takes_ms=2_500,
)
EXPORT_BROKEN = Failure(
    workflow_id="invoice-export",
    step="Ask for the export",
    type="HTTPError",
    message="404 Not Found for /api/invoices/export",
    takes_ms=90,
)
STALL_MOVING = Failure(
    workflow_id="farm-creation",
    step="Open the stall",
    type="AssertionError",
    message="The growers' area is being moved and comes back soon.",
    takes_ms=1_200,
)
_FIRST_STEPS = {
    "health-check": "Ask the shop for its health",
    "order-placement": "Fill the cart",
    "user-login": "Open the login page",
    "user-registration": "Open the sign-up page",
    "product-listing": "Open the list of produce",
    "farm-creation": "Open the form for a new stall",
    "newsletter-signup": "Open the footer's form",
    "stock-sync": "Enter a harvest",
}
SHOP_DOWN = tuple(
    Failure(
        workflow_id=workflow_id,
        step=step,
        type="Error",
        message=f"net::ERR_CONNECTION_REFUSED at {HOST}/",
        takes_ms=1_100,
        url=f"{HOST}/",
    )
    for workflow_id, step in _FIRST_STEPS.items()
)
"""The same cause in eight workflows: the host does not answer."""

BLIPS = tuple(
    Failure(
        workflow_id=workflow_id,
        step=step,
        type="Error",
        message="net::ERR_NETWORK_CHANGED while the page was loaded",
        takes_ms=400,
    )
    for workflow_id, step in (
        ("user-login", "Open the login page"),
        ("order-placement", "Go to checkout"),
        ("product-listing", "Look at a product"),
    )
)


@dataclass(frozen=True)
class _Calendar:
    """Moments as days before the last midnight of a history, and a time of the day."""

    end_at: datetime

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        midnight = self.end_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=-days, hours=hour, minutes=minute)

    def span(self, days: int, begin: tuple[int, int], minutes: int) -> dict[str, datetime]:
        start_at = self.at(days, *begin)
        return {"start_at": start_at, "end_at": start_at + timedelta(minutes=minutes)}


def plan_of(*, days: int = 90, seed: int = 7, until: datetime) -> Truth:
    """Plan a history of some days; of what began before it, only what still shows is planned.

    Args:
        days: How long it is.
        seed: Of its chances.
        until: Its end, an aware datetime.
    """
    end_at = until.astimezone(UTC).replace(second=0, microsecond=0)
    start_at = end_at - timedelta(days=days)
    when = _Calendar(end_at)
    forever = {"start_at": start_at, "end_at": end_at}
    truth = Truth(
        seed=seed,
        start_at=start_at,
        end_at=end_at,
        incidents=(
            _incident("Sign-up hangs", when.span(66, (7, 0), 90), SIGN_UP_BROKEN),
            _incident("Login is broken", when.span(38, (18, 20), 170), LOGIN_BROKEN),
            _incident("Payment provider is down", when.span(10, (14, 5), 140), PAYMENT_DOWN),
            _incident("The shop does not answer", when.span(3, (2, 10), 55), *SHOP_DOWN),
            _incident("Search is broken", when.span(1, (9, 25), 95), SEARCH_BROKEN),
        ),
        flaky=(Flaky(environment=PRODUCTION, failure=NEWSLETTER_FLAKY, share=0.15, **forever),),
        masked=(
            Masked(
                environment=PRODUCTION,
                start_at=when.at(4, 6),
                end_at=when.at(2, 18),
                failure=SYNC_MASKED,
            ),
        ),
        broken=(
            Broken(
                environment=STAGING,
                start_at=when.at(12, 9),
                end_at=end_at,
                failure=EXPORT_BROKEN,
            ),
        ),
        silenced=(
            Silenced(
                environment=PRODUCTION,
                **when.span(4, (21, 50), 130),
                failure=STALL_MOVING,
                author="growers-team",
                reason="The growers' area moves to another machine",
            ),
        ),
        missed=(MissedSlots(environment=PRODUCTION, **when.span(2, (4, 2), 70)),),
        breaches=(
            Breach(
                environment=PRODUCTION,
                **when.span(1, (16, 2), 120),
                workflow_id="health-check",
                metric="health_response",
                step="Ask the shop for its health",
                median=1_350.0,
            ),
        ),
        drifts=(
            Drift(
                environment=PRODUCTION,
                start_at=when.at(30, 0),
                end_at=end_at,
                workflow_id="health-check",
                metric="database_response",
                start_value=120.0,
                end_value=230.0,
                limit=250.0,
            ),
        ),
        seasons=(
            Season(environment=PRODUCTION, workflow_id="user-login", daily=0.3),
            Season(environment=PRODUCTION, workflow_id="farm-creation", daily=0.1, weekend=0.7),
        ),
        changes=_changes(when, seed),
        deployments=_deployments(when, seed, days),
    )
    planned = truth.within(start_at, end_at)
    return Truth(**{**vars(planned), "blips": _blips(planned)})


def _incident(name: str, span: dict[str, datetime], *failures: Failure) -> Incident:
    return Incident(environment=PRODUCTION, name=name, failures=failures, **span)


def _changes(when: _Calendar, seed: int) -> tuple[Change, ...]:
    """What two deployments did to the shop."""
    return (
        Change(
            environment=PRODUCTION,
            at=when.at(6, 14, 20),
            workflow_id=shop.ORDER_PLACEMENT.workflow_id,
            step="Pay",
            part="Enter the card",
            factor=12.5,
            before_p95_ms=2_100,
            after_p95_ms=3_400,
            step_change_ms=1_090,
            commit=_commit(seed, 6),
        ),
        Change(
            environment=PRODUCTION,
            at=when.at(5, 11, 30),
            workflow_id=shop.PRODUCT_LISTING.workflow_id,
            step="Search while typing",
            part="Search while typing",
            factor=0.5,
            before_p95_ms=2_320,
            after_p95_ms=1_820,
            step_change_ms=-450,
            commit=_commit(seed, 5),
        ),
    )


def _deployments(when: _Calendar, seed: int, days: int) -> tuple[Deployed, ...]:
    """A version every second day or so, in staging the day before; and those of the changes."""
    changed = {6: (14, 20), 5: (11, 30)}
    found = []
    for day in range(days + 14, 0, -1):
        if day in changed or day % 2 == 0:
            time = changed.get(day, DEPLOYED_AT[day % len(DEPLOYED_AT)])
            name, commit = f"shop 1.{400 - day}", _commit(seed, day)
            for environment, at in (
                (STAGING, when.at(day + 1, 16)),
                (PRODUCTION, when.at(day, *time)),
            ):
                found.append(Deployed(environment=environment, at=at, name=name, commit=commit))
    return tuple(sorted(found, key=lambda it: it.at))


def _commit(seed: int, day: int) -> str:
    return sha1(f"{seed} {day}".encode(), usedforsecurity=False).hexdigest()


def _blips(truth: Truth) -> tuple[Blip, ...]:
    """Runs of workflows that are well otherwise, here and there."""
    chance = random.Random(f"blips {truth.seed}")
    length = truth.end_at - truth.start_at
    found = []
    for _ in range(round(length / timedelta(days=1) * BLIPS_A_DAY)):
        at, failure = truth.start_at + chance.random() * length, chance.choice(BLIPS)
        spans = (*truth.incidents, *truth.missed)
        if not any(it.start_at <= at + timedelta(hours=1) and at < it.end_at for it in spans):
            found.append(Blip(environment=PRODUCTION, at=at, failure=failure))
    return tuple(sorted(found, key=lambda it: it.at))
