"""Which browser is started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor import browser
from pytest_workflow_monitor.browser import BrowserNotFoundError, browser_launch_options

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv(browser.CHOSEN_BY, raising=False)
    monkeypatch.setattr(browser, "ON_MACOS", ())
    return folder


def program(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_playwrights_own_browser_needs_nothing(empty_path: Path) -> None:
    """Where Playwright's download exists it is used as it is."""
    program(empty_path, "chromium")
    assert browser_launch_options(program(empty_path, "chrome-headless")) == {}


def test_the_systems_chrome_comes_before_chromium(empty_path: Path) -> None:
    """Without a download the system's browser is found, and kept from calling home."""
    program(empty_path, "chromium")
    chrome = program(empty_path, "google-chrome")
    options = browser_launch_options(empty_path / "missing")
    assert options["executable_path"] == chrome
    assert "--disable-background-networking" in options["args"]


@pytest.mark.parametrize(("user", "sandboxed"), [(0, False), (1000, True)])
def test_only_root_goes_without_a_sandbox(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, sandboxed: bool
) -> None:
    """Chromium does not start its sandbox for root; everybody else keeps it."""
    program(empty_path, "chromium")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--no-sandbox" not in browser_launch_options(None)["args"]) is sandboxed


def test_a_chosen_browser_is_stronger_than_all(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WORKFLOW_MONITOR_BROWSER wins, as a path or as a command."""
    chosen = program(empty_path, "my-browser")
    for value in (chosen, "my-browser"):
        monkeypatch.setenv(browser.CHOSEN_BY, value)
        own = program(empty_path, "chrome-headless")
        assert browser_launch_options(own)["executable_path"] == chosen


def test_a_missing_browser_is_explained(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says how to get a browser, or that the chosen one does not exist."""
    with pytest.raises(BrowserNotFoundError, match="run `playwright install chromium`, or install"):
        browser_launch_options(empty_path / "missing")
    monkeypatch.setenv(browser.CHOSEN_BY, "/no/such/browser")
    with pytest.raises(BrowserNotFoundError, match="/no/such/browser: there is no such program"):
        browser_launch_options(None)
