"""Pages whose numbers are forced, visited with real Chromium over loopback."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.words.metric_names import ATTEMPT_UNITS, PAGE_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_workflow_monitor.model import Attempt
    from tests.plugin.conftest import Run, Suite

SLOW_SECONDS = 0.4

FROZEN_MS = 2000
"""Longer than a busy machine lets a click wait that does next to nothing."""


def busy(milliseconds: int) -> str:
    return f"const end = performance.now() + {milliseconds}; while (performance.now() < end);"


AFTER_PAINT = """
    const later = (act) => new PerformanceObserver(() => act()).observe(
        {{ type: "paint", buffered: true }});
    {script}
"""

PAINTED = "later(() => { document.title = 'done' })"
SCRIPTS = {
    "/late": """later(() => setTimeout(() => {
        const large = "<h1 style='font-size: 90px'>" + "Large ".repeat(20);
        new PerformanceObserver(() => { document.title = "done" }).observe(
            { type: "largest-contentful-paint" });
        document.body.insertAdjacentHTML("beforeend", large);
    }, 300))""",
    "/shift": """later(() => setTimeout(() => {
        document.body.insertAdjacentHTML("afterbegin", "<div style='height: 300px'></div>");
        requestAnimationFrame(() => setTimeout(() => { document.title = "done" }));
    }, 50))""",
    "/busy": f"later(() => setTimeout(() => {{ {busy(300)} document.title = 'done' }}, 50))",
    "/click": f"{PAINTED}; onclick = () => {{ {busy(200)} }}",
    "/soft": f"""{PAINTED}; onclick = () => {{
        history.pushState({{}}, "", "/soft/second?secret=1");
        onclick = () => {{ {busy(FROZEN_MS)} }};
    }}""",
}


class Site(BaseHTTPRequestHandler):
    """Serves a page for every path, its script under ``/script`` as a strict policy asks for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer; of a page the path alone counts."""
        path = self.path.partition("?")[0]
        if path == "/slow":
            time.sleep(SLOW_SECONDS)
        if path.startswith("/script"):
            script = SCRIPTS.get(path.removeprefix("/script"), PAINTED)
            self._answer("text/javascript", AFTER_PAINT.format(script=script))
        elif path == "/blank":
            self._answer("text/html", "<title>done</title>")
        else:
            paragraph = "<p style='font-size: 30px'>" + "word " * 100
            self._answer(
                "text/html",
                f"<!doctype html><script src='/script{path}' defer></script>"
                f"<a href='/plain'>Next</a><button>Press</button>{paragraph}",
            )

    def _answer(self, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'",
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Serve the pages and return their address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


CONFTEST = """
    import os
    import pytest
    from playwright.sync_api import expect
    from pytest_workflow_monitor.browser import browser_launch_options

    expect.set_options(timeout=30_000)

    @pytest.fixture(scope="session")
    def browser_type_launch_args(browser_type_launch_args, playwright):
        return {**browser_launch_options(playwright.chromium.executable_path),
                **browser_type_launch_args}

    @pytest.fixture(scope="session")
    def base_url():
        return os.environ["SITE"]
"""

VISITS = """
    import pytest
    from playwright.sync_api import expect
    from pytest_workflow_monitor import step

    ENTRIES = '''() => new Promise((done) => new PerformanceObserver(done)
        .observe({ type: "event", buffered: true, durationThreshold: 16 }))'''

    def visit(page, path):
        with step(path):
            page.goto(path + "?session=secret")
            expect(page).to_have_title("done")

    @pytest.mark.workflow
    def test_shop(page):
        page.goto("/slow")
        expect(page).to_have_title("done")
        for path in "/late", "/shift", "/busy", "/blank":
            visit(page, path)
        with step("Press"):
            page.goto("/click")
            expect(page).to_have_title("done")
            page.get_by_role("button").click()
            page.evaluate(ENTRIES)
        with step("Follow"):
            page.get_by_role("link").click()
            expect(page).to_have_title("done")
        page.goto("about:blank")
        page.goto("/late")
        expect(page).to_have_title("done")
