"""Steps in tests, helpers, fixtures and coroutines, as they are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt
    from tests.plugin.conftest import Suite

WAYS = pytest.mark.parametrize(
    "options", [[], ["-n", "2"], ["--reruns", "1"]], ids=["plain", "xdist", "retries"]
)


def tree(attempt: Attempt) -> list[str]:
    """Show the steps as lines: indented by nesting, with phase and status where remarkable."""
    depth: dict[int | None, int] = {None: -1}
    lines = []
    for step in attempt.steps:
        depth[step.index] = depth[step.parent] + 1
        words = [step.name]
        words += [str(step.phase)] if step.phase != "call" else []
        words += [str(step.status)] if step.status != "passed" else []
        lines.append("  " * depth[step.index] + " ".join(words))
    return lines


def check_times(attempt: Attempt) -> None:
    """Each step begins and ends within its parent, and all within the attempt."""
    assert [step.index for step in attempt.steps] == list(range(len(attempt.steps)))
    for step in attempt.steps:
        assert step.duration_ms is not None
        assert step.duration_ms >= 0
        assert step.started_ms >= 0
        if step.parent is not None:
            outer = attempt.steps[step.parent]
            assert outer.duration_ms is not None
            assert step.started_ms >= outer.started_ms
            assert step.started_ms + step.duration_ms <= outer.started_ms + outer.duration_ms + 1e-6


PLAIN = """
    import contextlib
    import unittest
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    @step("Sign in as {who}")
    def sign_in(who, *, quickly=False): return who.upper()

    class Page:
        @step("Open {path} {self.name}")
        def open(self, path): return path
        name = "shop"

        @step("static")
        @staticmethod
        def static(x): return x

        @classmethod
        @step("class method")
        def factory(cls): return cls()

        @step("class method, other way round")
        @classmethod
        def other(cls): return cls

    def test_nested():
        with step("A"):
            with step("A1"): pass
            with step("A2"):
                with step("A2a"): pass
        with step("B"): pass

    def test_decorated():
        assert sign_in("ann") == "ANN"
        assert sign_in.__name__ == "sign_in"
        with step("outer"):
            sign_in(who="bob")
        page = Page.factory()
        assert page.open("/cart") == "/cart"
        assert page.static(3) == Page.static(3) == 3
        assert Page.other() is Page

    @step("Count {n}")
    def count(n): return n and count(n - 1)

    def test_recursion(): count(3)

    @step("missing {nothing.at.all} {0} {")
    def odd(): pass

    def test_odd_names():
        odd()
        for name in ["", "{not filled in}", "NUL \\0 and \\ud800", 17, "x" * 1_000_000]:
            with step(name): pass

    def test_reused_object():
        again = step("again")
        with again:
            with again:
                with step("inside"): pass
            with step("after the inner"): pass
        with again: pass
        with step("last"): pass

    def test_fails():
        with step("Shop"):
            with step("Look"): pass
            with step("Buy"):
                assert 1 == 2, "sold out"
            with step("never reached"): pass

    def test_caught():
        with step("Try"):
            with contextlib.suppress(KeyError), step("Risk"):
                raise KeyError("basket")
        with step("Go on"): pass

    class Silent(Exception):
        def __str__(self): raise RuntimeError

    def test_exception_without_text():
        with contextlib.suppress(Silent), step("Silent"):
            raise Silent
        with contextlib.suppress(ValueError), step("Empty"):
            raise ValueError
        with contextlib.suppress(ValueError), step("Huge"):
            raise ValueError("\\ud800" * 2_000_000)

    def test_skips():
        with step("Decide"), step("Why"):
            pytest.skip("closed today")

    def test_skips_as_unittest_does():
        with step("Decide", optional=True):
            raise unittest.SkipTest("closed today")

    def test_expected():
        with step("Known", optional=True):
            pytest.xfail("bug 17")

    def test_pytest_fails():
        with step("Check"):
            pytest.fail("no")

    class Stop(BaseException): pass

    def test_base_exception():
        try:
            with step("Base", optional=True):
                raise Stop("now")
        except Stop:
            pass

    def test_exit_is_not_swallowed():
        try:
            with step("Exit", optional=True):
                pytest.exit("enough")
        except pytest.exit.Exception:
            pass
