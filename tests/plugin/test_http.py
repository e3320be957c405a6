"""The request log of workflows without a browser. Real clients, a site on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.plugin.site import SITE

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Event
    from tests.plugin.conftest import Suite

CLIENTS = """
    import asyncio
    import httpx
    import pytest
    import requests
    from pytest_workflow_monitor import http, step
    from pytest_workflow_monitor.recording.context import process

    pytestmark = pytest.mark.workflow

    def test_httpx(site):
        with httpx.Client(event_hooks=http.event_hooks(), base_url=site, trust_env=False) as client:
            with step("Order"):
                assert client.post("/orders?token=abc").text
            client.get("/404")
        assert [failed for _, failed in process.recorder.details.requests] == [False, True]

    def test_httpx_async(site):
        async def order():
            hooks = http.async_event_hooks()
            async with httpx.AsyncClient(event_hooks=hooks, trust_env=False) as client:
                async with step("Order"):
                    await client.post(site + "/orders")
        asyncio.run(order())

    def test_requests(site):
        with requests.Session() as session:
            session.trust_env = False
            session.hooks["response"].append(http.response_hook)
            with step("Order"):
                session.post(site + "/slow")
            session.get(site + "/500")

    def test_playwright(site, playwright):
        context = playwright.request.new_context(base_url=site)
        api = http.recorded(context)
        with step("Order"):
            assert api.post("/orders").ok
        api.fetch("/404", method="POST")
        with pytest.raises(Exception, match="ECONNREFUSED"):
            api.get("http://127.0.0.1:1/")
        assert api.storage_state() == {"cookies": [], "origins": []}
        api.dispose()
        durations, failed = zip(*process.recorder.details.requests)
        assert failed == (False, True, True)
        assert min(durations) > 0
"""

ASYNC = """
    import pytest
    from playwright.async_api import async_playwright
    from pytest_workflow_monitor import http, step

    @pytest.mark.workflow
    @pytest.mark.asyncio
    async def test_playwright_async(site):
        async with async_playwright() as playwright:
            api = http.recorded(await playwright.request.new_context(base_url=site))
            async with step("Order"):
                assert (await api.post("/orders")).ok
            with pytest.raises(Exception, match="ECONNREFUSED"):
                await api.get("http://127.0.0.1:1/")
            await api.dispose()

"""


def line(event: Event) -> tuple[str, str, str, int | None, int | None]:
    """Return level, method, path, status and step of a request."""
    assert event.kind == "request"
    assert event.duration_ms
    assert event.page is None
    path = event.url.partition("://")[2].partition("/")[2]
    return event.level, event.method, f"/{path}", event.status_code, event.step


def test_each_client_that_asks_is_recorded(suite: Suite) -> None:
    """httpx, requests and Playwright's own, with their steps, levels and times."""
    suite.write("conftest.py", SITE)
    suite.write("test_it.py", CLIENTS)
    env = {"WORKFLOW_MONITOR_SLOW_REQUEST_SECONDS": "1.4"}
    run = suite.run("--tracing", "off", env=env, warnings=True)
    assert run.summary == {"passed": 4}, run.output
    found = {a.workflow.workflow_id: [line(event) for event in a.events] for a in run.attempts}
    assert found == {
        "httpx": [
            ("info", "POST", "/orders?token=***", 200, 0),
            ("warning", "GET", "/404", 404, None),
        ],
        "httpx-async": [("info", "POST", "/orders", 200, 0)],
        "requests": [("warning", "POST", "/slow", 200, 0), ("error", "GET", "/500", 500, None)],
        "playwright": [
            ("info", "POST", "/orders", 200, 0),
            ("warning", "POST", "/404", 404, None),
            ("error", "GET", "/", None, None),
        ],
    }
    assert run.attempt("httpx").events[0].size_bytes == 49
    assert "ECONNREFUSED" in run.attempt("playwright").events[-1].failure


def test_the_asynchronous_client_is_recorded_too(suite: Suite) -> None:
    """Calls are awaited as before."""
    suite.write("conftest.py", SITE)
    suite.write("test_it.py", ASYNC)
    run = suite.run("-k", "playwright", warnings=True)
    assert run.summary == {"passed": 1}, run.output
    assert [line(event) for event in run.attempt().events] == [
        ("info", "POST", "/orders", 200, 0),
        ("error", "GET", "/", None, None),
    ]


def test_hooks_do_nothing_where_nothing_is_recorded(suite: Suite) -> None:
    """A suite can leave its hooks in place."""
    suite.write("conftest.py", SITE)
    code = CLIENTS.replace("pytestmark", "unused")
    suite.write("test_it.py", "\n".join(row for row in code.splitlines() if "recorder" not in row))
    run = suite.run("-k", "httpx or requests", monitored=False, warnings=True)
    assert run.summary == {"passed": 3, "deselected": 1}, run.output
