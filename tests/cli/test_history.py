from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Status
from tests.samples import a_session, an_attempt, an_end, at, run_id

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project


def keep(store: Store, seconds: float, status: Status = Status.PASSED, **session: object) -> str:
    """Store a session of one execution of ``login``; return its run id."""
    attempt = an_attempt(status=status, started_at=at(seconds + 1))
    start = a_session(started_at=at(seconds), **session)
    ingest(store, start, Batch(attempts=[attempt], ended=an_end(seconds + 60)))
    return attempt.run_id


def test_executions_are_listed_newest_first(stored: Project, store: Store) -> None:
    """Each execution has status, duration, trigger and commit, in a stable form for programs."""
    first = keep(store, 0)
    second = keep(store, 3_600, Status.FAILED, git_commit="abcdef123", environment="staging")

    said = stored.run("history", "login", "--json")

    assert (said.code, said.err) == (0, "")
    assert [it["run_id"] for it in said.json] == [second, first]
    newest = said.json[0]
    assert (newest["workflow_id"], newest["status"]) == ("login", "failed")
    assert (newest["environment"], newest["git_commit"]) == ("staging", "abcdef123")
    assert (newest["trigger"], newest["duration_ms"], newest["is_flaky"]) == ("ci", 1500, False)


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_its_ids_are_good_for_show(
    stored: Project, store: Store, width: int
) -> None:
    """Ids are whole where there is room; where not, what is shown of them is accepted."""
    run = keep(store, 0)
    keep(store, 3_600, environment="staging")

    said = stored.run("history", "login", width=width)

    assert max(map(len, said.out.splitlines())) <= width
    for fact in ("login of shop, 2 executions", "✓ Passed", "1 Mar", "1.5 s", "ci", "0d1e2f"):
        assert fact in said.out
    assert "staging" in said.out
    shown = said.out.split()[-1]
    assert run.startswith(shown)
    assert stored.run("show", shown, "--json").json["run_id"] == run


@pytest.mark.parametrize("name", ["checkout", "check*[*]"])
def test_parameters_and_globs_stand_for_several(stored: Project, store: Store, name: str) -> None:
    """What is before the bracket, or a glob, lists all of them, and each row says which it is."""
    for number, workflow in enumerate(("checkout[eur]", "login", "checkout[usd]")):
        attempt = an_attempt(workflow, started_at=at(number * 60))
        ingest(store, a_session(), Batch(attempts=[attempt], ended=an_end()))

    said = stored.run("history", name, "--json")

    assert [it["workflow_id"] for it in said.json] == ["checkout[usd]", "checkout[eur]"]
    assert len(stored.run("history", name, "--json", "--limit", "1").json) == 1
    shown = stored.run("history", name).out
    assert max(map(len, shown.splitlines())) <= 80
    assert "checkout[eur]" in shown


def test_a_workflow_of_just_this_name_is_meant_first(stored: Project, store: Store) -> None:
    """An id that is whole is not taken for the beginning of others."""
    for workflow in ("checkout", "checkout[eur]"):
        ingest(store, a_session(), Batch(attempts=[an_attempt(workflow)], ended=an_end()))

    (found,) = stored.run("history", "checkout", "--json").json
    assert found["workflow_id"] == "checkout"


def test_a_flaky_pass_is_told(stored: Project, store: Store) -> None:
    """An execution that passed after a failed attempt has a mark and a word of its own."""
    run = run_id()
    attempts = [
        an_attempt(run_id=run, status=Status.FAILED, will_retry=True),
        an_attempt(run_id=run, number=2),
    ]
    ingest(store, a_session(), Batch(attempts=attempts, ended=an_end()))

    assert "~ Flaky" in stored.run("history", "login").out


def test_options_narrow(stored: Project, store: Store) -> None:
    """Environment, project, number and age leave executions out."""
    keep(store, 0, environment="staging")
    other = keep(store, 100, project="garden")
    recent = (datetime.now(UTC) - at(0) - timedelta(hours=1)).total_seconds()
    newest = keep(store, recent)

    def found(*options: str) -> list[str]:
        return [it["run_id"] for it in stored.run("history", "login", "--json", *options).json]

    assert found("--environment", "production") == [newest]
    assert found("--project", "garden") == [other]
    assert found("--limit", "1") == [newest]
    assert found("--since", "2h") == [newest]
    assert found("--since", "2999-01-01") == []
    assert len(found("--since", "2026-02-28T00:00:00Z")) == 2


def test_nothing_left_is_told_apart_from_nothing_known(stored: Project, store: Store) -> None:
    """A known workflow whose executions the options leave out is no error; an unknown one is."""
    keep(store, 0)

    said = stored.run("history", "login", "--since", "1h")
    assert (said.code, said.err) == (0, "No execution of login fits these options.\n")

    said = stored.run("history", "lgoin")
    assert (said.code, said.out) == (5, "")
    assert said.err == (
        "Error: There is no execution of a workflow 'lgoin' of the project shop; did you mean "
        "login?\n"
    )


def test_a_moment_that_is_none_is_a_mistake(project: Project) -> None:
    """The message says what is allowed."""
    for much in ("700000d", "0001-01-01T00:00:00Z"):
        assert "from 1970 on" in project.run("history", "login", "--since", much, width=200).err
    said = project.run("history", "login", "--since", "yesterday")

    assert said.code == 2
    assert "'yesterday': expected a duration such as" in said.err
