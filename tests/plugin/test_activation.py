"""When a session is monitored, what that imports, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.plugin.stored import TWO_WORKFLOWS

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

ONE = """
    import pytest

    @pytest.mark.workflow
    def test_one(): pass
"""
SHOW_IMPORTS = """
    import sys

    def pytest_unconfigure():
        heavy = {"psycopg", "jinja2", "slack_sdk", "discord_webhook", "yoyo", "croniter", "rich"}
        ours = {"msgspec", "pytest_workflow_monitor.settings"}
        print("imported:", *sorted((heavy | ours) & set(sys.modules)), ".")
"""
SHOW_LOGGERS = """
    import logging

    def pytest_unconfigure():
        names = logging.root.manager.loggerDict
        print("loggers:", *(it for it in names if it.startswith("pytest_workflow")), ".")
"""


@pytest.mark.parametrize(
    ("options", "environment", "ini", "is_active"),
    [
        ([], {}, "", False),
        (["--workflow-monitor"], {}, "", True),
        ([], {}, "workflow_monitor = true", True),
        ([], {"MONITORING_ENABLED": "true"}, "", True),
        ([], {"MONITORING_ENABLED": "false"}, "workflow_monitor = true", False),
        (["--no-workflow-monitor"], {"MONITORING_ENABLED": "true"}, "", False),
        (["--workflow-monitor"], {"MONITORING_ENABLED": "0"}, "", True),
        (["--workflow-json=out.json"], {}, "", True),
        (["--workflow-ctrf=out.json"], {}, "", True),
        (["--workflow-gate"], {}, "", True),
        ([], {}, "workflow_gate = true", False),
    ],
)
def test_what_switches_monitoring_on(
    suite: Suite, options: list[str], environment: dict[str, str], ini: str, is_active: bool
) -> None:
    """The option comes before the environment, and that before the ini file."""
    suite.write("test_shop.py", ONE)
    suite.write("pytest.ini", f"[pytest]\n{ini}\n")
    run = suite.run(*options, env=environment, monitored=False)
    assert run.result.ret == 0
    assert bool(run.attempts) is is_active
    assert ("= workflow monitor =" in run.output) is is_active


def test_a_switch_that_is_neither_on_nor_off_is_refused(suite: Suite) -> None:
    """A mistyped switch is one sentence, not a guess."""
    suite.write("test_shop.py", ONE)
    run = suite.run(env={"MONITORING_ENABLED": "maybe"}, monitored=False)
    assert run.result.ret == 4
    assert "MONITORING_ENABLED='maybe': expected true or false." in run.output


def test_a_wrong_maintenance_window_is_refused(suite: Suite) -> None:
    """Its cron expression is looked at before anything runs, not when a message is to be sent."""
    suite.write("test_shop.py", ONE)
    run = suite.run(
        env={"WORKFLOW_MONITOR_MAINTENANCE": '[{"cron": "0 25 * * *", "duration": "1h"}]'}
    )
    assert run.result.ret == 4
    assert "window 1: cron = '0 25 * * *': the hour field '25': 25 is out of" in run.output


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "xdist"])
def test_pytest_never_imports_a_driver_or_a_template_engine(
    suite: Suite, options: list[str]
) -> None:
    """Active, pytest's process encodes and appends only; inactive, it imports nothing of ours."""
    suite.write("test_shop.py", ONE)
    suite.write("conftest.py", SHOW_IMPORTS)
    assert (
        "imported: msgspec pytest_workflow_monitor.settings ." in suite.run("-s", *options).output
    )
    suite.write("test_shop.py", "def test_one(): pass")
    assert "imported: ." in suite.run("-s", *options, monitored=False).output


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "xdist"])
def test_nothing_is_logged_to_before_there_is_a_reason(suite: Suite, options: list[str]) -> None:
    """Each logger that exists costs every test of the suite: pytest visits them six times."""
    suite.write("test_shop.py", ONE)
    suite.write("conftest.py", SHOW_LOGGERS)
    assert "loggers: ." in suite.run("-s", *options).output


def test_collecting_only_leaves_nothing_behind(suite: Suite) -> None:
    """--collect-only records no session and starts no process."""
    suite.write("test_shop.py", ONE)
    suite.run("--collect-only")
    assert not suite.state_path.exists()


def test_github_actions_gets_a_summary(suite: Suite, database_url: str) -> None:
    """In GitHub Actions the verdict and what failed are added to the job's summary."""
    suite.write("test_shop.py", TWO_WORKFLOWS)
    summary = suite.write("summary.md", "before\n")
    suite.run(
        env={
            "DATABASE_URL": database_url,
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(summary),
        }
    )
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "1 of 2 workflows needs attention" in text
    assert "declined" in text


def test_the_terminal_summary_is_short(suite: Suite, database_url: str) -> None:
    """However much fails, monitoring says it in at most ten lines."""
    suite.write(
        "test_shop.py",
        """
        import pytest

        @pytest.mark.workflow
        @pytest.mark.parametrize("n", range(30))
        def test_many(n): assert False
        """,
    )
    run = suite.run(
        "--workflow-report=a.html", "--workflow-json=a.json", env={"DATABASE_URL": database_url}
    )
    lines = run.result.outlines
    first = next(n for n, line in enumerate(lines) if "= workflow monitor =" in line)
    last = next(n for n, line in enumerate(lines) if n > first and line.startswith("==="))
    assert last - first <= 10
    assert "30 of 30 workflows need attention" in lines[first + 1]
    assert any(line.startswith("report: ") and "a.html" in line for line in lines)
    assert (suite.path / "a.json").is_file()


def test_pytest_retry_is_named_as_unsupported(suite: Suite, database_url: str) -> None:
    """Whoever uses pytest-retry learns that its attempts are not seen, and what to use instead."""
    suite.write("test_shop.py", ONE)
    suite.write(
        "conftest.py",
        """
        def pytest_configure(config):
            config.pluginmanager.register(object(), "pytest-retry")
        """,
    )
    run = suite.run(env={"DATABASE_URL": database_url})
    assert "pytest-retry hides attempts" in run.output
