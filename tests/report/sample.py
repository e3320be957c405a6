"""Realistic documents of sessions, for tests, benchmarks and for looking at the report."""

from __future__ import annotations

import hashlib
import io
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from PIL import Image, ImageDraw

from pytest_workflow_monitor.analysis.outcome import execution_of
from pytest_workflow_monitor.model import (
    Artifact,
    Attempt,
    Error,
    Event,
    EventKind,
    Execution,
    HistoryPoint,
    Metric,
    Output,
    Page,
    Phase,
    Priority,
    SessionDocument,
    SessionEnded,
    SessionStarted,
    Status,
    Step,
    StepNormal,
    Trigger,
    Workflow,
)

if TYPE_CHECKING:
    from pathlib import Path

STARTED_AT = datetime(2025, 11, 12, 14, 20, 5, 123000, tzinfo=UTC)

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> "
    "\"'><svg onload=alert(3)> javascript:alert(4) {{7*7}} {% raw %} <!-- ]]> "
    "\x00\x07\x1b[31mred\x1b[0m \u202eedoc\u202c &lt;b&gt; |`*_[x](javascript:alert(5)) @everyone"
)

TRACEBACK = """\
workflows/test_order_placement.py:48: in test_order_placement
    shop.pay(card)
workflows/pages/shop.py:112: in pay
    assert banner.inner_text() == "Thank you"
E   AssertionError: assert 'Service unavailable' == 'Thank you'
E
E     - Thank you
E     + Service unavailable"""

LETTERS = {
    "p": Status.PASSED,
    "d": Status.DEGRADED,
    "f": Status.FAILED,
    "e": Status.ERROR,
    "t": Status.TIMED_OUT,
    "c": Status.CRASHED,
    "i": Status.INTERRUPTED,
    "s": Status.SKIPPED,
}


def session(**changes: Any) -> SessionStarted:
    """Make a session's start as continuous integration would record it."""
    fields: dict[str, Any] = {
        "session_id": "019a7838-5a83-7000-8000-000000000001",
        "project": "farmers-market",
        "environment": "production",
        "started_at": STARTED_AT,
        "location": "eu-west",
        "trigger": Trigger.CI,
        "host": "runner-7",
        "pid": 4711,
        "rootdir": "/srv/farmers-market",
        "arguments": ("--workflow-monitor", "-n", "2"),
        "git_commit": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
        "git_branch": "main",
        "ci_name": "GitHub Actions",
        "ci_url": "https://github.com/example/farmers-market/actions/runs/1",
        "versions": {"python": "3.12.7", "pytest": "9.0.1", "playwright": "1.56.0"},
    }
    return SessionStarted(**(fields | changes))


def workflow(workflow_id: str, **changes: Any) -> Workflow:
    """Make a workflow whose names follow from its id."""
    function = workflow_id.replace("-", "_")
    fields: dict[str, Any] = {
        "workflow_id": workflow_id,
        "name": workflow_id.replace("-", " ").capitalize(),
        "nodeid": f"workflows/test_{function}.py::test_{function}",
        "file": f"workflows/test_{function}.py",
        "line": 12,
        "owner": "shop-team",
        "tags": ("shop",),
    }
    return Workflow(**(fields | changes))


def steps(*named: tuple[str, float], status: Status = Status.PASSED) -> tuple[Step, ...]:
    """Make steps one after the other; the last has ``status``, the others passed."""
    made: list[Step] = []
    started = 120.0
    for index, (name, duration_ms) in enumerate(named):
        last = index == len(named) - 1
        made.append(
            Step(
                index=index,
                name=name,
                started_ms=started,
                duration_ms=duration_ms,
                status=status if last else Status.PASSED,
            )
        )
        started += duration_ms
    return tuple(made)


def attempt(run_id: str, flow: Workflow, status: Status, **changes: Any) -> Attempt:
    """Make one attempt of a second and a half."""
    fields: dict[str, Any] = {
        "run_id": run_id,
        "number": 1,
        "workflow": flow,
        "status": status,
        "started_at": STARTED_AT + timedelta(seconds=1),
        "duration_ms": 1500.0,
        "setup_ms": 120.0,
        "call_ms": 1340.0,
        "teardown_ms": 40.0,
        "dimensions": {"browser": "chromium"},
    }
    return Attempt(**(fields | changes))


