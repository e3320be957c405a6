"""People who are new can create an account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor import step

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from workflows.conftest import Person


@pytest.mark.workflow(
    "user-registration",
    description="The sign-up form helps with mistakes, and ends in an account that works.",
    type="browser",
    priority="critical",
    cron="*/30 * * * *",
    owner="accounts-team",
    tags=("shop", "accounts"),
    retries=1,
    timeout="60s",
    degraded_after="30s",
)
def test_user_registration(page: Page, newcomer: Person) -> None:
    heading = page.get_by_role("heading", level=1)
    email = page.get_by_label("E-mail address")
    password = page.get_by_label("Password")
    submit = page.get_by_role("button", name="Create account")

    with step("Open the sign-up page"):
        page.goto("/register")
        expect(heading).to_have_text("Sign up")

    with step("Send a form with mistakes"):
        password.fill("short")
        submit.click()
        expect(page.get_by_role("alert")).to_contain_text("3 things need correcting")
        expect(password).to_have_accessible_description(re.compile("write at least 10"))
        expect(page.get_by_text("Please tell us your name.")).to_be_visible()

    with step("Check that the e-mail address is free"):
        email.fill(newcomer.email)
        expect(page.get_by_role("status")).to_have_text("This address can be used.")

    with step("Create the account", slower_than=2.0):
        page.get_by_label("Your name").fill(newcomer.name)
        password.fill(newcomer.password)
        submit.click()
        expect(heading).to_have_text(f"Welcome, {newcomer.name}")

    with step("Ask whether the address is free now"):
        question = "/api/email-address?" + urlencode({"address": newcomer.email})
        answer = page.request.get(question).json()
        assert answer["taken"] is True
