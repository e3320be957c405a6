"""Real runs of pytest for schedulers and workers that are killed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_workflow_monitor import settings as configuration
from pytest_workflow_monitor.shipping.shipment import replay
from tests.plugin.stored import until
from tests.schedule.killing import rhythm_of
from tests.schedule.timetable import ENVIRONMENT, PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.schedule.yard import Process, Yard

CONFIGURATION = f"""
    [tool.workflow_monitor]
    project = "{PROJECT}"
    environment = "{ENVIRONMENT}"
    worker_timeout_seconds = 10
    schedule_group_size = 2

    [tool.pytest.ini_options]
    testpaths = ["."]
    addopts = ["-p", "no:asyncio", "-p", "no:cacheprovider"]
"""
RUNS = """
    SELECT slot.slot_id, count(DISTINCT session.session_id) AS begun,
           count(DISTINCT session.session_id) FILTER (
               WHERE session.exit_status IN (0, 1) AND NOT session.is_interrupted
           ) AS ended
    FROM workflow_slots AS slot
    JOIN test_sessions AS session
        ON session.project = slot.project AND session.environment = slot.environment
       AND session.slot_at = slot.slot_at
    JOIN workflow_executions AS execution
        ON execution.session_id = session.session_id
       AND execution.workflow_id = slot.workflow_id
    GROUP BY slot.slot_id
"""


class RealRuns:
    """Tests that take a moment, run by pytest every ten seconds, two workflows in a process."""

    interval_seconds = 10
    settle_seconds = 240.0

    def prepare(self, yard: Yard, names: Sequence[str]) -> None:
        """Write the tests; schedulers read them."""
        yard.write("pyproject.toml", CONFIGURATION)
        lines = ["import time", "import pytest"]
        for it in names:
            marker = f'"{it}", cron="{rhythm_of(self)}", grace="60s"'
            function = it.replace("-", "_")
            lines += [
                f"@pytest.mark.workflow({marker})",
                f"def test_{function}(): time.sleep(0.3)",
            ]
        yard.write("test_it.py", "\n".join(lines) + "\n")

    def start(self, yard: Yard, kind: str) -> Process:
        """Start what an operator would."""
        if kind == "scheduler":
            return yard.start("schedule", "run", "--concurrency", "0")
        return yard.start("worker", "--concurrency", "2")

    def begin(self, yard: Yard, names: Sequence[str]) -> None:
        """Wait until a scheduler has read the tests."""
        until(lambda: len(yard.store.schedules(PROJECT, ENVIRONMENT, names)) == len(names), 120)

    def end(self, yard: Yard, names: Sequence[str]) -> None:
        """Let the schedules rest."""
        later = yard.store.clock() + timedelta(hours=1)
        yard.store.disable_schedules(
            PROJECT, ENVIRONMENT, names, until=later, actor="ann", reason="it is over"
        )

    def ran(self, yard: Yard) -> tuple[Counter[int], Counter[int]]:
        """Look at what the sessions stored; of those whose shipper was killed, from journals."""
        replay(configuration.load(yard.path, environ={}).state_path, yard.store)
        rows = yard.store.connection.execute(RUNS).fetchall()
        return (
            Counter({row["slot_id"]: row["begun"] for row in rows}),
            Counter({row["slot_id"]: row["ended"] for row in rows}),
        )
