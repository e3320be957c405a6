from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.errors import SettingsError
from pytest_workflow_monitor.settings import load
from pytest_workflow_monitor.settings.crons import check_crons

if TYPE_CHECKING:
    from pathlib import Path


def test_wrong_expressions_are_told_with_their_places(tmp_path: Path) -> None:
    """One sentence for each, all at once: file, name, what was given, and what is allowed."""
    (tmp_path / "workflow-monitor.toml").write_text(
        """
        [[maintenance]]
        name = "nightly"
        cron = "0 25 * * *"
        duration = "2h"

        [[maintenance]]
        cron = "0 2 * * 1-5"
        duration = "2h"

        [[maintenance]]
        cron = "never"
        duration = "2h"

        [[reports]]
        name = "team"
        cron = "61 8 * * *"
        """
    )
    with pytest.raises(SettingsError) as caught:
        check_crons(load(tmp_path, environ={}))
    first, second, third = str(caught.value).splitlines()
    path = tmp_path / "workflow-monitor.toml"
    assert first == (
        f"{path}: maintenance: nightly: cron = '0 25 * * *': "
        "the hour field '25': 25 is out of range; allowed 0-23."
    )
    assert "window 3: cron = 'never': not a cron expression (it has 1 field)" in second
    assert third.startswith(f"{path}: reports: team: cron = '61 8 * * *': the minute field '61'")


def test_right_expressions_and_none_pass(tmp_path: Path) -> None:
    """Nothing is asked of settings in which nobody wrote one."""
    check_crons(load(tmp_path, environ={}))
    windows = '[{"cron": "@daily", "duration": "1h"}]'
    check_crons(load(tmp_path, environ={"WORKFLOW_MONITOR_MAINTENANCE": windows}))
