"""Traces, screenshots and videos become artifacts of the right attempt. Real Chromium."""

from __future__ import annotations

import zipfile
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.plugin.site import SITE

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Attempt
    from tests.plugin.conftest import Run, Suite

FAILING = """
    import pytest
    from pytest_workflow_monitor import step

    pytestmark = pytest.mark.workflow

    @pytest.fixture
    def closed(page, site):
        page.goto(site + "/closed")
        raise RuntimeError("the shop is closed")

    @pytest.fixture
    def closing(page, site):
        page.goto(site + "/closing")
        yield page
        raise RuntimeError("the shop does not close")

    def test_passes(page, site):
        page.goto(site)

    def test_fails(page, new_context, site):
        page.goto(site)
        new_context().new_page().goto(site + "/other")
        assert False, "sold out"

    def test_set_up(closed):
        pass

    def test_tear_down(closing):
        pass
"""

FLAKY = """
    import pytest
    from pytest_workflow_monitor import step

    tries = []

    @pytest.mark.workflow
    def test_order(page, site):
        tries.append(1)
        page.goto(site)
        page.evaluate(f"document.body.append('try {len(tries)}'); console.error({len(tries)})")
        with step("Buy"):
            assert len(tries) == 3, "declined"
"""


def kinds(attempt: Attempt) -> dict[str, int]:
    """Count an attempt's artifacts by kind; all are there and whole."""
    assert [artifact.problem for artifact in attempt.artifacts] == [""] * len(attempt.artifacts)
    return dict(Counter(artifact.kind for artifact in attempt.artifacts))


def check_files(suite: Suite, run: Run) -> None:
    """Each artifact is kept under its hash, and is what it says."""
    for attempt in run.attempts:
        for artifact in attempt.artifacts:
            path = suite.state_path / artifact.path
            assert path.stat().st_size == artifact.size_bytes
            if artifact.kind == "trace":
                assert artifact.content_type == "application/zip"
                assert "trace.trace" in zipfile.ZipFile(path).namelist()
            if artifact.kind == "screenshot":
                assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_failures_keep_trace_and_screenshot(suite: Suite, workers: str) -> None:
    """By default, of each context and page, also where set-up or tear-down failed."""
    suite.write("conftest.py", SITE)
    suite.write("test_it.py", FAILING)
    run = suite.run("-n", workers, warnings=True)
    assert run.summary == {"passed": 2, "failed": 1, "errors": 2}, run.output
    assert {a.workflow.workflow_id: kinds(a) for a in run.attempts} == {
        "passes": {},
        "fails": {"screenshot": 2, "trace": 2},
        "set-up": {"screenshot": 1, "trace": 1},
        "tear-down": {"screenshot": 1, "trace": 1},
    }
    assert all(artifact.step is None for a in run.attempts for artifact in a.artifacts)
    check_files(suite, run)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_attempt_keeps_its_own(suite: Suite, workers: str) -> None:
    """Files and events of a failed attempt stay with it when a later one passes."""
    suite.write("conftest.py", SITE)
    suite.write("test_it.py", FLAKY)
    run = suite.run("--reruns", "2", "-n", workers, warnings=True)
    assert run.summary == {"passed": 1, "rerun": 2}, run.output
    first, second, third = run.attempts
    assert [a.number for a in run.attempts] == [1, 2, 3]
    assert [kinds(a) for a in (first, second)] == [{"screenshot": 2, "trace": 1}] * 2
    assert [it.step is None for it in third.artifacts] == [False]  # the picture of the day
    assert {a.sha256 for a in first.artifacts}.isdisjoint(a.sha256 for a in second.artifacts)
    assert [[event.text for event in a.events] for a in run.attempts] == [["1"], ["2"], ["3"]]
    assert [len(a.pages) for a in run.attempts] == [1, 1, 1]
    check_files(suite, run)


PROPERTIES = """
    import pathlib
    import pytest

    pytestmark = pytest.mark.workflow

    def test_video(record_property):
        pathlib.Path("video.webm").write_bytes(b"film")
        record_property("playwright_video", "video.webm")
        record_property("colour", "green")

    def test_gone(record_property):
        record_property("playwright_trace", "gone.zip")
"""


def test_what_is_reported_is_kept(suite: Suite) -> None:
    """A path counts from where pytest was started; a file that is gone leaves the reason."""
    suite.write("test_it.py", PROPERTIES)
    run = suite.run()
    assert run.summary == {"passed": 2}, run.output
    (video,) = run.attempt("video").artifacts
    assert (video.kind, video.name, video.content_type) == ("video", "video.webm", "video/webm")
    assert (suite.state_path / video.path).read_bytes() == b"film"
    (gone,) = run.attempt("gone").artifacts
    assert (gone.kind, gone.name, gone.path) == ("trace", "gone.zip", "")
    assert "No such file" in gone.problem


SAYS = """
    def test_says(pytestconfig):
        option = pytestconfig.option
        print("POLICIES", option.tracing, option.screenshot, option.video)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("ini", "variable", "options", "expected"),
    [
        ("", "", [], "retain-on-failure only-on-failure off"),
        ("", "", ["--tracing", "off"], "off only-on-failure off"),
        ("--screenshot=off --video=on", "", [], "retain-on-failure off on"),
        ("", "--tracing=on", ["--screenshot=on"], "on on off"),
        ("", "", ["--no-workflow-monitor"], "off off off"),
    ],
)
def test_the_users_own_options_win(
    suite: Suite, workers: str, ini: str, variable: str, options: list[str], expected: str
) -> None:
    """From the command line, the ini file or the environment, also where they say `off`."""
    suite.write("pytest.ini", f"[pytest]\naddopts = {ini}\n")
    suite.write("test_it.py", SAYS)
    env = {"PYTEST_ADDOPTS": variable} if variable else {}
    run = suite.run("-rP", "-n", workers, *options, env=env, warnings=True)
    assert f"POLICIES {expected}" in run.output


def test_where_nothing_is_monitored_the_defaults_stay(suite: Suite) -> None:
    """Policies change with monitoring only."""
    suite.write("test_it.py", SAYS)
    run = suite.run("-rP", monitored=False, warnings=True)
    assert "POLICIES off off off" in run.output
