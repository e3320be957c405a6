from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from pytest_workflow_monitor.cli.application import application
from pytest_workflow_monitor.cli.exits import MEANINGS

if TYPE_CHECKING:
    from pytest_workflow_monitor.store import Store
    from tests.cli.conftest import Project

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "cli.md"
READING = (
    ["sessions"],
    ["dead-letters", "list"],
    ["alerts", "list"],
    ["silences", "list"],
    ["slo"],
    ["baselines"],
    ["deployments", "list"],
)
NEEDING = (
    ["show", "0199"],
    ["history", "login"],
    ["report"],
    ["dead-letters", "retry"],
    ["alerts", "show", "1"],
    ["alerts", "ack", "1"],
    ["alerts", "backtest"],
    ["silences", "end", "1"],
    ["badge"],
)
NO_DATA = "There is no data yet: `workflow-monitor run` or `pytest --workflow-monitor` records"


def test_help_is_quick() -> None:
    """Asking for help loads no database driver, no pytest and nothing that renders."""
    code = (
        "import sys; sys.argv = ['workflow-monitor', '--help']\n"
        "from pytest_workflow_monitor.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'psycopg', 'pytest', 'rich', 'jinja2', 'yoyo'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.endswith("[]\n")


def test_no_line_of_help_is_cut(project: Project) -> None:
    """What a command is for is a sentence that fits, in the help of every group."""
    groups = [name for name, it in application.commands.items() if isinstance(it, click.Group)]

    for group in ([], *([name] for name in groups)):
        lines = project.run(*group, "--help").out.splitlines()
        assert [it for it in lines if it.endswith("...") and "Usage:" not in it] == []
        assert max(map(len, lines)) <= 80


def test_the_version_is_the_packages(project: Project) -> None:
    """``--version`` tells which release this is."""
    installed = version("pytest-workflow-monitor")

    assert project.run("--version").out.strip().endswith(f" {installed}")


def test_exit_codes_and_commands_are_documented(project: Project) -> None:
    """The help and the documentation know every exit code, and the latter every command."""
    text, shown = DOCUMENTATION.read_text(), project.run("--help").out

    for code, meaning in MEANINGS.items():
        assert f"{code.value}  {meaning}" in shown
        assert f"| {code.value} | {meaning}" in text
    for name in application.commands:
        assert f"workflow-monitor {name}" in text


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_lists_are_empty_before_there_is_data(project: Project, command: list[str]) -> None:
    """Where nothing was stored yet, a list is empty, and no database is created to say so."""
    said = project.run(*command)
    assert (said.code, said.out) == (0, "")
    assert said.err.count("\n") == 1

    assert project.run(*command, "--json").json == []
    assert not (project.path / ".workflow-monitor").exists()


@pytest.mark.parametrize("command", NEEDING, ids=" ".join)
def test_questions_before_there_is_data_say_how_to_get_some(
    project: Project, empty_database_url: str, command: list[str]
) -> None:
    """One sentence and exit code 5, without a database and with one that has no tables."""
    for url in ("", empty_database_url):
        project.env["DATABASE_URL"] = url
        said = project.run(*command)
        assert (said.code, said.out) == (5, "")
        assert said.err == f"Error: {NO_DATA} some.\n"
    assert not (project.path / ".workflow-monitor").exists()


@pytest.mark.parametrize("command", [*READING, *NEEDING], ids=" ".join)
def test_a_database_that_is_away_is_one_sentence(project: Project, command: list[str]) -> None:
    """No traceback, no password: what is wrong and what to do, with exit code 3."""
    project.env["DATABASE_URL"] = "postgresql://joe:hunter2@127.0.0.1:1/none"

    said = project.run(*command)

    assert (said.code, said.out) == (3, "")
    assert said.err.count("\n") == 1
    assert said.err.startswith("Error: The database postgresql://joe:***@127.0.0.1:1/none")


def test_the_embedded_server_is_started_for_a_question(project: Project) -> None:
    """Without a DATABASE_URL, what a session stored in the project is found again."""
    project.write("tests/test_a.py", "import pytest\n@pytest.mark.workflow\ndef test_a(): pass\n")
    assert project.spawn("run", "--", "-q").code == 0

    (session,) = project.run("sessions", "--json").json

    assert (session["project"], session["executions_passed"]) == ("shop", 1)


def test_a_mistyped_command_is_a_mistake(project: Project) -> None:
    """A command that does not exist ends with exit code 2."""
    assert project.run("lst").code == 2


def test_ctrl_c_ends_quietly(project: Project) -> None:
    """A command that is interrupted says nothing more, and its exit code is 130."""
    project.write(
        "tests/test_slow.py",
        """
        import os, signal, threading

        os.kill(os.getppid(), signal.SIGINT)
        threading.Event().wait(60)
        """,
    )

    said = project.spawn("list")

    assert said.code == 130
    assert said.err.strip() == ""


@pytest.mark.parametrize(
    "command",
    [
        ["history", "login", "--limit"],
        ["sessions", "--limit"],
        ["alerts", "list", "--limit"],
        ["alerts", "show"],
        ["alerts", "ack"],
        ["alerts", "ack", "--incident"],
        ["silences", "end"],
        ["dead-letters", "retry"],
        ["dead-letters", "drop", "--yes"],
        ["reports", "show"],
    ],
    ids=" ".join,
)
def test_a_number_larger_than_any_is_a_mistake(stored: Project, command: list[str]) -> None:
    """What the database has no room for is not asked of it: the allowed range is named."""
    said = stored.run(*command, "9" * 20, width=200)

    assert (said.code, said.out) == (2, "")
    assert "is not in the range 1<=x<=" in said.err


@pytest.mark.parametrize(
    "command",
    [
        ["history"],
        ["schedule", "slots"],
        ["deployments", "list", "--environment"],
        ["silences", "add", "--for", "1h", "--reason", "x", "--workflow"],
    ],
    ids=" ".join,
)
def test_an_argument_that_is_no_text_is_a_mistake(
    stored: Project, store: Store, command: list[str]
) -> None:
    """Bytes that are not UTF-8 are shown escaped, in one sentence."""
    said = stored.run(*command, "shop\udcff", "--json")

    assert (said.code, said.out) == (2, "")
    assert said.err == "Error: 'shop\\udcff' is not text in UTF-8.\n"


def test_it_works_where_nobody_reads(project: Project) -> None:
    """A standard output that was closed beforehand, as some supervisors do, is no mistake."""
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"]
    program = [sys.executable, "-m", "pytest_workflow_monitor.cli", "config", "--json"]

    done = subprocess.run(
        [*shell, *program],
        cwd=project.path,
        env=project.environment(),
        stderr=subprocess.PIPE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", [["config"], ["config", "--json"], ["--help"]], ids=" ".join)
def test_a_reader_that_has_seen_enough_ends_it_quietly(
    project: Project, command: list[str]
) -> None:
    """Output into a closed pipe, as with ``| head``, leaves nothing on standard error."""
    reading, writing = os.pipe()
    os.close(reading)

    process = project.start(*command, stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=60)

    assert err == b""


@pytest.mark.parametrize(
    "command", [["config"], ["--help"], ["--version"], ["list", "--help"]], ids=" ".join
)
def test_output_that_cannot_be_written_is_told(project: Project, command: list[str]) -> None:
    """A full disk is told in one sentence, whatever is printed."""
    with Path("/dev/full").open("w") as full:
        process = project.start(*command, stdout=full)
        _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (4, b"Error: No space left on device.\n")
