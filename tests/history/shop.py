"""The workflows of the shop: their markers, their steps with what those usually take, metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pytest_workflow_monitor.model import Priority, Workflow

PRODUCTION = "production"
STAGING = "staging"
EU, US = "eu-west", "us-east"
STAGING_CRON = "10 */2 * * *"
US_CRON = "7 * * * *"


@dataclass(frozen=True, kw_only=True)
class StepHabit:
    """A step and the median of its duration; one with ``parts`` takes as long as they do."""

    name: str
    median_ms: float = 0.0
    parts: tuple[StepHabit, ...] = ()
    slower_than_seconds: float | None = None
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class MetricHabit:
    """A metric, its usual value, and how much it varies (as a share); 0 for a constant one."""

    name: str
    median: float
    unit: str = ""
    spread: float = 0.06
    threshold: float | None = None
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Habit:
    """A workflow and how it usually goes.

    ``runs_in`` are pairs of an environment and a location with the cron expression of the runs
    there.
    """

    workflow: Workflow
    steps: tuple[StepHabit, ...]
    metrics: tuple[MetricHabit, ...] = ()
    setup_ms: float = 240.0
    runs_in: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def workflow_id(self) -> str:
        """Its id."""
        return self.workflow.workflow_id

    @cached_property
    def parent_of(self) -> dict[str, str]:
        """For each step, the outermost step that holds it: itself, if that is none other."""
        found = {}
        for outer in self.steps:
            found[outer.name] = outer.name
            found |= {part.name: outer.name for part in outer.parts}
        return found


def _workflow(
    workflow_id: str, priority: Priority, cron: str, owner: str, *tags: str, **fields: object
) -> Workflow:
    name = workflow_id.replace("-", "_")
    defaults: dict[str, object] = {
        "name": workflow_id.replace("-", " ").capitalize(),
        "type": "browser",
        "retries": 1,
        "timeout_seconds": 60.0,
        "degraded_after_seconds": 30.0,
        "line": 20,
    }
    return Workflow(
        workflow_id=workflow_id,
        nodeid=f"workflows/test_{name}.py::test_{name}",
        file=f"workflows/test_{name}.py",
        priority=priority,
        cron=cron,
        owner=owner,
        tags=("shop", *tags),
        **(defaults | fields),  # type: ignore[arg-type]
    )


def _habit(
    workflow: Workflow, *steps: StepHabit, metrics: tuple[MetricHabit, ...] = (), **also: str
) -> Habit:
    runs = {(PRODUCTION, EU): workflow.cron or ""}
    if "staging" in also:
        runs[STAGING, EU] = also["staging"]
    if "us" in also:
        runs[PRODUCTION, US] = also["us"]
    setup = 20.0 if workflow.type == "api" else 240.0
    return Habit(workflow=workflow, steps=steps, metrics=metrics, setup_ms=setup, runs_in=runs)


def _step(name: str, median_ms: float, slower_than: float | None = None) -> StepHabit:
    return StepHabit(name=name, median_ms=median_ms, slower_than_seconds=slower_than)


HEALTH_CHECK = _habit(
    _workflow(
        "health-check",
        Priority.CRITICAL,
        "*/5 * * * *",
        "platform-team",
        "smoke",
        type="api",
        timeout_seconds=30.0,
        degraded_after_seconds=20.0,
        description="The shop answers, its database works, and the home page shows the season.",
    ),
    _step("Ask the shop for its health", 85),
    _step("Look at the single checks", 1.2),
    _step("Open the home page", 310),
    _step("Wait for the season", 140),
    _step("Follow a link", 190),
    metrics=(
        MetricHabit(name="health_response", median=82, unit="ms", spread=0.18, threshold=1000),
        MetricHabit(
            name="database_response", median=120, unit="ms", spread=0.02, threshold=250, step=1
        ),
    ),
    us=US_CRON,
)
ORDER_PLACEMENT = _habit(
    _workflow(
        "order-placement",
        Priority.CRITICAL,
        "*/20 * * * *",
        "shop-team",
        "revenue",
        timeout_seconds=90.0,
        degraded_after_seconds=45.0,
        description="A customer buys apples and pears, pays, and cancels the order again.",
    ),
    StepHabit(
        name="Fill the cart",
        parts=(_step("Put apples in the cart", 205), _step("Put pears in the cart", 165)),
    ),
    _step("Take two more kilos of apples", 120),
    _step("Go to checkout", 130),
    _step("Enter the address", 150),
    StepHabit(
        name="Pay",
        parts=(_step("Enter the card", 95), _step("Submit the card", 335, slower_than=2.0)),
    ),
    _step("Check the order", 130),
    _step("Cancel the order, so that the stock is as before", 240),
    metrics=(
        MetricHabit(name="cart_total", median=14.2, unit="EUR", spread=0.0, threshold=500, step=3),
    ),
    staging=STAGING_CRON,
)
USER_LOGIN = _habit(
    _workflow(
        "user-login",
        Priority.CRITICAL,
        "*/15 * * * *",
        "accounts-team",
        "accounts",
        description="A wrong password is refused, the right one opens the dashboard.",
    ),
    _step("Open the login page", 260),
    _step("Try a wrong password", 340),
    _step("Sign in", 420, slower_than=2.0),
    StepHabit(name="See the figures of the account", median_ms=60, optional=True),
    _step("Sign out", 170),
    staging=STAGING_CRON,
)
USER_REGISTRATION = _habit(
    _workflow(
        "user-registration",
        Priority.CRITICAL,
        "*/30 * * * *",
        "accounts-team",
        "accounts",
        description="The sign-up form helps with mistakes, and ends in an account that works.",
    ),
    _step("Open the sign-up page", 240),
    _step("Send a form with mistakes", 290),
    _step("Check that the e-mail address is free", 180),
    _step("Create the account", 460, slower_than=2.0),
    _step("Ask whether the address is free now", 45),
)
PRODUCT_LISTING = _habit(
    _workflow(
        "product-listing",
        Priority.HIGH,
        "*/30 * * * *",
        "catalogue-team",
        "catalogue",
        description="Search as you type, categories and the season's filter show the right "
        "produce.",
    ),
    _step("Open the list of produce", 330, slower_than=2.0),
    _step("Search while typing", 900),
    _step("Look for fruit that is in season", 240),
    _step("Look at a product", 280),
    metrics=(
        MetricHabit(name="products_listed", median=24, spread=0.0),
        MetricHabit(name="search", median=880, unit="ms", spread=0.1, threshold=2000, step=1),
    ),
    staging=STAGING_CRON,
)
FARM_CREATION = _habit(
    _workflow(
        "farm-creation",
        Priority.HIGH,
        "0 * * * *",
        "growers-team",
        "growers",
        description="A grower opens a stall with seasonal produce, and closes it again.",
    ),
    _step("Open the form for a new stall", 220),
    _step("Describe the farm", 130),
    _step("Take the suggestions for the season", 260),
    _step("Add honey", 40),
    _step("Open the stall", 480, slower_than=2.0),
    _step("Find it among the farms", 310),
    _step("Close the stall", 200),
    metrics=(MetricHabit(name="produce_chosen", median=7, spread=0.0, step=3),),
)
NEWSLETTER_SIGNUP = _habit(
    _workflow(
        "newsletter-signup",
        Priority.MEDIUM,
        "20 * * * *",
        "marketing-team",
        "marketing",
        retries=0,
        description="A visitor subscribes to the newsletter and confirms the address.",
    ),
    _step("Open the footer's form", 210),
    _step("Subscribe", 350),
    _step("Confirm by the link in the mail", 700),
)
STOCK_SYNC = _habit(
    _workflow(
        "stock-sync",
        Priority.HIGH,
        "5,35 * * * *",
        "platform-team",
        "stock",
        type="api",
        retries=2,
        description="What growers enter arrives in the catalogue.",
    ),
    _step("Enter a harvest", 150),
    _step("Wait for the catalogue", 820),
    _step("Take the harvest back", 110),
    metrics=(MetricHabit(name="sync_lag", median=800, unit="ms", spread=0.15, step=1),),
)
INVOICE_EXPORT = _habit(
    _workflow(
        "invoice-export",
        Priority.LOW,
        "40 3 * * *",
        "finance-team",
        "finance",
        type="api",
        description="Last month's invoices can be downloaded.",
    ),
    _step("Ask for the export", 190),
    _step("Download it", 640),
    staging=STAGING_CRON,
)

SHOP = (
    HEALTH_CHECK,
    ORDER_PLACEMENT,
    USER_LOGIN,
    USER_REGISTRATION,
    PRODUCT_LISTING,
    FARM_CREATION,
    NEWSLETTER_SIGNUP,
    STOCK_SYNC,
    INVOICE_EXPORT,
)
"""All workflows of the history."""
