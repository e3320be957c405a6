from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.support import pytest_command

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

SUITE = """
    import pytest

    @pytest.mark.workflow("login", priority="critical")
    def test_login(): pass

    @pytest.mark.workflow("order", tags=("shop",))
    @pytest.mark.parametrize("currency", ["eur", "usd"])
    def test_order(currency): assert currency == "eur"

    def test_no_workflow(): assert False
"""


def ran(store: Store) -> dict[str, str]:
    """Return the workflows of the last session with their statuses."""
    document = store.session_document("last")
    return {it.workflow.workflow_id: it.status.value for it in document.executions}


def test_a_selection_runs_and_is_recorded(stored: Project, store: Store) -> None:
    """Only what is asked for runs, is stored, and the exit code is pytest's."""
    stored.write("tests/test_shop.py", SUITE)

    said = stored.spawn("run", "login", "--priority", "critical", "--", "-q")

    assert said.code == 0, said
    assert "Running 1 workflow: login" in said.err
    assert "1 passed" in said.out
    assert ran(store) == {"login": "passed"}


def test_pytest_arguments_pass_and_its_exit_code_comes_back(stored: Project, store: Store) -> None:
    """What follows -- is pytest's: xdist here; a failed test is exit code 1."""
    stored.write("tests/test_shop.py", SUITE)

    said = stored.spawn("run", "--tag", "shop", "--", "-n", "2", "-q")

    assert said.code == 1, said
    assert "1 failed, 1 passed" in said.out
    assert ran(store) == {"order[eur]": "passed", "order[usd]": "failed"}


def test_it_runs_from_any_folder_whatever_everyday_runs_leave_out(
    stored: Project, store: Store
) -> None:
    """A subfolder will do, and a selection in addopts does not hide workflows."""
    stored.write("tests/test_shop.py", SUITE)
    stored.write("pytest.ini", "[pytest]\naddopts = -p no:asyncio -m 'not workflow'\n")

    said = stored.spawn("run", "login", cwd=stored.path / "tests")

    assert said.code == 0, said
    assert ran(store) == {"login": "passed"}


def test_files_after_the_dashes_narrow_the_selection(stored: Project, store: Store) -> None:
    """A path among pytest's arguments says where to look; its other tests do not run."""
    stored.write("tests/test_shop.py", SUITE)
    stored.write("tests/test_more.py", SUITE.replace('"login"', '"more"').split("def test_no")[0])

    said = stored.spawn("run", "--priority", "critical", "--", "tests/test_more.py")

    assert said.code == 0, said
    assert ran(store) == {"more": "passed"}


def test_a_broken_file_is_never_silently_left_out(stored: Project, store: Store) -> None:
    """Named workflows run as if it were not there; otherwise the rest runs and pytest fails."""
    stored.write("tests/test_shop.py", SUITE)
    stored.write("tests/test_broken.py", "import no_such_module\n")

    named = stored.spawn("run", "login", "--", "-q")
    assert named.code == 0, named
    assert "tests/test_broken.py:1 cannot be imported" in named.err

    chosen = stored.spawn("run", "--priority", "critical", "--", "-q")
    assert chosen.code == 1, chosen
    assert "1 passed, 1 error" in chosen.out
    assert ran(store) == {"login": "passed"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["logn"], "Error: There is no workflow 'logn'; did you mean login?\n"),
        (["--priority", "low"], "Error: No workflow fits --priority low.\n"),
    ],
    ids=str,
)
def test_nothing_to_run_is_one_sentence(
    project: Project, arguments: list[str], sentence: str
) -> None:
    """When nothing matches, no session starts, and the exit code is 5 as pytest's would be."""
    project.write("tests/test_shop.py", SUITE)

    said = project.run("run", *arguments)

    assert (said.code, said.out, said.err) == (5, "", sentence)


def test_a_project_without_workflows_says_how_to_make_one(project: Project) -> None:
    """The empty state says what to do."""
    said = project.run("run")

    assert said.code == 5
    assert "mark a test with @pytest.mark.workflow" in said.err


def test_an_option_that_pytest_does_not_know_is_a_mistake(project: Project) -> None:
    """The refusal of pytest is told in one sentence, with exit code 2."""
    project.write("tests/test_shop.py", SUITE)

    said = project.run("run", "--", "--no-such-option")

    assert said.code == 2
    expected = "Error: pytest refuses its arguments: unrecognized arguments: --no-such-option.\n"
    assert said.err == expected


def test_thousands_of_tests_fit_into_the_command_line(project: Project) -> None:
    """5,000 selected tests reach pytest, by way of a file."""
    project.write(
        "tests/test_many.py",
        """
        import pytest

        @pytest.mark.workflow("many")
        @pytest.mark.parametrize("number", range(5_000))
        def test_a_rather_long_name_that_fills_the_command_line(number): pass
        """,
    )

    said = project.spawn("run", "many", "--", "--collect-only", "-q")

    assert said.code == 0, said.err
    assert "5000 tests collected" in said.out
    (selection,) = (project.path / ".workflow-monitor" / pytest_command.SELECTIONS).iterdir()
    assert len(selection.read_text().splitlines()) == 5_000


def test_equal_selections_share_a_file(tmp_path: Path) -> None:
    """Sessions at the same time cannot disturb each other, and files do not pile up."""
    short, long = ["a::b"], [f"tests/test_shop.py::test_{n}" for n in range(2_000)]

    assert pytest_command.as_arguments(short, tmp_path) == short
    assert pytest_command.as_arguments(long, tmp_path) == pytest_command.as_arguments(
        long, tmp_path
    )
    assert pytest_command.as_arguments(long[1:], tmp_path) != pytest_command.as_arguments(
        long, tmp_path
    )
    assert len(list((tmp_path / pytest_command.SELECTIONS).iterdir())) == 2


def test_old_selections_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of long ago goes when the next one is written."""
    long = [f"tests/test_shop.py::test_{n}" for n in range(2_000)]
    pytest_command.as_arguments(long, tmp_path)
    monkeypatch.setattr(pytest_command, "KEPT_SECONDS", -60)

    pytest_command.as_arguments(long[1:], tmp_path)

    assert len(list((tmp_path / pytest_command.SELECTIONS).iterdir())) == 1
