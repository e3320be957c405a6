"""Whether a slot is ever lost or doubled while schedulers and workers are killed at random.

Run it as ``python -m tests.benchmarks.kills [--kills 200] [--pause 0.4] [--seed 1] [--pytest]``.
Three schedulers and four workers serve eight workflows that are due every two seconds; a run is a
command that notes in one transaction that it ran. With ``--pytest`` it is pytest, every ten
seconds, by the commands that an operator would use. Killed are schedulers, workers and what workers
start: guards, pytest, shippers. Printed is what became of every slot.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import monotonic

from pytest_workflow_monitor.store import embedded
from tests.conftest import throw_away_folder
from tests.schedule.killing import SCHEDULERS, WORKERS, Massacre, StandIns
from tests.schedule.real_runs import RealRuns
from tests.schedule.yard import Yard

WORKFLOWS = 8


def main() -> int:
    """Kill and print; 1 if a slot was doubled or lost without a word."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.4, help="seconds between two, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pytest", action="store_true", help="run pytest, not a stand-in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=throw_away_folder()) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = embedded.join(folder / "state")
        (folder / "yard").mkdir()
        yard = Yard(folder / "yard", server.url)
        began = monotonic()
        try:
            kind = RealRuns() if options.pytest else StandIns()
            massacre = Massacre(yard, WORKFLOWS, options.seed, kind)
            account = massacre.carry_out(options.kills, options.pause)
        finally:
            yard.close()
            server.leave()
    print(f"{account.kills} kills of {SCHEDULERS} schedulers, {WORKERS} workers and their runs")
    print(f"{account.expected} slots expected, in {monotonic() - began:.0f} s")
    print("recorded: " + ", ".join(f"{n} {it}" for it, n in account.statuses.most_common()))
    print(f"ran: {account.ran}, given to another worker: {account.retried}")
    print(f"doubled: {len(account.doubled)}, without a word: {len(account.silent)}")
    for problem in (*account.doubled, *account.silent):
        print(f"  {problem}")
    return 1 if account.doubled or account.silent else 0


if __name__ == "__main__":
    sys.exit(main())
