"""Gives each attempt of a workflow its whole time limit.

pytest-timeout sets its timer once for a test and all its retries: an attempt that ran out of time
would leave those after it without any limit. A workflow's ``timeout`` holds for each attempt.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_workflow_monitor.recording.catalogue import subject_of


class AttemptLimits:
    """Sets pytest-timeout's timer anew, through its own hooks, when a workflow is tried again."""

    def __init__(self) -> None:
        self._item: pytest.Item | None = None
        self._settings: Any = None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, settings: Any) -> None:
        """Remember how the timer was set."""
        self._settings = settings

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin an attempt; from the second on, the timer starts again."""
        if self._item is not item:  # its first attempt, for which the timer is new
            self._item = item
            return
        subject, settings = subject_of(item), self._settings
        if (
            subject is not None
            and settings is not None
            and settings.timeout == subject.workflow.timeout_seconds
            and not settings.func_only
        ):
            hook = item.config.hook
            hook.pytest_timeout_cancel_timer(item=item)
            hook.pytest_timeout_set_timer(item=item, settings=settings)
