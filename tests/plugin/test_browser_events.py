"""What pages report becomes part of the attempt. Real Chromium, a site on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.plugin.site import SITE

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt, Event
    from tests.plugin.conftest import Suite


def told(attempt: Attempt) -> list[tuple[str, str, str, str]]:
    """Return kind, level, step and what happened for each event."""
    names: dict[int | None, str] = {step.index: step.name for step in attempt.steps}
    return [
        (event.kind.value, event.level, names.get(event.step, ""), what(event))
        for event in attempt.events
    ]


def what(event: Event) -> str:
    """Return an event in one line, without the port of the site."""
    if event.kind != "request":
        return event.text
    path = event.url.partition("127.0.0.1:")[2].partition("/")[2]
    return f"{event.method} /{path} {event.status_code or event.failure}"


EVENTS = """
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    def test_console(page, site):
        with step("Open"):
            page.goto(site + "/shop?token=abc&page=2")
        with step("Talk"):
            page.evaluate("console.log('quiet'); console.warn('careful'); console.error('broken')")
            page.evaluate("for (let i = 0; i < 3; i++) console.error('again')")
            page.evaluate("setTimeout(() => { throw new TypeError('no such stall') })")
            page.wait_for_timeout(50)

    def test_requests(page, site):
        page.goto(site)
        with step("Fail"):
            page.evaluate("fetch('/500', {method: 'POST'})")
            page.evaluate("fetch('/404?api_key=1234')")
            page.evaluate("fetch('http://127.0.0.1:1/closed').catch(() => 0)")
        with step("Wait"):
            page.evaluate("fetch('/slow')")
        with step("Give up"):
            page.evaluate("{const c = new AbortController(); fetch('/hang', c).catch(() => 0);"
                          "c.abort()}")
        with step("Hang"):
            page.evaluate("void fetch('/hang')")
            page.wait_for_timeout(1_600)

    def test_dialogs(page, site):
        page.goto(site)
        with step("Nobody handles it"):
            assert page.evaluate("confirm('Sure?')") is False
        page.once("dialog", lambda dialog: dialog.accept("seven"))
        with step("The test does"):
            assert page.evaluate("prompt('How many?')") == "seven"
        page.context.once("dialog", lambda dialog: dialog.accept())
        assert page.evaluate("confirm('On the context?')") is True
        kept = []
        page.once("dialog", lambda dialog: kept.append(dialog))
        page.evaluate("setTimeout(() => { window.answer = confirm('Later?') })")
        page.wait_for_timeout(50)
        kept[0].accept()
        assert page.evaluate("window.answer") is True

    def test_pages(page, context, new_context, site):
        page.goto(site + "/first")
        with context.expect_page() as found:
            page.evaluate("window.open('/second')")
        found.value.wait_for_load_state()
        found.value.evaluate("console.error('second')")
        found.value.close()
        other = new_context().new_page()
        other.goto(site + "/third")
        other.evaluate("console.error('third')")
        page.goto(site + "/last")
"""


def test_events_are_noted_with_their_step(suite: Suite) -> None:
    """Console, errors, failed and slow requests and dialogs, in order, without secrets."""
    suite.write("conftest.py", SITE)
    suite.write("test_it.py", EVENTS)
    run = suite.run(env={"WORKFLOW_MONITOR_SLOW_REQUEST_SECONDS": "1.4"}, warnings=True)
    assert run.summary == {"passed": 4}, run.output

    console = run.attempt("console")
    assert told(console) == [
        ("console", "warning", "Talk", "careful"),
        ("console", "error", "Talk", "broken"),
        ("console", "error", "Talk", "again"),
        ("page_error", "error", "Talk", "TypeError: no such stall"),
    ]
    assert [event.repeated for event in console.events] == [0, 0, 2, 0]
    (page,) = console.pages
    assert page.url.endswith("/shop?token=***&page=2")
    assert page.title == "Shop"

    requests = run.attempt("requests")
    failed = [event for event in told(requests) if event[0] == "request"]
    assert failed == [
        ("request", "error", "Fail", "POST /500 500"),
        ("request", "warning", "Fail", "GET /404?api_key=*** 404"),
        ("request", "error", "Fail", "GET /closed net::ERR_UNSAFE_PORT"),
        ("request", "warning", "Wait", "GET /slow 200"),
        ("request", "warning", "Hang", "GET /hang no answer when the test ended"),
    ]
    slow = requests.events[-2]
    assert slow.duration_ms is not None
    waited = run.steps("requests")["Wait"].duration_ms
    assert waited is not None
    assert 1500 <= slow.duration_ms < waited + 1000
    assert slow.size_bytes == 49
    assert slow.page == 0

    dialogs = run.attempt("dialogs")
    assert told(dialogs) == [
        ("dialog", "info", "Nobody handles it", "confirm: Sure?"),
        ("dialog", "info", "The test does", "prompt: How many?"),
        ("dialog", "info", "", "confirm: On the context?"),
        ("dialog", "info", "", "confirm: Later?"),
    ]

    pages = run.attempt("pages")
    assert [page.url.rpartition("/")[2] for page in pages.pages] == ["last", "second", "third"]
    assert [page.title for page in pages.pages] == ["Shop", "", "Shop"]
    assert [(event.text, event.page) for event in pages.events] == [("second", 1), ("third", 2)]


SHARED = """
    import pytest
    from pytest_workflow_monitor import step
    from pytest_workflow_monitor.recording.context import process

    pytestmark = pytest.mark.workflow

    @pytest.fixture(scope="module")
    def shared(browser, site):
        page = browser.new_page()
        page.goto(site)
        yield page
        page.close()

    def test_first(shared):
        shared.evaluate("console.error('first')")
        shared.evaluate("void fetch('/hang')")
        shared.evaluate("setTimeout(() => console.error('in between'), 30)")

    def test_plain_second(shared, site):
        with step("Go on"):
            shared.evaluate("fetch('/500')")
            shared.evaluate("void fetch('/hang')")
        shared.goto(site + "/elsewhere")
        assert process.recorder.details.requests[0][1]

    def test_third(shared):
        pass
"""


def test_a_page_of_several_tests_gives_each_its_own(suite: Suite) -> None:
    """Also a retry: what began before an attempt is not its; leaving a page is no failure."""
    wait = """
    import time
    @pytest.fixture(autouse=True)
    def pause():
        time.sleep(0.1)  # the page says something meanwhile, and nobody listens
    """
    suite.write("conftest.py", SITE + wait)
    suite.write("test_it.py", SHARED)
    run = suite.run("--tracing", "off", warnings=True)
    assert run.summary == {"passed": 3}, run.output
    texts = {a.workflow.workflow_id: [what(e) for e in a.events] for a in run.attempts}
    assert "first" in texts["first"]
    assert texts["plain-second"][0] == "GET /500 500"
    assert len(texts["plain-second"]) == 2, texts
    assert texts["third"] == []
    assert [page.url.rpartition("/")[2] for page in run.attempt("third").pages] == ["elsewhere"]
