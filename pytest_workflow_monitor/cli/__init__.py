"""The command ``workflow-monitor``: one module per group of commands."""

from __future__ import annotations


def main() -> None:
    """Run the command ``workflow-monitor`` with the arguments of this process."""
    from pytest_workflow_monitor.cli.application import application

    application(prog_name="workflow-monitor")
