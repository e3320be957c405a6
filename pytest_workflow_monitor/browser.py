"""Which browser Playwright starts: its own where it could be downloaded, else the system's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from pytest_workflow_monitor.errors import WorkflowMonitorError

CHOSEN_BY = "WORKFLOW_MONITOR_BROWSER"
ON_PATH = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser")
ON_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# A browser that is installed for people looks for updates, lists and synchronisation servers.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class BrowserNotFoundError(WorkflowMonitorError):
    """There is no browser to run workflows in."""


def browser_launch_options(playwright_executable: str | Path | None) -> dict[str, Any]:
    """Return what `browser_type.launch` of Playwright's Chromium needs on this machine.

    Nothing when Playwright's own browser was downloaded; else the path and arguments of Google
    Chrome or Chromium as the system has it. The environment variable WORKFLOW_MONITOR_BROWSER,
    a path or a command, is stronger than both.

    Args:
        playwright_executable: Where Playwright's own browser would be
            (`playwright.chromium.executable_path`).

    Raises:
        BrowserNotFoundError: There is no browser, or not the one that was chosen.
    """
    chosen = os.environ.get(CHOSEN_BY)
    if not chosen and playwright_executable and Path(playwright_executable).exists():
        return {}
    return {"executable_path": _chosen(chosen) if chosen else _installed(), "args": _arguments()}


def _chosen(browser: str) -> str:
    found = shutil.which(browser)
    if found is None:
        raise BrowserNotFoundError(f"{CHOSEN_BY}={browser}: there is no such program.")
    return found


def _installed() -> str:
    for name in (*ON_PATH, *ON_MACOS):
        found = shutil.which(name)
        if found is not None:
            return found
    raise BrowserNotFoundError(
        "There is no browser: run `playwright install chromium`, or install Google Chrome or "
        f"Chromium, or set {CHOSEN_BY} to the path of one."
    )


def _arguments() -> list[str]:
    """Chromium refuses to start its sandbox for root, so there it goes without."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, "--no-sandbox"] if is_root else [*QUIET]
