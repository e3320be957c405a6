"""A scheduler or worker whose runs are a cheap command instead of pytest.

That command notes in one transaction that it ran, as a session that has ended: so a slot with two
of them ran twice, whatever the tables of slots say.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor import settings as configuration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.schedule.runner import Run
    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.words.queues import Appointment
    from pytest_workflow_monitor.words.slots import Schedule

RUN_SECONDS = 0.1
INSERT = """
    INSERT INTO workflow_monitor.test_sessions (
        session_id, project, environment, location, triggered_by, started_at, ended_at,
        exit_status, is_interrupted, tests_collected, host, pid, rootdir, arguments, git_commit,
        git_branch, ci_name, ci_url, notifies, versions, journal_version
    ) VALUES (%s, 'shop', 'local', '', 'schedule', %s, %s, 0, false, 1, '', 1, '', %s, '', '', '',
              '', false, '{}', 1)
"""


def run_once() -> None:
    """Be the run of some slots."""
    import psycopg

    appointment = json.loads(os.environ["WORKFLOW_MONITOR_SLOT"])
    started_at = datetime.now(UTC)
    time.sleep(RUN_SECONDS)  # a run takes some time
    slots = json.dumps([str(it) for it in appointment["slot_ids"]])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            INSERT, [appointment["session_id"], started_at, datetime.now(UTC), slots]
        )


def plan(settings: Settings, schedules: Sequence[Schedule], appointment: Appointment) -> Run:
    """Say how slots run: by this program."""
    from pytest_workflow_monitor.schedule.runner import Run

    command = (sys.executable, __file__, "run")
    return Run(command=command, appointment=appointment, limit_seconds=60.0)


def serve(kind: str) -> int:
    """Be a scheduler without a worker, or a worker."""
    from pytest_workflow_monitor.schedule import logs, runner
    from pytest_workflow_monitor.schedule.chores import CATALOGUE, CHORES, Chore
    from pytest_workflow_monitor.schedule.service import Options, Service

    runner.plan = plan
    CHORES.clear()  # the schedules are given, and there is nothing else to look after
    CHORES[CATALOGUE] = Chore(3600.0, lambda _, __: "")
    logs.configure("info", "json")
    is_scheduler = kind == "scheduler"
    options = Options(schedules=is_scheduler, concurrency=0 if is_scheduler else 2)
    return asyncio.run(Service(configuration.load(Path.cwd()), options).run())


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run_once()
    else:
        sys.exit(serve(sys.argv[1]))
