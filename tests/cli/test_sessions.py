from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import SessionEnded, Status
from tests.samples import a_session, an_attempt, an_end, at, run_id

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


def keep(
    store: Store, *statuses: Status, start: float = 0, ended: SessionEnded | None = None, **of: str
) -> str:
    """Store a session whose executions have these statuses; return its id."""
    session = a_session(started_at=at(start), **of)
    attempts = [an_attempt(f"workflow-{n}", status=it) for n, it in enumerate(statuses)]
    ingest(store, session, Batch(attempts=attempts, ended=ended or an_end(start + 60)))
    return session.session_id


def test_each_session_shows_its_worst(stored: Project, store: Store) -> None:
    """The verdict of a session is its worst status and how many executions had it."""
    passed, failed = Status.PASSED, Status.FAILED
    keep(store, passed, start=1)
    keep(store, failed, passed, Status.DEGRADED, start=2)
    keep(store, passed, Status.DEGRADED, start=3)
    keep(store, Status.SKIPPED, start=4)
    keep(store, start=5)
    keep(store, passed, start=6, ended=SessionEnded(ended_at=at(9), interrupted=True))
    ingest(store, a_session(started_at=at(7)), Batch(attempts=[an_attempt()]))
    flaky = run_id()
    attempts = [
        an_attempt(run_id=flaky, status=failed, will_retry=True),
        an_attempt(run_id=flaky, number=2),
    ]
    ingest(store, a_session(started_at=at(8)), Batch(attempts=attempts, ended=an_end()))

    said = stored.run("sessions")

    assert max(map(len, said.out.splitlines())) <= 80
    verdicts = [line.partition("  ")[0] for line in said.out.splitlines()[3:]]
    assert verdicts == [
        "~ Flaky 1 of 1",
        "… Running",
        "⊗ Interrupted",
        "– No workflows",
        "– Skipped 1 of 1",
        "! Degraded 1 of 2",
        "✗ Failed 1 of 3",
        "✓ Passed 1 of 1",
    ]


def test_other_projects_are_left_out_unless_asked_for(stored: Project, store: Store) -> None:
    """A database that several repositories share shows each its own."""
    own, other = keep(store), keep(store, project="garden", start=9)

    def found(*options: str) -> list[str]:
        return [it["session_id"] for it in stored.run("sessions", "--json", *options).json]

    assert found() == [own]
    assert found("--project", "garden") == [other]
    assert found("--all-projects") == [other, own]
    assert found("--all-projects", "--limit", "1") == [other]
    assert "garden" in stored.run("sessions", "--all-projects", width=120).out


def test_long_names_do_not_break_ids(stored: Project, store: Store) -> None:
    """A branch, however long, leaves ids whole, so that they can be copied."""
    branch = "feature/" + "x" * 80
    session = keep(store, Status.PASSED, git_branch=branch, environment="production-europe-west")

    lines = stored.run("sessions", width=120).out.splitlines()

    assert max(map(len, lines)) <= 120
    assert any(line.endswith(session) for line in lines)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("workflow-report.html", []),
        ("workflow-report.json", ["--format", "json"]),
        ("workflow-report.md", ["--format", "markdown"]),
        ("out/mine.json", ["--output", "out/mine.json"]),
        ("mine.txt", ["--output", "mine.txt", "--format", "markdown"]),
    ],
)
def test_a_report_of_the_last_session(
    stored: Project, store: Store, name: str, options: list[str]
) -> None:
    """The report is written where it is said or by its format, and its path is all of stdout."""
    keep(store, Status.PASSED)
    last = keep(store, Status.FAILED, start=9)

    said = stored.run("report", *options)

    assert (said.code, said.out) == (0, f"{name}\n")
    assert last in said.err
    text = (stored.path / name).read_text()
    if name.endswith(".json"):
        assert json.loads(text)["session"]["session_id"] == last
    else:
        assert "1 of 1 workflow needs attention" in text


def test_a_report_on_standard_output(stored: Project, store: Store) -> None:
    """A dash as output gives the report itself, and nothing else, for other programs."""
    session = keep(store, Status.PASSED)

    said = stored.run("report", "--output", "-", "--format", "json")

    assert (said.code, said.err) == (0, "")
    assert said.json["session"]["session_id"] == session
    assert [it.name for it in stored.path.iterdir()] == ["pyproject.toml"]


def test_a_report_of_an_earlier_session(stored: Project, store: Store) -> None:
    """A session is named by the beginning of its id."""
    earlier = keep(store, Status.PASSED)
    keep(store, Status.FAILED, start=9)

    assert earlier in stored.run("report", "--session", earlier[:18]).err
    assert stored.run("report", "--session", "").code == 5
    said = stored.run("report", "--session", "0199")
    assert (said.code, said.out) == (5, "")


def test_a_report_that_cannot_be_written_is_one_sentence(stored: Project, store: Store) -> None:
    """A folder that cannot be made is told, with exit code 4."""
    keep(store, Status.PASSED)
    stored.write("file", "")

    for form in ("html", "markdown"):
        said = stored.run("report", "--output", "file/report", "--format", form)
        assert said.code == 4
        assert said.err.count("\n") == 1


def test_a_project_without_sessions_is_told_apart(stored: Project, store: Store) -> None:
    """In a database that only others use, there is nothing to report."""
    keep(store, project="garden")

    said = stored.run("report")

    assert said.code == 5
    assert said.err == "Error: There is no session of shop yet.\n"
