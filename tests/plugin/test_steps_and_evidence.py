"""What degrades, metrics, attachments, labels: inside steps and on their own."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

DEGRADING = """
    import asyncio
    from decimal import Decimal
    import pytest
    from pytest_workflow_monitor import degrade, metric, step

    pytestmark = pytest.mark.workflow

    def spend(seconds):
        from time import perf_counter
        end = perf_counter() + seconds
        while perf_counter() < end: pass

    def test_optional():
        with step("Outer"):
            with step("Newsletter", optional=True):
                with step("Sign up"):
                    assert False, "no letter\\nsecond line"
            with step("Goes on"): pass

    @step("Fragile", optional=True)
    def fragile(): raise OSError("thin ice")

    def test_optional_decorated(): assert fragile() is None

    def test_optional_that_works():
        with step("Newsletter", optional=True): pass

    def test_optional_in_fixture(fixture): pass

    @pytest.fixture
    def fixture():
        with step("Prepare", optional=True): raise KeyError("x")
        yield
        with step("Clean", optional=True): pytest.fail("dirty")

    def test_slow():
        with step("Search", slower_than="1ms"): spend(0.002)
        with step("Quick", slower_than=60): pass

    def test_slow_and_failed():
        with step("Search", slower_than=0.001):
            spend(0.002)
            raise ValueError("broken")

    def test_says_so():
        degrade("half the shelves are empty")
        degrade("half the shelves are empty")
        degrade(17)
        degrade("x" * 1_000_000)
        degrade("x" * 1_000_000)

    def test_degraded_and_failed():
        degrade("reason")
        assert False

    class Silent:
        def __str__(self): raise RuntimeError

    def test_hostile_reason():
        degrade(Silent())
        degrade("\\0 \\ud800")

    def test_metric_beyond():
        with step("Measure"):
            metric("cart_total_ms", 620.5, unit="ms", threshold=500)
        metric("plain", 3)
        metric("equal", 500, threshold=500)
        metric("decimal", Decimal("1.5"), "EUR", threshold="2")
        metric("no limit", 1e300, threshold=float("inf"))
        metric("negative", -5.0, threshold=0)
        metric("n" * 1_000_000, True, unit="u" * 1_000_000)

    def test_metric_within(): metric("cart_total_ms", 400, "ms", threshold=500)

    def test_metric_not_finite():
        metric("nan", float("nan"))
        metric("inf", float("inf"), "ms", threshold=500)
        metric("-inf", float("-inf"))
        metric("nan limit", 1, threshold=float("nan"))

    def test_metric_no_number():
        for value in ("many", "1,5"):
            with pytest.raises(ValueError): metric("x", value)
        with pytest.raises(TypeError): metric("x", None)
        with pytest.raises(ValueError): metric("x", 1, threshold="some")
