"""People who have an account can sign in, and out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import step

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from workflows.conftest import Person


@pytest.mark.workflow(
    "user-login",
    description="A wrong password is refused, the right one opens the dashboard.",
    type="browser",
    priority="critical",
    cron="*/15 * * * *",
    owner="accounts-team",
    tags=("shop", "accounts"),
    retries=1,
    timeout="60s",
    degraded_after="30s",
)
def test_user_login(page: Page, registered: Person) -> None:
    heading = page.get_by_role("heading", level=1)
    password = page.get_by_label("Password", exact=True)
    submit = page.get_by_role("button", name="Sign in")

    with step("Open the login page"):
        page.goto("/login")
        expect(heading).to_have_text("Sign in")

    with step("Try a wrong password"):
        page.get_by_label("E-mail address").fill(registered.email)
        password.fill("not-the-password")
        submit.click()
        expect(page.get_by_text("do not belong together")).to_be_visible()

    with step("Sign in", slower_than=2.0):
        password.fill(registered.password)
        submit.click()
        expect(heading).to_have_text(f"Welcome, {registered.name}")

    with step("See the figures of the account", optional=True):
        expect(page.get_by_label("Your figures")).to_contain_text("€0.00")

    with step("Sign out"):
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status").first).to_contain_text("signed out")
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
