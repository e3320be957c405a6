"""What the exit codes of ``workflow-monitor`` say, and which error leads to which."""

from __future__ import annotations

from enum import IntEnum

from pytest_workflow_monitor.errors import (
    PytestRefusesError,
    SettingsError,
    StoreError,
    WorkflowMonitorError,
)


class Exit(IntEnum):
    """The exit codes; those of ``run`` are pytest's own once pytest has started."""

    FINE = 0
    NOT_ALL_WELL = 1
    MISTAKE = 2
    DATABASE = 3
    IN_THE_WAY = 4
    NOTHING_THERE = 5
    TOO_FAST = 6
    INTERRUPTED = 130


MEANINGS = {
    Exit.FINE: "done, and all is well",
    Exit.NOT_ALL_WELL: "done, but a test failed, or something was left out or left alone",
    Exit.MISTAKE: "a mistake in the command line, a setting or a workflow marker",
    Exit.DATABASE: "the database cannot be used",
    Exit.IN_THE_WAY: "tests cannot be collected, or a file cannot be read or written",
    Exit.NOTHING_THERE: "there is nothing with that id or those properties",
    Exit.TOO_FAST: "the machine could not keep up with the speed of a soak",
    Exit.INTERRUPTED: "stopped with Ctrl-C",
}
"""One line for each, as ``--help`` prints them."""


class ProgramMissingError(WorkflowMonitorError):
    """A program that is needed is not installed."""


class NothingThereError(WorkflowMonitorError):
    """There is nothing with that id."""


class NothingToShowError(NothingThereError):
    """There is no data yet: `workflow-monitor run` or `pytest --workflow-monitor` records some."""


def code_of(error: WorkflowMonitorError) -> Exit:
    """Choose the exit code that an error leads to."""
    for kind, code in (
        (NothingThereError, Exit.NOTHING_THERE),
        (SettingsError, Exit.MISTAKE),
        (PytestRefusesError, Exit.MISTAKE),
        (StoreError, Exit.DATABASE),
    ):
        if isinstance(error, kind):
            return code
    return Exit.IN_THE_WAY