"""

PLAIN_STEPS = {
    "nested": ["A", "  A1", "  A2", "    A2a", "B"],
    "decorated": [
        "Sign in as ann",
        "outer",
        "  Sign in as bob",
        "class method",
        "Open /cart shop",
        "static",
        "static",
        "class method, other way round",
    ],
    "recursion": ["Count 3", "  Count 2", "    Count 1", "      Count 0"],
    "odd-names": [
        "missing {nothing.at.all} {0} {",
        "",
        "{not filled in}",
        "NUL \0 and ?",
        "17",
        "x" * 500,
    ],
    "reused-object": [
        "again",
        "  again",
        "    inside",
        "  after the inner",
        "again",
        "last",
    ],
    "fails": ["Shop failed", "  Look", "  Buy failed"],
    "caught": ["Try", "  Risk failed", "Go on"],
    "exception-without-text": ["Silent failed", "Empty failed", "Huge failed"],
    "skips": ["Decide skipped", "  Why skipped"],
    "skips-as-unittest-does": ["Decide skipped"],
    "expected": ["Known skipped"],
    "pytest-fails": ["Check failed"],
    "base-exception": ["Base interrupted"],
    "exit-is-not-swallowed": ["Exit interrupted"],
}


@WAYS
def test_steps_are_recorded_as_they_happened(suite: Suite, options: list[str]) -> None:
    """Nested and decorated, recursive and re-used, failing and skipping: order, parents, status."""
    suite.write("test_it.py", PLAIN)
    run = suite.run(*options)
    last = {i: run.execution(i).attempts[-1] for i in run.ids}
    assert {i: tree(attempt) for i, attempt in last.items()} == PLAIN_STEPS
    for attempt in run.attempts:
        check_times(attempt)
    statuses = {i: s.value for i, s in run.statuses.items() if s is not Status.PASSED}
    assert statuses == {
        "fails": "failed",
        "skips": "skipped",
        "skips-as-unittest-does": "skipped",
        "expected": "skipped",
        "pytest-fails": "failed",
    }
    messages = {
        f"{i}: {step.name}": step.error_message
        for i, attempt in last.items()
        for step in attempt.steps
        if step.error_message and step.name != "Huge"
    }
    sold_out = "sold out\nassert 1 == 2"
    assert messages == {
        "fails: Shop": sold_out,
        "fails: Buy": sold_out,
        "caught: Risk": "'basket'",
        "exception-without-text: Silent": "Silent",
        "exception-without-text: Empty": "ValueError",
        "skips: Decide": "closed today",
        "skips: Why": "closed today",
        "skips-as-unittest-does: Decide": "closed today",
        "expected: Known": "bug 17",
        "pytest-fails: Check": "no",
        "base-exception: Base": "now",
        "exit-is-not-swallowed: Exit": "enough",
    }
    assert len(last["exception-without-text"].steps[2].error_message) == 10_000
    assert len(run.execution("fails").attempts) == (2 if "--reruns" in options else 1)
    assert (run.execution("fails").steps_total, run.execution("fails").steps_failed) == (3, 2)


def test_without_monitoring_the_same_suite_has_the_same_outcomes(suite: Suite) -> None:
    """Inactive, steps are plain code: nothing recorded, nothing written, the same results."""
    suite.write("test_it.py", PLAIN)
    run = suite.run(monitored=False)
    assert run.summary == {"passed": 9, "failed": 2, "skipped": 2, "xfailed": 1}
    assert not suite.state_path.exists()
    # a step that wraps the code under test does not stand in the way of reading its traceback
    assert "decorated.py" not in run.output


FIXTURES = """
    import contextlib
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    @pytest.fixture(scope="session")
    def shop():
        with step("Start the shop"): pass
        yield
        with step("Stop the shop"): pass

    @pytest.fixture(scope="module")
    @step("Module {number}")
    def module(number=1):
        yield number
        with step("inside"): pass

    @pytest.fixture(scope="class")
    @step("Class")
    def class_(): return "class"

    @pytest.fixture(scope="session")
    def around():
        with step("Around everything"):
            yield

    @pytest.fixture
    def account(request):
        with step("Create account"): pass
        @step("Finalize")
        def finalize(): pass
        request.addfinalizer(finalize)
        yield "ann"
        with step("Delete account"): pass

    @pytest.fixture
    def broken():
        yield
        with step("Clean"):
            with step("Sweep"):
                raise OSError("no broom")

    class TestOne:
        def test_first(self, shop, module, class_, account):
            assert (module, class_, account) == (1, "class", "ann")
            with step("Buy"): pass

        def test_second(self, shop, module, class_, account):
            with step("Buy"): pass

    def test_third(broken):
        with step("Look"): pass

    def test_fourth(around):
        with step("Look"): pass

    def test_last(around, shop):
        with step("Look"): pass
