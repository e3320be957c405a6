"""Logging in once: what the fixture ``logged_in_as`` works with, and codes of two-factor logins."""

from __future__ import annotations

from pytest_workflow_monitor.login.door import IsLoggedIn, LoggedInAs, LogIn
from pytest_workflow_monitor.login.one_time import totp

__all__ = ["IsLoggedIn", "LogIn", "LoggedInAs", "totp"]