def run_id(number: int) -> str:
    """Make the id of the ``number``-th execution; as random as a real UUIDv7."""
    noise = random.Random(number).getrandbits(48)
    head = f"019a7838-{number & 0xFFFF:04x}-7{noise >> 36:03x}-8{noise >> 24 & 0xFFF:03x}"
    return f"{head}-{noise * 7919 & 0xFFFFFFFFFFFF:012x}"


def history(
    statuses: str, normal_ms: float = 1500.0, *, flaky: tuple[int, ...] = ()
) -> tuple[HistoryPoint, ...]:
    """Make a history from letters: ``p`` passed, ``d`` degraded, ``f`` failed, ``e`` error …."""
    noise = random.Random(statuses)
    return tuple(
        HistoryPoint(
            run_id=run_id(50_000 + index),
            status=LETTERS[letter],
            started_at=STARTED_AT - timedelta(minutes=20 * (len(statuses) - index)),
            duration_ms=None
            if letter in "sci"
            else normal_ms * (noise.uniform(0.85, 1.2) + 1.2 * (letter in "dft")),
            is_flaky=index in flaky,
        )
        for index, letter in enumerate(statuses)
    )


def combined(*attempts: Attempt, past: tuple[HistoryPoint, ...] = ()) -> Execution:
    """Combine attempts into an execution with a history."""
    made = execution_of(session(), attempts, session_is_over=True)
    return msgspec.structs.replace(made, history=past)


def document(*executions: Execution, **changes: Any) -> SessionDocument:
    """Make the document of a session of 108 seconds."""
    fields: dict[str, Any] = {
        "session": session(),
        "ended": SessionEnded(
            ended_at=STARTED_AT + timedelta(seconds=108.4), exit_status=1, tests_collected=6
        ),
        "executions": executions,
        "has_history": any(execution.history for execution in executions),
    }
    return SessionDocument(**(fields | changes))


def order_failing(*, artifacts: tuple[Artifact, ...] = ()) -> Execution:
    """Make the critical workflow that fails twice, in a nested step, with all its evidence."""
    flow = workflow(
        "order-placement",
        name="Order placement",
        priority=Priority.CRITICAL,
        description="A customer orders apples and pays by card.",
        cron="*/20 * * * *",
        timezone="Europe/Berlin",
        retries=1,
        runbook="https://wiki.example.com/runbooks/orders",
        tags=("shop", "checkout"),
    )
    error = Error(
        phase=Phase.CALL,
        type="AssertionError",
        message='expected "Thank you", got "Service unavailable"\nassert '
        "'Service unavailable' == 'Thank you'\n\n  - Thank you\n  + Service unavailable",
        file="workflows/pages/shop.py",
        line=112,
        source_line='    assert banner.inner_text() == "Thank you"',
        traceback=TRACEBACK,
        fingerprint="f3a9c1",
    )
    common: dict[str, Any] = {
        "duration_ms": 9812.3,
        "setup_ms": 430.2,
        "call_ms": 9290.0,
        "teardown_ms": 92.1,
        "errors": (error,),
        "steps": order_steps(error.message),
        "labels": {"season": "winter"},
        "worker": "gw1",
    }
    measured = (
        Metric(
            name="checkout_ms",
            value=6030,
            unit="ms",
            threshold_value=3000,
            is_within_threshold=False,
            step=6,
        ),
        Metric(name="cart_total", value=12.4, unit="EUR"),
        Metric(name="requests", value=41, threshold_value=60, is_within_threshold=True),
    )
    outputs = (
        Output(name="Captured stdout call", text="cart: 3 apples\ntotal: 12.40 EUR\n"),
        Output(
            name="Captured log call",
            text="\n".join(f"INFO shop:client.py:{n} GET /api/cart 200" for n in range(60)),
            dropped_chars=12_345,
        ),
    )
    again = {"started_at": STARTED_AT + timedelta(seconds=13)}
    evidence = {"metrics": measured, "outputs": outputs, "artifacts": artifacts}
    return combined(
        attempt(run_id(1), flow, Status.FAILED, number=1, will_retry=True, **common),
        attempt(run_id(1), flow, Status.FAILED, number=2, **(common | again | evidence)),
        past=history("ppppdpppppppppppppppppppppppff", 4200.0),
    )