"""


def run(suite: Suite, site: str, code: str, *arguments: str) -> Run:
    """Run a test file with a browser against the site."""
    suite.write("conftest.py", CONFTEST)
    suite.write("test_it.py", code)
    return suite.run(*arguments, warnings=True, env={"SITE": site})


def by_page(attempt: Attempt) -> list[tuple[str, dict[str, float]]]:
    """The numbers of each visit, in order; every visit with a load begins with its TTFB."""
    visits: list[tuple[str, dict[str, float]]] = []
    for metric in attempt.metrics:
        if not metric.page:
            continue
        assert metric.unit == PAGE_UNITS[metric.name]
        if not visits or visits[-1][0] != metric.page or metric.name in visits[-1][1]:
            visits.append((metric.page, {}))
        visits[-1][1][metric.name] = metric.value
    return visits


def of_attempt(attempt: Attempt) -> dict[str, float]:
    """The numbers of the attempt as a whole."""
    found = {metric.name: metric.value for metric in attempt.metrics if not metric.page}
    assert all(m.unit == ATTEMPT_UNITS[m.name] for m in attempt.metrics if not m.page)
    return found


LOADED = {"ttfb_ms", "fcp_ms", "lcp_ms", "cls", "tbt_ms", "dom_content_loaded_ms", "load_ms"}
LOADED |= {"transfer_bytes", "requests", "performance_score"}


def test_every_visit_is_measured(suite: Suite, site: str) -> None:
    """What a page makes people wait for shows in its own number, also under a strict policy.

    Visits that end by a navigation are measured as the last one is; about:blank and a page that
    painted nothing are left out, and of addresses only the path is kept.
    """
    attempt = run(suite, site, VISITS).attempt()
    assert attempt.status is Status.PASSED, attempt.errors
    visits = by_page(attempt)
    assert [page for page, _ in visits] == [
        "/slow",
        "/late",
        "/shift",
        "/busy",
        "/click",
        "/plain",
        "/late",
    ]
    slow, late, shift, busy, click, plain, again = (numbers for _, numbers in visits)
    for numbers in slow, late, shift, busy, plain, again:
        assert numbers.keys() == LOADED
    assert click.keys() == {*LOADED, "inp_ms"}
    assert slow["ttfb_ms"] >= SLOW_SECONDS * 1000
    assert plain["ttfb_ms"] < slow["ttfb_ms"] <= slow["fcp_ms"]
    for numbers in late, again:
        assert numbers["lcp_ms"] >= numbers["fcp_ms"] + 300
    assert shift["cls"] > 0.05
    assert late["cls"] == plain["cls"] == 0
    assert busy["tbt_ms"] >= 250
    assert click["inp_ms"] >= 200
    assert all(numbers["requests"] == 2 for _, numbers in visits)
    assert all(numbers["transfer_bytes"] > 400 for _, numbers in visits)
    assert shift["performance_score"] < plain["performance_score"] <= 100


def test_a_visit_knows_the_step_in_which_it_began(suite: Suite, site: str) -> None:
    """A visit outlives the step that began it, and still belongs there."""
    attempt = run(suite, site, VISITS).attempt()
    names = {step.index: step.name for step in attempt.steps}
    places = [
        (metric.page, names.get(metric.step) if metric.step is not None else None)
        for metric in attempt.metrics
        if metric.name == "ttfb_ms"
    ]
    assert places == [
        ("/slow", None),
        ("/late", "/late"),
        ("/shift", "/shift"),
        ("/busy", "/busy"),
        ("/click", "Press"),
        ("/plain", "Follow"),
        ("/late", None),
    ]


SOFT = """
    import pytest
    from playwright.sync_api import expect
    ENTRIES = '''() => new Promise((done) => new PerformanceObserver(done)
        .observe({ type: "event", buffered: true, durationThreshold: 16 }))'''

    @pytest.mark.workflow
    def test_soft(page):
        page.goto("/soft")
        expect(page).to_have_title("done")
        page.get_by_role("button").click()
        page.wait_for_url("**/second?secret=1")
        page.get_by_role("button").click()
        page.evaluate(ENTRIES)
"""


def test_a_soft_navigation_keeps_only_the_interactions(suite: Suite, site: str) -> None:
    """A path shown without loading has only the INP of what was done there."""
    attempt = run(suite, site, SOFT).attempt()
    first, second = by_page(attempt)
    assert first[0] == "/soft"
    assert first[1].get("inp_ms", 0) < FROZEN_MS
    assert second[0] == "/soft/second"
    assert second[1].keys() == {"inp_ms"}
    assert second[1]["inp_ms"] >= FROZEN_MS


ASYNC = """
    import os
    import pytest
    import pytest_asyncio
    from playwright.async_api import async_playwright, expect
    from pytest_workflow_monitor.browser import browser_launch_options

    @pytest_asyncio.fixture
    async def browser():
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                **browser_launch_options(playwright.chromium.executable_path))
            yield browser
            await browser.close()

    @pytest.mark.workflow
    @pytest.mark.asyncio
    async def test_visits(browser):
        context = await browser.new_context(base_url=os.environ["SITE"])
        page = await context.new_page()
        await page.goto("/slow")
        await expect(page).to_have_title("done")
        await page.goto("/late")
        await expect(page).to_have_title("done")
        await page.goto("/blank")
        await context.close()
