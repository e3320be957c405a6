from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.model import Status
from tests.samples import a_session, an_attempt, an_end

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

SUITE = """
    import pytest

    @pytest.mark.workflow("login", priority="critical", cron="*/15 * * * *",
                          timezone="Europe/Berlin", owner="identity", tags=("smoke",))
    def test_login(): pass

    @pytest.mark.workflow(enabled=False)
    @pytest.mark.parametrize("currency", ["eur", "usd"])
    def test_checkout(currency): pass

    def test_no_workflow(): pass
"""


def test_everything_about_workflows_and_their_last_run(stored: Project, store: Store) -> None:
    """The list holds what the markers say and how each workflow ran last in this environment."""
    stored.write("tests/test_shop.py", SUITE)
    attempt = an_attempt("login", status=Status.FAILED)
    ingest(store, a_session(), Batch(attempts=[attempt], ended=an_end()))

    said = stored.run("list", "--json")

    assert (said.code, said.err) == (0, "")
    found = {it["workflow_id"]: it for it in said.json}
    assert list(found) == ["login", "checkout[eur]", "checkout[usd]"]
    login = found["login"]
    assert (login["cron"], login["timezone"]) == ("*/15 * * * *", "Europe/Berlin")
    assert (login["priority"], login["owner"], login["tags"]) == ("critical", "identity", ["smoke"])
    assert login["last"]["run_id"] == attempt.run_id
    assert (login["last"]["status"], login["last"]["duration_ms"]) == ("failed", 1500)
    assert found["checkout[eur]"]["enabled"] is False
    assert found["checkout[eur]"]["last"] is None


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(stored: Project, store: Store, width: int) -> None:
    """Narrow or wide, the same facts are shown, and no line is longer than the terminal."""
    stored.write("tests/test_shop.py", SUITE)
    ingest(store, a_session(), Batch(attempts=[an_attempt("login")], ended=an_end()))

    said = stored.run("list", width=width)

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= width
    for fact in ("login", "critical", "*/15 * * * *", "Europe/Berlin", "identity", "smoke"):
        assert fact in said.out
    for fact in ("✓ Passed", "1 Mar", "1.5 s", "checkout[usd]", "disabled", "never"):
        assert fact in said.out
    assert "\x1b" not in said.out


def test_an_interval_is_a_schedule_too(project: Project) -> None:
    """Where `every` stands in place of `cron`, the list says so."""
    project.write(
        "tests/test_shop.py",
        """
        import pytest

        @pytest.mark.workflow(every="5m")
        def test_often(): pass
        """,
    )
    assert "every 5 minutes" in project.run("list").out
    (often,) = project.run("list", "--json").json
    assert (often["cron"], often["every_seconds"]) == (None, 300)


def test_a_broken_file_does_not_hide_the_others(project: Project) -> None:
    """Each file that cannot be imported is one sentence; the rest is listed; the exit code is 1."""
    project.write("tests/test_shop.py", SUITE)
    project.write("tests/test_import.py", "import sys\nraise ImportError('not today.')\n")
    project.write("tests/test_syntax.py", "def test_x(:\n    pass\n")
    project.write("tests/inner/conftest.py", "1 / 0\n")
    project.write("tests/inner/test_inner.py", "def test_inner(): pass\n")

    said = project.run("list", "login")

    assert said.code == 1
    assert "login" in said.out
    assert sorted(said.err.splitlines()) == [
        "tests/inner/conftest.py:1 cannot be imported: ZeroDivisionError: division by zero.",
        "tests/test_import.py:2 cannot be imported: ImportError: not today.",
        "tests/test_syntax.py:1 cannot be imported: SyntaxError: invalid syntax.",
    ]


def test_mistakes_in_markers_are_told_all_at_once(project: Project) -> None:
    """A wrong marker is a mistake: a sentence for each with file and line, and exit code 2."""
    project.write(
        "tests/test_shop.py",
        """
        import pytest

        @pytest.mark.workflow(priority="urgent")
        def test_a(): pass

        @pytest.mark.workflow(retrys=1)
        def test_b(): pass
        """,
    )

    said = project.run("list")

    assert (said.code, said.out) == (2, "")
    first, second = said.err.splitlines()
    assert first.startswith("Error: tests/test_shop.py:3: workflow marker: priority='urgent'")
    assert second.startswith("tests/test_shop.py:6: workflow marker: unknown parameter 'retrys'")


def test_a_broken_conftest_is_one_sentence(project: Project) -> None:
    """Where pytest cannot even start, the reason is told without a traceback."""
    project.write("conftest.py", "import no_such_module\n")

    said = project.run("list")

    assert said.code == 4
    assert said.err.count("\n") == 1
    assert "conftest.py': ModuleNotFoundError: No module named 'no_such_module'." in said.err


def test_without_a_database_the_table_still_prints(project: Project) -> None:
    """A database that does not answer costs one notice, not the list, which claims nothing."""
    project.write("tests/test_shop.py", SUITE)
    project.env["DATABASE_URL"] = "postgresql://127.0.0.1:1/none"

    said = project.run("list", "login")

    assert said.code == 0
    assert "unknown" in said.out
    assert "never" not in said.out
    assert said.err.count("\n") == 1
    assert said.err.startswith("Without the last runs: The database")


def test_the_list_creates_nothing(project: Project) -> None:
    """Looking leaves no state directory, database or cache of ours behind."""
    said = project.run("list", "--json")

    assert (said.code, said.json) == (0, [])
    assert not (project.path / ".workflow-monitor").exists()


def test_the_setting_paths_says_where_to_look(project: Project) -> None:
    """The setting replaces pytest's testpaths, may hold spaces, and must exist."""
    project.write("more tests/test_more.py", SUITE.replace('"login"', '"other"'))
    project.write("tests/test_shop.py", SUITE)
    project.env["WORKFLOW_MONITOR_PATHS"] = "more tests"

    assert [it["workflow_id"] for it in project.run("list", "o*", "--json").json] == ["other"]

    project.env["WORKFLOW_MONITOR_PATHS"] = "nowhere"
    said = project.run("list")
    assert said.code == 2
    assert "WORKFLOW_MONITOR_PATHS: paths names 'nowhere', but there is no such file" in said.err