"""


def test_steps_of_fixtures_tell_their_phase(suite: Suite) -> None:
    """Set-up and tear-down of every scope, in the attempt in which they ran."""
    suite.write("test_it.py", FIXTURES)
    run = suite.run()
    assert {a.workflow.workflow_id: tree(a) for a in run.attempts} == {
        "first": [
            "Start the shop setup",
            "Module 1 setup",
            "Class setup",
            "Create account setup",
            "Buy",
            "Delete account teardown",
            "Finalize teardown",
        ],
        "second": [
            "Create account setup",
            "Buy",
            "Delete account teardown",
            "Finalize teardown",
        ],
        "third": ["Look", "Clean teardown failed", "  Sweep teardown failed"],
        "fourth": ["Around everything setup running", "  Look"],
        "last": [
            "Look",
            "Module 1 teardown",
            "  inside teardown",
            "Stop the shop teardown",
        ],
    }
    assert run.execution("third").status is Status.ERROR
    assert run.summary == {"passed": 5, "errors": 1}


GENERATORS = """
    import contextlib
    import pytest
    from pytest_workflow_monitor import step
    pytestmark = pytest.mark.workflow

    @step("Row {n}")
    def rows(n):
        sent = []
        try:
            for i in range(n):
                sent.append((yield i))
        except KeyError:
            sent.append("thrown")
        return sent

    @contextlib.contextmanager
    @step("Cart")
    def cart(log):
        log.append("in")
        try:
            yield "cart"
        finally:
            log.append("out")

    def test_generator_protocol():
        made = rows(3)
        assert next(made) == 0
        assert made.send("a") == 1
        with pytest.raises(StopIteration) as stop:
            made.throw(KeyError())
        assert stop.value.value == ["a", "thrown"]
        unfinished = rows(2)
        next(unfinished)
        unfinished.close()
        with step("not nested in a generator that waits"): pass

    def test_context_manager():
        log = []
        with cart(log) as it, step("Inside"):
            assert it == "cart"
        with pytest.raises(ValueError, match="full"), cart(log):
            raise ValueError("full")
        assert log == ["in", "out"] * 2

    @step("Optional", optional=True)
    def fragile():
        yield 1
        raise ValueError("thin ice")

    def test_optional_generator():
        assert list(fragile()) == [1]
