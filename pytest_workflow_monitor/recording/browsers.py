"""Learns of every browser context that a test opens through pytest-playwright."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


class BrowserWatch:
    """Keeps the list of open browser contexts, for the steps' groups in their traces.

    Beside each context stands the thread that opened it.
    """

    def __init__(self) -> None:
        self.contexts: list[tuple[Any, int]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Listen to the browser as soon as its fixture has made it."""
        result = yield
        if fixturedef.argname == "browser" and hasattr(result, "contexts"):
            result.on("context", self._on_context)
        return result

    def _on_context(self, context: Any) -> None:
        self.contexts.append((context, get_ident()))
        context.on("close", self._on_close)

    def _on_close(self, context: Any) -> None:
        self.contexts[:] = [entry for entry in self.contexts if entry[0] is not context]