"""


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "xdist"])
def test_what_degrades(suite: Suite, options: list[str]) -> None:
    """Optional steps, slow steps, metrics beyond thresholds and `degrade`, with reasons."""
    suite.write("test_it.py", DEGRADING)
    run = suite.run(*options)
    assert run.summary == {"passed": 11, "failed": 2}, run.output
    statuses = {i: s.value for i, s in run.statuses.items()}
    reasons = {a.workflow.workflow_id: a.degraded for a in run.attempts}
    assert {i for i, s in statuses.items() if s == "passed"} == {
        "optional-that-works",
        "metric-within",
        "metric-no-number",
    }
    assert {i for i, s in statuses.items() if s == "failed"} == {
        "slow-and-failed",
        "degraded-and-failed",
    }
    assert reasons["optional"] == ("optional step 'Newsletter' failed: no letter",)
    assert reasons["optional-decorated"] == ("optional step 'Fragile' failed: thin ice",)
    assert reasons["optional-in-fixture"] == (
        "optional step 'Prepare' failed: 'x'",
        "optional step 'Clean' failed: dirty",
    )
    (reason,) = reasons["slow"]
    assert re.fullmatch(r"step 'Search' took \d+\.\d s, slower than 0\.001 s", reason)
    assert reasons["slow-and-failed"] == ()
    assert reasons["says-so"] == ("half the shelves are empty", "17", "x" * 10_000)
    assert reasons["hostile-reason"] == ("<Silent>", "\0 ?")
    assert reasons["metric-beyond"] == (
        "cart_total_ms is 620.5 ms, beyond its threshold of 500 ms",
    )
    assert reasons["metric-not-finite"] == (
        "metric nan is nan; only finite numbers can be kept",
        "metric inf is inf, with a threshold of 500.0; only finite numbers can be kept",
        "metric -inf is -inf; only finite numbers can be kept",
        "metric nan limit is 1.0, with a threshold of nan; only finite numbers can be kept",
    )
    steps = run.steps("optional")
    assert {name: step.status.value for name, step in steps.items()} == {
        "Outer": "passed",
        "Newsletter": "degraded",
        "Sign up": "failed",
        "Goes on": "passed",
    }
    assert steps["Newsletter"].optional
    assert steps["Newsletter"].error_message == "no letter\n  second line\nassert False"
    slow = run.steps("slow")
    assert (slow["Search"].status, slow["Quick"].status) == (Status.DEGRADED, Status.PASSED)
    assert slow["Search"].slower_than_seconds == 0.001
    assert run.steps("slow-and-failed")["Search"].status is Status.FAILED


def test_metrics_are_recorded_with_their_step(suite: Suite) -> None:
    """Name, value, unit, threshold, whether within it, the step it belongs to, and when."""
    suite.write("test_it.py", DEGRADING)
    attempt = suite.run("-k", "metric_beyond").attempt()
    found = [
        (m.name, m.value, m.unit, m.threshold_value, m.is_within_threshold, m.step)
        for m in attempt.metrics
    ]
    assert found == [
        ("cart_total_ms", 620.5, "ms", 500.0, False, 0),
        ("plain", 3.0, "", None, None, None),
        ("equal", 500.0, "", 500.0, True, None),
        ("decimal", 1.5, "EUR", 2.0, True, None),
        ("no limit", 1e300, "", None, None, None),
        ("negative", -5.0, "", 0.0, True, None),
        ("n" * 500, 1.0, "u" * 500, None, None, None),
    ]
    times = [m.recorded_ms for m in attempt.metrics]
    assert times == sorted(times)
    assert times[0] > 0


ATTACHMENTS = """
    import os
    from pathlib import Path
    import pytest
    from pytest_workflow_monitor import attach, step

    pytestmark = pytest.mark.workflow

    def test_kept(tmp_path):
        page = tmp_path / "page.html"
        page.write_text("<h1>Shop</h1>")
        with step("Look"):
            attach(page)
            attach(str(page), "The shop", "text/x-shop")
        attach(b"{}", "answer.json")
        attach(bytearray(b"{}"))
        attach(memoryview(b"abc"), name="abc.TXT")
        attach(b"", "empty.bin")
        page.unlink()

    def test_large(tmp_path):
        large = tmp_path / "video.webm"
        with large.open("wb") as file:
            file.truncate(40_000_000)
        attach(large)

    class Silent:
        def __str__(self): raise RuntimeError

    def test_problems(tmp_path):
        os.mkfifo(tmp_path / "pipe")
        for content in (
            tmp_path / "missing.png", tmp_path, tmp_path / "pipe", "/dev/zero", "nul\\0",
            "<html>" * 100_000, 17, None, "\\ud800",
        ):
            attach(content)

    def test_hostile_names():
        for name in (
            "../../etc/passwd", "http://[", "a\\0b.png", "\\ud800.txt", "x" * 1_000_000, 17,
            "dots...", "long.suffix-that-is-none", ".hidden", "data:text/html,x", Silent(),
        ):
            attach(b"1", name)
        attach(b"1", "x", content_type=17)