"""


def test_generators_keep_their_protocol(suite: Suite) -> None:
    """A decorated generator is sent to, thrown into and closed as before; each part is a step."""
    suite.write("test_it.py", GENERATORS)
    run = suite.run()
    assert run.summary == {"passed": 3}, run.output
    assert tree(run.attempt("generator-protocol")) == [
        "Row 3",
        "Row 3",
        "Row 3",
        "Row 2",
        "not nested in a generator that waits",
    ]
    assert tree(run.attempt("context-manager")) == [
        "Cart",
        "Inside",
        "Cart",
        "Cart",
        "Cart failed",
    ]
    assert tree(run.attempt("optional-generator")) == ["Optional", "Optional degraded"]
    assert suite.run(monitored=False).summary == {"passed": 3}


def test_wrong_decorations_say_what_is_right(suite: Suite) -> None:
    """`@step` above a fixture, on a class, or without a name: one sentence each."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import step

        def test_above_a_fixture():
            with pytest.raises(TypeError, match="put it between @pytest.fixture and the function"):
                @step("Start")
                @pytest.fixture
                def shop(): pass

        def test_without_a_name():
            with pytest.raises(TypeError, match='write @step[(]"Open the login page"[)]'):
                @step
                def open_page(): pass

        def test_on_a_class():
            with pytest.raises(TypeError, match="can decorate a function"):
                @step("Class")
                class Page: pass

        @pytest.mark.parametrize("limit", [-1, "soon", float("nan"), float("inf"), 10**400])
        def test_slower_than(limit):
            with pytest.raises(ValueError, match="duration|expected seconds"):
                step("x", slower_than=limit)
        """,
    )
    assert suite.run(monitored=False).summary == {"passed": 8}


ASYNC = """
    import asyncio
    import contextlib
    import inspect
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    @step("Fetch {name}")
    async def fetch(name, ready=None, wait=None):
        if ready: ready.set()
        async with step(f"inside {name}"):
            if wait: await wait.wait()
            else: await asyncio.sleep(0)
        return name

    @step("Page {n}")
    async def pages(n):
        sent = None
        for i in range(n):
            sent = yield (i, sent)

    @pytest_asyncio_fixture
    @step("Connect")
    async def connection():
        async with step("Handshake"): pass
        yield "connection"
        async with step("Goodbye"): pass

    @pytest_asyncio_fixture
    async def by_hand():
        async with step("Open"): pass
        yield
        with step("Close"): pass

    @MARK
    async def test_coroutine(connection, by_hand):
        assert connection == "connection"
        assert inspect.iscoroutinefunction(fetch)
        async with step("Outer"):
            assert await fetch("a") == "a"
        with step("sync in async"):
            await fetch("b")

    @MARK
    async def test_tasks_side_by_side():
        first, second = asyncio.Event(), asyncio.Event()
        async with step("All"):
            # each waits for the other's step to be open: they overlap for sure
            await asyncio.gather(fetch("x", first, second), fetch("y", second, first))
        async with step("After"): pass

    @MARK
    async def test_one_object_in_many_tasks():
        shared, gate = step("shared"), asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None
        async def use(name, order):
            async with shared:
                await gate.wait()
                for _ in range(order): await asyncio.sleep(0)
                with step(name): pass
        await asyncio.gather(use("one", 1), use("two", 5))
        with step("After"): pass

    @MARK
    async def test_generators():
        async with step("Read"):
            assert [page async for page in pages(2)] == [(0, None), (1, None)]
        made = pages(3)
        assert await anext(made) == (0, None)
        assert await made.asend("hello") == (1, "hello")
        await made.aclose()
        with step("After"): pass

    @MARK
    async def test_cancelled():
        async def wait_for_ever():
            async with step("Wait", optional=True):
                await asyncio.Event().wait()
        task = asyncio.create_task(wait_for_ever())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        async with step("After"): pass

    @MARK
    async def test_fails():
        async with step("Outer"):
            await asyncio.gather(fetch("fine"), breaks())

    @step("Break")
    async def breaks(): raise RuntimeError("broken pipe")
