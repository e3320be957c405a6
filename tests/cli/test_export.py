from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_workflow_monitor.schedule.export import FORMATS
from tests.schedule.export.readers import read_crontab

if TYPE_CHECKING:
    from tests.cli.conftest import Project

SUITE = """
    import pytest

    @pytest.mark.workflow("login", cron="*/15 * * * *", owner="identity")
    def test_login(): pass

    @pytest.mark.workflow("order", cron="*/15 * * * *")
    def test_order(): pass

    @pytest.mark.workflow("staging-only", cron="@hourly", environments=["staging"])
    def test_staging(): pass

    @pytest.mark.workflow("off", cron="@hourly", enabled=False)
    def test_off(): pass

    @pytest.mark.workflow("by-hand")
    def test_by_hand(): pass
"""
LAST = """
    import pytest

    @pytest.mark.workflow("month-end", cron="0 9 L * *")
    def test_month_end(): pass
"""


def test_a_crontab_on_standard_output(project: Project) -> None:
    """Of the workflows that run by themselves in this environment, with the program's own path."""
    project.write("tests/test_shop.py", SUITE)
    said = project.run("export", "crontab", "--tz", "UTC")
    assert (said.code, said.err) == (0, "")
    table = read_crontab(said.out, has_users=False)
    (entry,) = table.entries
    assert table.variables["WORKFLOW_MONITOR_ENVIRONMENT"] == "production"
    assert entry.command.startswith(f"cd {project.path} && /")
    assert entry.command.endswith("/workflow-monitor run login order")
    again = project.run("export", "crontab", "--tz", "UTC", "--output", "-")
    assert again.out == said.out


def test_what_is_left_out_is_told(project: Project) -> None:
    """One sentence for each, and exit code 1; the others are there."""
    project.write("tests/test_shop.py", SUITE)
    project.write("tests/test_last.py", LAST)
    said = project.run("export", "crontab", "--tz", "UTC")
    assert said.code == 1
    assert said.err == (
        "month-end is left out: five fields know neither last nor numbered days of the month.\n"
    )
    assert "run login order" in said.out
    assert project.run("export", "systemd").code == 0


def test_files_where_they_are_wanted(project: Project) -> None:
    """Several go into a folder, a single one becomes the file."""
    project.write("tests/test_shop.py", SUITE)
    said = project.run("export", "systemd", "--output", "units", "--folder", "/srv/shop")
    assert said.code == 0
    names = {it.name for it in (project.path / "units").iterdir()}
    assert names == {f"workflow-monitor-shop-every-15-minutes.{it}" for it in ("service", "timer")}
    assert said.out == ""
    project.run("export", "kubernetes", "--image", "shop:1", "--output", "jobs.yaml")
    jobs = [it for it in yaml.safe_load_all((project.path / "jobs.yaml").read_text()) if it]
    assert [it["kind"] for it in jobs] == ["CronJob"]


def test_properties_and_ids_narrow_an_export(project: Project) -> None:
    """As they do a list."""
    project.write("tests/test_shop.py", SUITE)
    said = project.run("export", "github-actions", "--owner", "identity")
    assert "workflow-monitor run login\n" in said.out.replace('"', "")
    said = project.run("export", "gitlab-ci", "by-*")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("No workflow has a schedule")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("kubernetes",), "--image says which container image"),
        (("crontab", "--tz", "Mars/Base"), "expected an IANA time zone"),
        (("launchd",), "is not one of"),
    ],
)
def test_mistakes_of_the_command_line(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2."""
    project.write("tests/test_shop.py", SUITE)
    found = project.run("export", *arguments)
    assert found.code == 2
    assert said in found.err


def test_help_names_every_format(project: Project) -> None:
    """Those of the mapping are those of the command."""
    said = project.run("export", "--help").out
    assert all(name in said for name in FORMATS)
    assert all("Invalid value" not in project.run("export", it, "--help").err for it in FORMATS)
