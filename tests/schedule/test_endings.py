from __future__ import annotations

import pytest

from pytest_workflow_monitor.schedule.endings import Ending, How, verdict
from pytest_workflow_monitor.words.slots import SlotStatus

REFUSED = "usage: __main__.py [options]\n__main__.py: error: unrecognized arguments: --no-such\n"
BROKEN = "____ ERROR collecting test_it.py ____\nE   ModuleNotFoundError: no shop\n"

ENDINGS = [
    (Ending(how=How.ENDED, exit_code=0), SlotStatus.DONE, "", False),
    (Ending(how=How.ENDED, exit_code=1), SlotStatus.DONE, "", False),
    (
        Ending(how=How.ENDED, exit_code=2, output=BROKEN),
        SlotStatus.NOT_RUN,
        "pytest could not collect the tests (exit code 2): ModuleNotFoundError: no shop",
        True,
    ),
    (
        Ending(how=How.ENDED, exit_code=2, output="!! KeyboardInterrupt !!"),
        SlotStatus.DONE,
        "interrupted (exit code 2)",
        True,
    ),
    (
        Ending(how=How.ENDED, exit_code=3, output="INTERNALERROR> ZeroDivisionError: zero\n"),
        SlotStatus.DONE,
        "pytest itself failed (exit code 3, internal error): zero",
        True,
    ),
    (
        Ending(how=How.ENDED, exit_code=4, output=REFUSED),
        SlotStatus.NOT_RUN,
        "pytest refused its arguments (exit code 4): unrecognized arguments: --no-such",
        True,
    ),
    (
        Ending(how=How.ENDED, exit_code=5),
        SlotStatus.NOT_RUN,
        "pytest found no such test (exit code 5)",
        True,
    ),
    (
        Ending(how=How.ENDED, exit_code=77),
        SlotStatus.DONE,
        "ended with exit code 77, which is not one of pytest's",
        True,
    ),
    (Ending(how=How.ENDED, exit_code=-11), SlotStatus.DONE, "killed by SIGSEGV", True),
    (Ending(how=How.ENDED, exit_code=-99), SlotStatus.DONE, "killed by signal 99", True),
    (Ending(how=How.LIMIT, exit_code=-9), SlotStatus.DONE, "stopped at its limit of 1 min", True),
    (
        Ending(how=How.BROKEN, output="[Errno 2] No such file: 'python'"),
        SlotStatus.NOT_RUN,
        "pytest could not be started: [Errno 2] No such file: 'python'",
        True,
    ),
]


@pytest.mark.parametrize(("ending", "status", "reason", "is_problem"), ENDINGS)
def test_every_ending_is_said_in_words(
    ending: Ending, status: SlotStatus, reason: str, is_problem: bool
) -> None:
    """Tests that failed are the workflow's matter; everything else somebody has to look at."""
    found = verdict(ending, 60.0)
    assert (found.status, found.reason, found.is_problem) == (status, reason, is_problem)
