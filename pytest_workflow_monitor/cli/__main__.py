"""``python -m pytest_workflow_monitor.cli``: the command, where its script is not on the path."""

from pytest_workflow_monitor.cli import main

main()
