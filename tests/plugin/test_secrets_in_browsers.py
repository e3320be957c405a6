"""What is typed into password fields, and what traces hold of it. Real Chromium, no network."""

from __future__ import annotations

import functools
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import playwright as package
import pytest

from pytest_workflow_monitor.browser import browser_launch_options
from tests.masking.leaks import leaks_in_files
from tests.plugin.site import BROWSER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Playwright

    from pytest_workflow_monitor.model import Artifact
    from tests.plugin.conftest import Suite

FILLED = "filled & <in> 1"
TYPED = "typed-letters-2"
LEFT = "left-open-3"
TOKEN = "tok-9fXq77LmZ"
SECRETS = [FILLED, TYPED, LEFT, TOKEN]

LOGIN = """
    import os
    import pytest
    from pytest_workflow_monitor import step

    FORM = '''<form action="/account"><label>User<input></label>
      <label>Password<input type=password id=a></label>
      <label>Again<input type=password id=b></label><button>Log in</button></form>
      <script>
        document.forms[0].addEventListener("submit", () => {
          console.error("no login with " + document.querySelector("#a").value);
          localStorage.password = document.querySelector("#b").value;
        });
      </script>'''

    @pytest.mark.workflow
    def test_login(page):
        page.route("**/*", lambda route: route.fulfill(
            content_type="text/html", body=FORM, headers={"Set-Cookie": "sid=cookie-value-4"}))
        page.set_extra_http_headers({"Authorization": "Bearer header-value-5"})
        with step("Open"):
            page.goto("https://shop.test/login?token=" + os.environ["SHOP_TOKEN"])
        with step("Log in"):
            page.fill("#a", "filled & <in> 1")
            page.locator("#b").press_sequentially("typed-letters-2")
            page.get_by_role("button").click()
            page.wait_for_url("**/account*")
        with step("Look"):
            page.locator("#b").press_sequentially("left-open-3")
            assert page.title() == "Your account", page.content()
"""


@pytest.fixture(scope="module")
def viewer() -> Iterator[str]:
    """Return the address of a folder with Playwright's trace viewer in it."""
    folder = Path(package.__file__).parent / "driver/package/lib/vite/traceViewer"
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves the viewer, and one trace under ``/opened.zip``."""

    trace = b""

    def do_GET(self) -> None:
        """Answer."""
        if self.path.startswith("/opened.zip"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.trace)))
            self.end_headers()
            self.wfile.write(self.trace)
        else:
            super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


def traces(suite: Suite, artifacts: tuple[Artifact, ...]) -> list[Path]:
    """The files of the traces among artifacts."""
    return [suite.state_path / it.path for it in artifacts if it.kind == "trace"]


def test_no_secret_of_a_page_is_left(suite: Suite, viewer: str, playwright: Playwright) -> None:
    """Fields, console, headers, addresses, snapshots: in no file; and the trace opens."""
    suite.write("conftest.py", BROWSER)
    suite.write("test_it.py", LOGIN)
    run = suite.run("--tracing=on", env={"SHOP_TOKEN": TOKEN}, warnings=True)
    assert run.summary == {"failed": 1}, run.output
    attempt = run.attempt()
    (trace,) = traces(suite, attempt.artifacts)
    everywhere = [*SECRETS, "cookie-value-4", "header-value-5"]
    assert leaks_in_files([suite.state_path], everywhere) == {}
    with zipfile.ZipFile(trace) as archive:
        assert archive.testzip() is None
        text = archive.read("trace.trace") + archive.read("trace.network")
    assert text.count(b"[masked]") > 10
    assert any("no login with [masked]" in event.text for event in attempt.events)
    _Quiet.trace = trace.read_bytes()
    actions, snapshot = opened(viewer, playwright)
    assert [it for it in actions if it in {"Open", "Log in", "Look"}] == ["Open", "Log in", "Look"]
    assert any("[masked]" in action for action in actions), actions
    assert "Log in" in snapshot


def opened(viewer: str, playwright: Playwright) -> tuple[list[str], str]:
    """Open the trace in the viewer; return the actions it lists, and what its snapshot shows."""
    options = browser_launch_options(playwright.chromium.executable_path)
    with playwright.chromium.launch(**options) as browser:
        page = browser.new_page()
        page.goto(f"{viewer}/index.html?trace={viewer}/opened.zip")
        page.get_by_text("Look", exact=True).first.wait_for(timeout=60_000)
        for group in ("Open", "Log in", "Look"):
            page.get_by_text(group, exact=True).first.click()
            page.keyboard.press("ArrowRight")
        actions = page.get_by_role("treeitem").all_inner_texts()
        frame = page.frame_locator("iframe.snapshot-visible")
        frame.get_by_role("button").first.wait_for(timeout=60_000)
        snapshot = frame.locator("body").inner_text()
    lines = [line.strip() for action in actions for line in action.splitlines()]
    return [line for line in lines if line], snapshot