"""


def test_the_asynchronous_api_is_measured_too(suite: Suite, site: str) -> None:
    """Nobody can be asked at the end of such a test: pages tell by themselves."""
    attempt = run(suite, site, ASYNC).attempt()
    (slow, late) = by_page(attempt)
    assert slow[0] == "/slow"
    assert slow[1]["ttfb_ms"] >= SLOW_SECONDS * 1000
    assert late[0] == "/late"
    assert late[1]["lcp_ms"] >= late[1]["fcp_ms"] + 300


MIXED = """
    import pytest
    from playwright.sync_api import expect

    @pytest.mark.workflow(retries=1)
    def test_again(page, request):
        page.goto("/slow")
        expect(page).to_have_title("done")
        assert getattr(request.node, "execution_count", 1) == 2

    @pytest.mark.workflow
    def test_other(page):
        page.goto("/plain")
        expect(page).to_have_title("done")

    def test_trivial():
        pass
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["serial", "-n 2"])
def test_each_attempt_has_its_own(suite: Suite, site: str, options: tuple[str, ...]) -> None:
    """Retries and workers do not mix; a test without browser and requests has no metrics."""
    done = run(suite, site, MIXED, "--workflow-all", *options)
    attempts = {(a.workflow.workflow_id, a.number): a for a in done.attempts}
    pages = {key: [page for page, _ in by_page(attempt)] for key, attempt in attempts.items()}
    assert pages == {
        ("again", 1): ["/slow"],
        ("again", 2): ["/slow"],
        ("other", 1): ["/plain"],
        ("test_it.test_trivial", 1): [],
    }
    assert attempts["test_it.test_trivial", 1].metrics == ()
    for key in ("again", 1), ("again", 2), ("other", 1):
        numbers = of_attempt(attempts[key])
        assert numbers["browser_peak_memory_mb"] > 20
        assert numbers["browser_cpu_seconds"] >= 0
        assert numbers["process_peak_memory_mb"] > 20
        assert 0 < numbers["process_cpu_seconds"] < 30
        assert numbers["network_bytes"] > 400


BUDGETS = """
    import pytest
    from playwright.sync_api import expect
    from pytest_workflow_monitor import metric

    @pytest.mark.workflow(budgets={"ttfb_ms": 100, "cls": 0.1, "search_ms": 50, "cart_ms": 5000})
    def test_slow(page):
        page.goto("/slow")
        expect(page).to_have_title("done")
        with metric.timer("cart_ms"):
            pass

    @pytest.mark.workflow(budgets={"ttfb_ms": 60_000})
    def test_within(page):
        page.goto("/slow")
        expect(page).to_have_title("done")
"""


def test_beyond_a_budget_is_degraded(suite: Suite, site: str) -> None:
    """The marker's budgets win over the settings', name by name; the rest of both holds."""
    suite.write("workflow-monitor.toml", "[budgets]\nttfb_ms = 1\nconsole_errors = 0\nlcp_ms = 1")
    done = run(suite, site, BUDGETS)
    slow, within = done.attempt("slow"), done.attempt("within")
    assert slow.status is within.status is Status.DEGRADED
    first, second, third = slow.degraded
    assert first.startswith("ttfb_ms is ")
    assert first.endswith(" ms on /slow, beyond its budget of 100 ms")
    assert second.startswith("lcp_ms is ")
    assert third == "search_ms was not measured, so that its budget of 50 could not be checked"
    assert [reason.partition(" ")[0] for reason in within.degraded] == ["lcp_ms"]
    limits = {m.name: (m.threshold_value, m.is_within_threshold) for m in slow.metrics}
    wanted: dict[str, tuple[float | None, bool | None]] = {
        "ttfb_ms": (100, False),
        "cls": (0.1, True),
        "console_errors": (0, True),
        "cart_ms": (5_000, True),
        "load_ms": (None, None),
    }
    assert {name: limits[name] for name in wanted} == wanted


def test_a_misspelt_budget_stops_the_session(suite: Suite) -> None:
    """The mistake is told before anything runs, with its place and the name that was meant."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.workflow(budgets={"lpc_ms": 1})
        def test_it(): pass
        """,
    )
    done = suite.run()
    assert done.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "unknown metric 'lpc_ms'; did you mean 'lcp_ms'?" in done.output


HANGING = """
    import pytest

    @pytest.mark.workflow
    def test_hangs(page):
        page.goto("/late")
        page.evaluate("() => { setTimeout(() => { for (;;); }, 100) }")
        with pytest.raises(Exception, match="Timeout"):
            page.locator("h9").click(timeout=500)
"""


def test_a_page_that_hangs_does_not_hold_up_the_end(suite: Suite, site: str) -> None:
    """A page that answers no more is given up soon, and fails nothing."""
    attempt = run(suite, site, HANGING).attempt()
    assert attempt.status is Status.PASSED, attempt.errors
    assert attempt.teardown_ms < 20_000