def order_steps(message: str) -> tuple[Step, ...]:
    """Make the nested steps of an order that fails while the card is submitted."""
    return (
        Step(index=0, name="Start a browser", phase=Phase.SETUP, started_ms=5, duration_ms=410),
        Step(index=1, name="Open the shop", started_ms=440, duration_ms=612.4),
        Step(
            index=2,
            name="Accept the cookie banner",
            parent=1,
            started_ms=600,
            duration_ms=240,
            status=Status.DEGRADED,
            optional=True,
            error_message="No banner was shown",
        ),
        Step(index=3, name="Put apples in the cart", started_ms=1060, duration_ms=934.7),
        Step(
            index=4,
            name="Pay",
            status=Status.FAILED,
            started_ms=2000,
            duration_ms=7710,
            error_message=message,
        ),
        Step(
            index=5,
            name="Fill in the card",
            parent=4,
            started_ms=2010,
            duration_ms=1650,
            slower_than_seconds=1.0,
            status=Status.DEGRADED,
        ),
        Step(
            index=6,
            name="Submit the card",
            parent=4,
            status=Status.FAILED,
            started_ms=3670,
            duration_ms=6030,
            error_message=message,
        ),
        Step(
            index=7,
            name="Remove the test order",
            phase=Phase.TEARDOWN,
            started_ms=9730,
            duration_ms=65,
        ),
    )


def listing_degraded() -> Execution:
    """Make a workflow that passed but was slow."""
    flow = workflow(
        "product-listing", priority=Priority.HIGH, owner="catalogue-team", tags=("shop", "search")
    )
    spans = steps(("Open the listing", 840), ("Search for pears", 3900), status=Status.DEGRADED)
    return combined(
        attempt(
            run_id(2),
            flow,
            Status.DEGRADED,
            duration_ms=4930.0,
            call_ms=4780.0,
            degraded=("step 'Search for pears' took 3.9 s, slower than 2.0 s",),
            steps=spans,
        ),
        past=history("pppppppppppppppppppp", 1650.0),
    )


def login_flaky() -> Execution:
    """Make a workflow that passed on its second attempt."""
    flow = workflow("user-login", priority=Priority.CRITICAL, owner="identity", tags=("auth",))
    error = Error(
        phase=Phase.CALL,
        type="TimeoutError",
        message="Locator.click: Timeout 30000ms exceeded.",
        file="workflows/test_user_login.py",
        line=20,
        source_line='    page.get_by_role("button", name="Log in").click()',
        traceback="workflows/test_user_login.py:20: in test_user_login\nE   TimeoutError",
    )
    return combined(
        attempt(
            run_id(3),
            flow,
            Status.FAILED,
            will_retry=True,
            errors=(error,),
            steps=steps(("Open the login page", 300), ("Log in", 900), status=Status.FAILED),
        ),
        attempt(
            run_id(3),
            flow,
            Status.PASSED,
            number=2,
            started_at=STARTED_AT + timedelta(seconds=5),
            steps=steps(("Open the login page", 280), ("Log in", 700)),
        ),
        past=history("pppppppppppppppp", 1100.0, flaky=(3, 11)),
    )


def passing(workflow_id: str, number: int, **changes: Any) -> Execution:
    """Make a workflow that passed with two steps and a full history."""
    fields: dict[str, Any] = {"steps": steps(("Open the page", 400), ("Check it", 600))}
    flow = workflow(workflow_id, **changes.pop("flow", {}))
    return combined(
        attempt(run_id(number), flow, Status.PASSED, **fields | changes),
        past=history("p" * 25, 1400.0 + 10 * number),
    )


def six() -> SessionDocument:
    """Make the six workflows of the farmers' market with a failure, a slow one and a flake."""
    return document(
        passing("health-check", 4, flow={"priority": Priority.CRITICAL, "owner": "platform"}),
        login_flaky(),
        passing("user-registration", 5, flow={"priority": Priority.CRITICAL, "owner": "identity"}),
        passing("farm-creation", 6, flow={"priority": Priority.HIGH, "owner": "farms"}),
        listing_degraded(),
        order_failing(),
    )