"""
ASYNC_STEPS = {
    "coroutine": [
        "Connect setup",
        "  Handshake setup",
        "Open setup",
        "Outer",
        "  Fetch a",
        "    inside a",
        "sync in async",
        "  Fetch b",
        "    inside b",
        "Close teardown",
        "Connect teardown",
        "  Goodbye teardown",
    ],
    "tasks-side-by-side": [
        "All",
        "  Fetch x",
        "    inside x",
        "  Fetch y",
        "    inside y",
        "After",
    ],
    "one-object-in-many-tasks": ["shared", "shared", "  one", "  two", "After"],
    "generators": ["Read", "  Page 2", "  Page 2", "  Page 2", "Page 3", "Page 3", "After"],
    "cancelled": ["Wait interrupted", "After"],
    "fails": [
        "Outer failed",
        "  Fetch fine",
        "    inside fine",
        "  Break failed",
    ],
}
ASYNCIO = {
    "pytest_asyncio_fixture": "pytest_asyncio.fixture",
    "MARK": "pytest.mark.asyncio",
    "import asyncio\n": "import asyncio\n    import pytest_asyncio\n",
}
SESSION_LOOP = {
    **ASYNCIO,
    "pytest_asyncio_fixture": 'pytest_asyncio.fixture(loop_scope="session")',
    "MARK": 'pytest.mark.asyncio(loop_scope="session")',
}
ANYIO = {"pytest_asyncio_fixture": "pytest.fixture", "MARK": "pytest.mark.anyio"}


@pytest.mark.parametrize(
    "replacements",
    [ASYNCIO, SESSION_LOOP, ANYIO],
    ids=["asyncio", "asyncio-session-loop", "anyio"],
)
def test_steps_follow_coroutines_and_tasks(suite: Suite, replacements: dict[str, str]) -> None:
    """`async with`, decorated coroutines and generators, tasks: each knows its own parent.

    In strict pytest-asyncio with a loop per test and one for the session, and in anyio.
    """
    code = ASYNC
    for old, new in replacements.items():
        code = code.replace(old, new)
    suite.write("test_it.py", code)
    if replacements is ANYIO:
        suite.write(
            "conftest.py",
            """
            import pytest

            @pytest.fixture(scope="session")
            def anyio_backend(): return "asyncio"
            """,
        )
    run = suite.run()
    trees = {a.workflow.workflow_id: tree(a) for a in run.attempts}
    fails = trees.pop("fails")
    assert trees == {i: t for i, t in ASYNC_STEPS.items() if i != "fails"}, run.output
    assert fails[0] == "Outer failed"
    assert "  Break failed" in fails
    assert run.summary == {"passed": 5, "failed": 1}


THREADS = """
    import contextvars
    import threading
    from concurrent.futures import ThreadPoolExecutor
    import pytest
    from pytest_workflow_monitor import label, metric, step

    pytestmark = pytest.mark.workflow

    def work(name):
        with step(name):
            metric(f"{name} done", 1)

    def run(target, *arguments):
        thread = threading.Thread(target=target, args=arguments)
        thread.start()
        thread.join()

    def test_threads():
        with step("Outer"):
            run(contextvars.copy_context().run, work, "copied")
            run(work, "own")
        with step("After"): pass

    def test_many_threads():
        def many():
            for i in range(300):
                with step("a"):
                    with step("b"): pass
        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(many) for _ in range(4)]:
                future.result()

    go, gone, late = threading.Event(), threading.Event(), []

    def test_leaves_a_thread_behind():
        def outlive():
            with step("Outlives"):
                go.wait()
            gone.set()
        context = contextvars.copy_context()
        started = threading.Event()
        late.append(threading.Thread(target=context.run, args=(outlive,)))
        late[0].start()

    def test_next():
        with step("Next"):
            go.set()
            late[0].join()
        assert gone.is_set()
