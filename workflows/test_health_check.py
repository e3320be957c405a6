"""The shop is up: its health endpoint says so, and its home page works."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import degrade, metric, step

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.workflow(
    "health-check",
    description="The shop answers, its database works, and the home page shows the season.",
    type="api",
    priority="critical",
    cron="*/5 * * * *",
    owner="platform-team",
    tags=("shop", "smoke"),
    retries=1,
    timeout="30s",
    degraded_after="20s",
)
def test_health_check(page: Page) -> None:
    with step("Ask the shop for its health"):
        started = time.perf_counter()
        answer = page.request.get("/api/health")
        metric("health_response", (time.perf_counter() - started) * 1000, "ms", threshold=1000)
        expect(answer).to_be_ok()

    with step("Look at the single checks"):
        health = answer.json()
        assert health["checks"]["database"]["status"] == "ok"
        metric("database_response", health["checks"]["database"]["ms"], "ms", threshold=250)
        if health["status"] != "ok":
            degrade(f"the shop calls itself {health['status']}")

    with step("Open the home page"):
        page.goto("/")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Grown nearby, picked this week")
        expect(page.get_by_role("article")).not_to_have_count(0)

    with step("Wait for the season"):
        in_season = re.compile(r"It is \w+, and \d+ kinds of produce are in season")
        expect(page.get_by_role("status")).to_have_text(in_season)

    with step("Follow a link"):
        page.get_by_role("link", name="Meet the farms").click()
        expect(heading).to_have_text("Farms")