def page_picture(state: Path, *lines: str, sad: bool = False) -> str:
    """Draw a page of the shop, keep it as an artifact is kept, and return its path."""
    image = Image.new("RGB", (1280, 720), "#fdfcf8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1280, 64), fill="#2f5d3a")
    draw.text((40, 20), "Farmers' market", fill="white", font_size=24)
    for number, line in enumerate(lines):
        colour = "#8c1626" if sad and number == 0 else "#222222"
        draw.text((40, 110 + 48 * number), line, fill=colour, font_size=34 if number == 0 else 22)
    for number in range(4):
        left = 40 + 305 * number
        draw.rounded_rectangle((left, 420, left + 285, 660), 12, fill="#e8efe4")
        draw.ellipse((left + 90, 450, left + 190, 550), fill=("#c0392b", "#e8b84a")[number % 2])
        draw.text((left + 24, 590), f"Apples {number + 1} kg", fill="#222222", font_size=20)
    content = io.BytesIO()
    image.save(content, "PNG")
    path = f"artifacts/{hashlib.sha256(content.getvalue()).hexdigest()}.png"
    (state / "artifacts").mkdir(exist_ok=True)
    (state / path).write_bytes(content.getvalue())
    return path


def screenshot(path: str, step: int | None = None, **changes: Any) -> Artifact:
    """Make the screenshot of a step."""
    fields: dict[str, Any] = {
        "name": "Screenshot",
        "kind": "screenshot",
        "content_type": "image/png",
        "path": path,
        "size_bytes": 61_000,
        "step": step,
    }
    return Artifact(**(fields | changes))


def order_events() -> tuple[Event, ...]:
    """Make what a browser reported while an order failed."""
    shop = "https://market.example"
    return (
        Event(
            kind=EventKind.CONSOLE,
            at_ms=512,
            level="warning",
            text="The cookie banner is deprecated",
            place=f"{shop}/static/market.js:12",
            step=2,
            page=0,
            repeated=2,
        ),
        Event(
            kind=EventKind.REQUEST,
            at_ms=1_240,
            level="warning",
            method="GET",
            url=f"{shop}/api/products?q=apples",
            status_code=200,
            duration_ms=2_310,
            size_bytes=20_480,
            step=3,
            page=0,
        ),
        Event(
            kind=EventKind.REQUEST,
            at_ms=3_702,
            method="POST",
            url=f"{shop}/api/orders",
            status_code=503,
            duration_ms=5_890,
            step=6,
            page=0,
        ),
        Event(
            kind=EventKind.PAGE_ERROR,
            at_ms=9_598,
            text="TypeError: Cannot read properties of undefined (reading 'number')",
            place=f"{shop}/static/checkout.js:18",
            step=6,
            page=0,
        ),
        Event(
            kind=EventKind.REQUEST,
            at_ms=9_610,
            method="GET",
            url="https://payments.example/widget.js",
            failure="net::ERR_CONNECTION_REFUSED",
            duration_ms=4,
            step=6,
            page=0,
        ),
        Event(
            kind=EventKind.DIALOG,
            at_ms=9_640,
            level="info",
            text="alert: Your payment was not accepted.",
            step=6,
            page=0,
        ),
    )


def page_metrics() -> tuple[Metric, ...]:
    """Make the measurements of two pages."""
    made = []
    for page, values in (
        ("/products", (120, 640, 1_450, 0.02, 48, 30, 96, 182_000)),
        ("/checkout", (910, 1_900, 4_320, 0.31, 260, 410, 41, 912_000)),
    ):
        names = (
            ("ttfb_ms", "ms", None),
            ("fcp_ms", "ms", None),
            ("lcp_ms", "ms", 2_500.0),
            ("cls", "", None),
            ("inp_ms", "ms", None),
            ("tbt_ms", "ms", None),
            ("performance_score", "", None),
            ("transfer_bytes", "B", None),
        )
        for (name, unit, budget), value in zip(names, values, strict=True):
            made.append(
                Metric(
                    name=name,
                    value=value,
                    unit=unit,
                    page=page,
                    threshold_value=budget,
                    is_within_threshold=None if budget is None else value <= budget,
                )
            )
    return tuple(made)


def order_with_evidence(state: Path) -> Execution:
    """Make the failing order with pictures below a state directory, events and measurements."""
    failing = order_failing()
    sad = page_picture(state, "Service unavailable", "Please try again later.", sad=True)
    glad = page_picture(state, "Thank you", "Order 4711 is on its way.")
    (state / "artifacts" / "trace.zip").write_bytes(b"PK" + bytes(4_000))
    first, last = failing.attempts
    evidence: dict[str, Any] = {
        "events": order_events(),
        "events_dropped": 14,
        "pages": (Page(url="https://market.example/checkout?step=pay", title="Checkout · Market"),),
    }
    trace = Artifact(
        name="Trace",
        kind="trace",
        content_type="application/zip",
        path="artifacts/trace.zip",
        size_bytes=4_002,
    )
    video = Artifact(name="Video", kind="video", problem="withheld: it may show a secret")
    cart = screenshot(page_picture(state, "Your cart", "3 kg of apples"), 3, name="The cart")
    changed = (
        msgspec.structs.replace(first, artifacts=(screenshot(sad, 6),), **evidence),
        msgspec.structs.replace(
            last,
            artifacts=(cart, screenshot(sad, 6), trace, video),
            metrics=last.metrics + page_metrics(),
            **evidence,
        ),
    )
    passed = msgspec.structs.replace(
        last,
        status=Status.PASSED,
        run_id=run_id(900),
        started_at=STARTED_AT - timedelta(hours=26),
        errors=(),
        artifacts=(screenshot(glad, 6),),
        metrics=(),
        outputs=(),
    )
    return msgspec.structs.replace(
        failing, attempts=changed, last_passed=passed, normal_steps=order_normal()
    )


def order_normal() -> tuple[StepNormal, ...]:
    """Make what the steps of an order normally take."""
    usual = {
        ("Start a browser",): 380,
        ("Open the shop",): 640,
        ("Open the shop", "Accept the cookie banner"): 90,
        ("Put apples in the cart",): 930,
        ("Pay",): 1_900,
        ("Pay", "Fill in the card"): 850,
        ("Pay", "Submit the card"): 900,
    }
    return tuple(
        StepNormal(path=path, median_ms=median, p95_ms=median * 1.4, sample_size=28)
        for path, median in usual.items()
    )


def six_with_evidence(state: Path) -> SessionDocument:
    """Make the six workflows, the failing order with all its evidence."""
    order = order_with_evidence(state)
    others = [item for item in six().executions if item.run_id != order.run_id]
    return document(*others, order)


def all_pass() -> SessionDocument:
    """Make the six workflows on a good day."""
    names = (
        "health-check user-login user-registration farm-creation product-listing order-placement"
    )
    return document(*(passing(name, 20 + n) for n, name in enumerate(names.split())))


def every_status() -> SessionDocument:
    """Make one execution of each status, and a flaky one."""
    made = []
    for number, status in enumerate(Status):
        flow = workflow(f"ends-{status.value.replace('_', '-')}")
        error = Error(phase=Phase.SETUP, type="RuntimeError", message=f"became {status.value}")
        tried = attempt(
            run_id(100 + number),
            flow,
            status,
            will_retry=status is Status.RUNNING,
            errors=(error,) if status in {Status.FAILED, Status.ERROR, Status.TIMED_OUT} else (),
            skip_reason="only in staging" if status is Status.SKIPPED else "",
            degraded=("slow",) if status is Status.DEGRADED else (),
        )
        over = status is not Status.RUNNING
        made.append(execution_of(session(), [tried], session_is_over=over))
    return document(*made, login_flaky())


def hostile() -> SessionDocument:
    """Make executions that hold hostile text in every field that holds text."""
    text = HOSTILE
    flow = Workflow(
        workflow_id=f"id-{text}",
        name=f"Name {text}",
        nodeid=f"node {text}",
        file=f"file {text}",
        description=f"description {text}",
        type=text,
        owner=f"owner {text}",
        runbook=f"javascript:alert(6)//{text}",
        tags=(f"tag {text}", "x" * 300),
        labels={f"label {text}": f"value {text}"},
        cron=text,
        timezone=text,
    )
    error = Error(
        phase=Phase.CALL,
        type=f"Type {text}",
        message=f"message {text}\nsecond line {text}" + "w" * 4_000,
        file=f"file {text}",
        line=3,
        source_line=text,
        traceback=f"E   {text}\n+ {text}\n" + "traceback " * 2_000,
    )
    span = Step(
        index=0, name=f"step {text}", status=Status.FAILED, error_message=text, duration_ms=900
    )
    loop = Step(index=1, name="own parent", parent=1, status=Status.FAILED, duration_ms=None)
    made = []
    for number in range(2):
        tried = attempt(
            f"{run_id(200)}{text}" if number else run_id(201),
            flow,
            Status.FAILED,
            errors=(error,),
            steps=(span, loop),
            worker=text,
            labels={text: text},
            dimensions={text: text},
            degraded=(text,),
            skip_reason=text,
            metrics=(
                Metric(name=f"metric {text}", value=float("inf"), unit=text, threshold_value=1.0),
                Metric(name="nan", value=float("nan")),
                Metric(name=text, value=1, page=f"/{text}"),
            ),
            artifacts=(
                Artifact(name=f"artifact {text}", path=f"../../{text}", kind=text),
                Artifact(name=text, path=f"../../{text}", kind="trace", problem=text),
                screenshot(f"../../{text}", 0, name=text, problem=text),
            ),
            events=tuple(
                Event(
                    kind=kind,
                    at_ms=1,
                    level=text,
                    text=text,
                    url=f"javascript:alert(8)//{text}",
                    method=text,
                    failure=text,
                    place=text,
                    step=0,
                    page=0,
                    repeated=3,
                )
                for kind in EventKind
            ),
            pages=(
                Page(url=f"javascript:alert(9)//{text}", title=text),
                Page(url='https://x.example/"><script>alert(10)</script>', title=""),
            ),
            outputs=(Output(name=f"output {text}", text=text * 50),),
        )
        made.append(combined(tried, past=history("ppffpp")))
    return document(
        *made,
        session=session(
            project=text,
            environment=text,
            location=text,
            host=text,
            git_branch=text,
            git_commit=text,
            ci_name=text,
            ci_url="javascript:alert(7)",
            arguments=(text,),
            versions={text: text},
        ),
        notices=(text,),
    )


def many(count: int, *, failed_share: float = 0.02, with_history: bool = False) -> SessionDocument:
    """Make ``count`` executions with three steps each, ``failed_share`` of them failed."""
    noise = random.Random(count)
    every = round(1 / failed_share) if failed_share else count + 1
    made = [
        _one_of_many(number, noise, is_failed=number % every == every - 1, past=with_history)
        for number in range(count)
    ]
    return document(*made, has_history=with_history)


def _one_of_many(number: int, noise: random.Random, *, is_failed: bool, past: bool) -> Execution:
    verbs = ("open", "search", "filter", "order", "cancel", "refund", "export", "import")
    things = ("orders", "farms", "invoices", "baskets", "reviews", "suppliers", "users")
    flow = workflow(
        f"{noise.choice(verbs)}-{noise.choice(things)}-{number}",
        priority=noise.choice(tuple(Priority)),
        owner=noise.choice(("shop-team", "identity", "farms", "platform")),
        tags=(noise.choice(("smoke", "checkout", "search")),),
    )
    status = Status.FAILED if is_failed else Status.PASSED
    spent = [noise.uniform(20, 3_000) for _ in range(3)]
    error = Error(
        phase=Phase.CALL,
        type="AssertionError",
        message=f"expected {number} rows, got {number - 1}",
        file=flow.file,
        line=31,
        source_line=f"    assert len(rows) == {number}",
        traceback=TRACEBACK,
    )
    names = ("Open the page", "Do the work", "Check the result")
    tried = attempt(
        run_id(number),
        flow,
        status,
        started_at=STARTED_AT + timedelta(milliseconds=number * 10 + noise.random()),
        duration_ms=sum(spent) + 160,
        setup_ms=noise.uniform(50, 120),
        call_ms=sum(spent),
        teardown_ms=noise.uniform(5, 40),
        errors=(error,) if is_failed else (),
        steps=steps(*zip(names, spent, strict=True), status=status),
        worker=f"gw{number % 2}",
    )
    letters = noise.choice(("p" * 20, "pppfpppppppppppppppp"))
    return combined(tried, past=history(letters) if past else ())
