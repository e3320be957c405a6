"""How long a session report of 10,000 executions takes to render and to be painted.

Run it as ``python -m tests.benchmarks.bench_report``; it prints medians of several rounds. Each
execution has three steps, 2 % have failed; once without and once with 20 earlier runs each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from pytest_workflow_monitor.browser import browser_launch_options
from pytest_workflow_monitor.report import render_json, render_markdown, write_html
from tests.report import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from pytest_workflow_monitor.model import SessionDocument

PAINT = """() => ({
  painted: performance.getEntriesByName("first-contentful-paint")[0].startTime,
  ready: performance.getEntriesByName("ready")[0].startTime,
  elements: document.querySelectorAll("*").length,
})"""


def median_seconds(act: Callable[[], object], rounds: int) -> float:
    """Time a function several times."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def painted(browser: Browser, path: Path, rounds: int) -> dict[str, float]:
    """Open a file several times in fresh contexts: milliseconds to paint and to be complete."""
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]")
        page.wait_for_function(
            "() => performance.getEntriesByName('first-contentful-paint').length"
        )
        found.append(page.evaluate(PAINT))
        context.close()
    return {name: statistics.median(item[name] for item in found) for name in found[0]}


def measure(browser: Browser, title: str, document: SessionDocument, rounds: int) -> None:
    """Print the figures of one document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        rendered = median_seconds(lambda: write_html(document, path, state_path=path), rounds)
        opened = painted(browser, path, rounds)
        size = path.stat().st_size
    as_json = median_seconds(lambda: render_json(document), rounds)
    as_markdown = median_seconds(lambda: render_markdown(document), rounds)
    print(f"{title}")
    print(
        f"  html rendered {rendered:.2f} s, {size / 1e6:.2f} MB, painted {opened['painted']:.0f}"
        f" ms, table complete {opened['ready']:.0f} ms, {opened['elements']:.0f} elements;"
        f" json {as_json:.2f} s; markdown {as_markdown:.2f} s"
    )


def main() -> None:
    """Measure both documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--executions", type=int, default=10_000)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        browser = chromium.launch(**browser_launch_options(chromium.executable_path))
        for has_history in (False, True):
            document = sample.many(options.executions, with_history=has_history)
            title = f"{options.executions:,} executions{', with history' * has_history}"
            measure(browser, title, document, options.rounds)
        browser.close()


if __name__ == "__main__":
    main()