"""


def test_steps_in_threads(suite: Suite) -> None:
    """With a copied context a thread's steps nest where it was started, else at the top.

    No step is lost or numbered twice when threads run at once, and one that outlives its test
    does not touch the next.
    """
    suite.write("test_it.py", THREADS)
    run = suite.run()
    assert run.summary == {"passed": 4}, run.output
    assert tree(run.attempt("threads")) == ["Outer", "  copied", "own", "After"]
    assert {m.name: m.step for m in run.attempt("threads").metrics} == {
        "copied done": 1,
        "own done": 2,
    }
    many = run.attempt("many-threads").steps
    assert len(many) == 2400
    assert [step.index for step in many] == list(range(2400))
    assert all(step.status is Status.PASSED for step in many)
    assert all(
        many[step.parent].name == "a"
        for step in many
        if step.name == "b"
        if step.parent is not None
    )
    assert [step.parent for step in many if step.name == "a"] == [None] * 1200
    assert tree(run.attempt("leaves-a-thread-behind")) == ["Outlives running"]
    assert tree(run.attempt("next")) == ["Next"]


def test_a_forked_child_leaves_the_record_alone(suite: Suite) -> None:
    """Steps in a forked process go nowhere, and do not spoil what its parent records."""
    suite.write(
        "test_it.py",
        """
        import multiprocessing
        from pathlib import Path
        import pytest
        from pytest_workflow_monitor import label, step
        from pytest_workflow_monitor.recording.flight import StepStarted, read_frames

        def child():
            for i in range(50):
                with step("in the child"):
                    label("from", "child")

        @pytest.mark.workflow
        def test_forks():
            with step("Before"): pass
            with step("During"):
                process = multiprocessing.get_context("fork").Process(target=child)
                process.start()
                process.join()
                assert process.exitcode == 0
                (flight,) = Path(".workflow-monitor").rglob("flight-*.bin")
                started = [f.name for f in read_frames(flight) if isinstance(f, StepStarted)]
                assert started == ["Before", "During"]
            with step("After"): pass
        """,
    )
    run = suite.run()
    assert tree(run.attempt()) == ["Before", "During", "After"]
    assert run.attempt().labels == {}


def test_very_many_steps_are_counted_but_not_all_kept(suite: Suite) -> None:
    """The first 5,000 steps are kept, the rest is counted; what degrades among them still does."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import metric, step, degrade

        @pytest.mark.workflow
        def test_many():
            with step("Outer"):
                for i in range(5010):
                    with step("Step"), step("inner"): pass
                with step("late", optional=True): raise ValueError("late")
                metric("m", 1)
            for i in range(500): degrade(f"reason {i}")
        """,
    )
    run = suite.run()
    attempt = run.attempt()
    assert (len(attempt.steps), attempt.steps_dropped) == (5000, 1 + 2 * 5010 + 1 - 5000)
    assert attempt.steps[0].status is Status.PASSED
    assert attempt.metrics[0].step == 0
    assert attempt.degraded[0] == "optional step 'late' failed: late"
    assert len(attempt.degraded) == 100


def test_a_session_inside_a_test_leaves_its_record_alone(suite: Suite) -> None:
    """Tests of pytest plugins run pytest within a test; the outer test is recorded all the same."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import label, step
        pytest_plugins = ["pytester"]

        @pytest.mark.workflow
        def test_outer(pytester, monkeypatch):
            with step("Before"): pass
            pytester.makepyfile('''
                import pytest
                from pytest_workflow_monitor import label, step
                @pytest.mark.workflow
                def test_inner():
                    with step("inner"): label("who", "inner")
                def test_not_marked():
                    with step("not marked"): label("who", "inner")
            ''')
            result = pytester.inline_run("--workflow-monitor", "-p", "no:playwright")
            result.assertoutcome(passed=2)
            with step("After"): label("who", "outer")
        """,
    )
    attempt = suite.run(warnings=True).attempt()
    assert attempt.workflow.workflow_id == "outer"
    assert tree(attempt) == ["Before", "After"]
    assert attempt.labels == {"who": "outer"}
