"""What other pytest plugins and a project's ``conftest.py`` may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt


@pytest.hookspec()
def pytest_workflow_attempt(config: pytest.Config, attempt: Attempt) -> None:
    """Called on the controller after an attempt has been written to the journal."""


@pytest.hookspec()
def pytest_workflow_channels(config: pytest.Config) -> list[str]:  # type: ignore[empty-body]
    """Name classes of channels, as ``package.module:Class``, whose types the settings may use.

    The process beside the session imports them, and every other that delivers its messages does
    not know of them: an entry point, or the setting ``channel_classes``, is known everywhere.
    """
