"""Growers can open a stall with what they grow in this season."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import metric, step

if TYPE_CHECKING:
    from pytest_workflow_monitor.login import LoggedInAs


@pytest.mark.workflow(
    "farm-creation",
    description="A grower opens a stall with seasonal produce, and closes it again.",
    type="browser",
    priority="high",
    cron="0 * * * *",
    owner="growers-team",
    tags=("shop", "growers"),
    retries=1,
    timeout="60s",
    degraded_after="30s",
)
def test_farm_creation(logged_in_as: LoggedInAs, season: str) -> None:
    page = logged_in_as("grower")
    farm = f"Far Field {uuid.uuid4().hex[:8]}"
    heading = page.get_by_role("heading", level=1)

    with step("Open the form for a new stall"):
        page.goto("/farms/new")
        expect(heading).to_have_text("Open a stall")

    with step("Describe the farm"):
        page.get_by_label("Name of the farm").fill(farm)
        page.get_by_label("Where it is").fill("Beyond the river")
        page.get_by_label("About the farm").fill("Two fields, one tractor and a patient donkey.")

    with step("Take the suggestions for the season"):
        page.get_by_role("button", name=f"Suggest what grows in {season}").click()
        expect(page.get_by_role("status")).to_contain_text(f"at their best in {season}")
        chosen = page.get_by_role("checkbox", checked=True)
        expect(chosen).not_to_have_count(0)

    with step("Add honey"):
        page.get_by_role("checkbox", name="Honey").check()
        produce = chosen.count()
        metric("produce_chosen", produce)

    with step("Open the stall", slower_than=2.0):
        page.get_by_role("button", name="Open the stall").click()
        expect(heading).to_have_text(farm)
        expect(page.get_by_role("article")).to_have_count(produce)

    with step("Find it among the farms"):
        page.get_by_role("link", name="Farms", exact=True).click()
        page.get_by_role("link", name=farm).click()
        expect(heading).to_have_text(farm)

    with step("Close the stall"):
        page.get_by_role("button", name="Close this stall").click()
        expect(page.get_by_role("status").first).to_contain_text("The stall is closed")
        expect(page).to_have_url(re.compile(r"/dashboard$"))