"""


def test_attachments_are_kept_after_their_content(suite: Suite) -> None:
    """A path or bytes, with a guessed type, beside the step, once for equal contents."""
    suite.write("test_it.py", ATTACHMENTS)
    run = suite.run()
    assert run.summary == {"passed": 4}, run.output
    kept = run.attempt("kept").artifacts
    assert [(a.name, a.content_type, a.size_bytes, a.step) for a in kept] == [
        ("page.html", "text/html", 13, 0),
        ("The shop", "text/x-shop", 13, 0),
        ("answer.json", "application/json", 2, None),
        ("attachment", "application/octet-stream", 2, None),
        ("abc.TXT", "text/plain", 3, None),
        ("empty.bin", "application/octet-stream", 0, None),
    ]
    large = run.attempt("large").artifacts
    for artifact in (*kept, *large):
        content = (suite.state_path / artifact.path).read_bytes()
        assert len(content) == artifact.size_bytes
        assert hashlib.sha256(content).hexdigest() == artifact.sha256
        assert artifact.sha256 in artifact.path
        assert not artifact.problem
    assert kept[0].path.endswith(".html")
    assert kept[0].sha256 == kept[1].sha256
    assert large[0].size_bytes == 40_000_000
    problems = run.attempt("problems").artifacts
    assert len(problems) == 9
    for artifact in problems:
        assert artifact.problem.startswith("could not be kept: ")
        assert (artifact.path, artifact.size_bytes) == ("", 0)
    assert [a.name for a in problems[:4]] == [
        "missing.png",
        problems[1].name,
        "pipe",
        "zero",
    ]
    assert "No such file" in problems[0].problem
    assert "not a regular file" in problems[1].problem
    assert "not a regular file" in problems[3].problem
    assert "int" in problems[6].problem
    hostile = run.attempt("hostile-names").artifacts
    assert [a.problem for a in hostile] == [""] * 12
    folder = (suite.state_path / "artifacts").resolve()
    assert all((suite.state_path / a.path).resolve().is_relative_to(folder) for a in hostile)
    assert max(len(a.name) for a in hostile) == 500
    left_over = list(folder.rglob(".new-*"))
    assert left_over == []


def test_an_unwritable_state_directory_fails_no_test(suite: Suite) -> None:
    """Where attachments cannot be kept, the record says so and the test goes on."""
    suite.write("test_it.py", ATTACHMENTS)
    suite.state_path.mkdir()
    (suite.state_path / "artifacts").write_text("a file where a folder should be")
    run = suite.run("-k", "kept")
    assert run.summary == {"passed": 1, "deselected": 3}
    assert all(a.problem.startswith("could not be kept: ") for a in run.attempt().artifacts)


def test_labels_group_executions(suite: Suite) -> None:
    """Labels come from the marker or the test; the last value stays; any text is safe."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import label

        class Silent:
            def __str__(self): raise RuntimeError

        @pytest.fixture(autouse=True)
        def season():
            label("season", "winter")
            yield
            label("torn", "down")

        @pytest.mark.workflow(labels={"tenant": "acme", "season": "none", "level": 3})
        def test_it():
            label("visits", 1)
            label("visits", 2)
            label(17, None)
            label("odd", "\\0\\ud800")
            label("silent", Silent())
            label("l" * 1_000_000, "v" * 1_000_000)
        """,
    )
    run = suite.run()
    assert run.execution("it").labels == {
        "tenant": "acme",
        "season": "winter",
        "level": "3",
        "visits": "2",
        "17": "None",
        "odd": "\0?",
        "silent": "<Silent>",
        "l" * 500: "v" * 500,
        "torn": "down",
    }


def test_each_attempt_has_its_own_evidence(suite: Suite) -> None:
    """A retry starts with nothing: no steps, metrics, labels or reasons of the attempt before."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import attach, degrade, label, metric, step
        counts = []

        @pytest.mark.workflow(retries=1)
        def test_it():
            counts.append(1)
            name = str(len(counts))
            with step(name):
                metric(name, 1)
            label(name, name)
            attach(name.encode(), name)
            degrade(name)
            assert len(counts) == 2
        """,
    )
    for options in ([], ["-n", "2"]):
        execution = suite.run(*options).execution("it")
        for attempt in execution.attempts:
            name = str(attempt.number)
            assert [step.name for step in attempt.steps] == [name]
            assert [metric.name for metric in attempt.metrics] == [name]
            assert [artifact.name for artifact in attempt.artifacts] == [name]
            assert attempt.labels == {name: name}
            assert attempt.degraded == (name,)
        assert [a.status.value for a in execution.attempts] == ["failed", "degraded"]
        assert execution.labels == {"1": "1", "2": "2"}
        assert execution.is_flaky


def test_outside_a_workflow_all_of_it_is_plain_code(suite: Suite) -> None:
    """In unmarked tests, at import, and unmonitored, nothing is recorded and nothing fails."""
    suite.write(
        "test_it.py",
        """
        import pytest
        from pytest_workflow_monitor import attach, degrade, label, metric, step

        def everything():
            with step("a", slower_than="1s"):
                metric("m", 1, threshold=0)
            with step("b", optional=True):
                raise KeyError
            attach("no such file")
            degrade("x")
            label("a", "b")

        everything()

        def test_not_marked(): everything()

        @pytest.mark.workflow
        def test_marked(): pass

        def test_after_a_marked_one(): everything()
        """,
    )
    run = suite.run()
    assert run.summary == {"passed": 3}
    assert run.ids == ["marked"]
    assert run.attempt().steps == ()
    assert run.attempt().status is Status.PASSED
    assert suite.run(monitored=False).summary == {"passed": 3}
    absent = suite.run("-p", "no:workflow_monitor", monitored=False, warnings=True)
    assert absent.summary == {"passed": 3}
