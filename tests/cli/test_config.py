from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Project


def test_each_setting_has_a_value_and_a_source(project: Project) -> None:
    """The file, the environment and the default are told apart."""
    project.env["WORKFLOW_MONITOR_LOCATION"] = "eu-west"

    said = project.run("config", "--json")

    assert said.code == 0
    assert said.json["root"] == str(project.path)
    settings = said.json["settings"]
    file = str(project.path / "pyproject.toml")
    variable = "environment variable WORKFLOW_MONITOR_LOCATION"
    assert settings["project"] == {"value": "shop", "source": file}
    assert settings["location"] == {"value": "eu-west", "source": variable}
    assert settings["history_length"] == {"value": 20, "source": "default"}


def test_the_table_fits_and_names_the_project(project: Project) -> None:
    """Every setting has its line, and none is longer than the terminal."""
    (project.path / "inner").mkdir()
    said = project.run("config")

    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("project ") and "pyproject.toml" in line for line in lines)
    assert any(line.startswith("location ") and " – " in line for line in lines)
    assert any(line.startswith("deadline_seconds ") and " 10 " in line for line in lines)


def test_secrets_are_hidden(project: Project) -> None:
    """No password is shown, in whatever form it was given."""
    for url in (
        "postgresql://joe:hunter2@db/shop",
        "postgresql://db/shop?user=joe&password=hunter2",
        "host=db password='hunter2'",
    ):
        project.env |= {"DATABASE_URL": url, "BASE_URL": "https://joe:hunter2@shop.example.com"}
        for options in ([], ["--json"]):
            said = project.run("config", *options)
            assert said.code == 0
            assert "hunter2" not in said.out
            assert "***" in said.out


def test_a_wrong_setting_is_a_mistake(project: Project) -> None:
    """Every command refuses an unknown setting in one sentence that names the nearest."""
    project.env["WORKFLOW_MONITOR_PROJET"] = "x"

    for command in (["config"], ["sessions"], ["list"], ["replay"], ["run"]):
        said = project.run(*command)
        assert (said.code, said.out) == (2, "")
        assert said.err.count("\n") == 1
        assert "unknown setting 'projet'; did you mean 'project'?" in said.err


def test_a_wrong_maintenance_window_is_a_mistake(project: Project) -> None:
    """Its cron expression is refused by every command, with the field that is wrong."""
    project.env["WORKFLOW_MONITOR_MAINTENANCE"] = '[{"cron": "0 25 * * *", "duration": "1h"}]'

    said = project.run("config")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "Error: environment variable WORKFLOW_MONITOR_MAINTENANCE: maintenance: window 1: "
        "cron = '0 25 * * *': the hour field '25': 25 is out of range; allowed 0-23.\n"
    )
