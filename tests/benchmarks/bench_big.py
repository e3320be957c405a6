"""What ``status``, reports, a history and pruning cost with ten million executions.

Run it as ``python -m tests.benchmarks.bench_big --state-path FOLDER``. To fill the server of that
folder takes half an hour and 20 GB the first time, and is not repeated; ``--executions`` makes
it smaller. Each statement counts by itself against the bar of 150 ms: its median on the clock, and
what the server's process used of a processor. A day of executions, and one of steps and metrics, is
pruned while sessions are stored as fast as they can be.
"""

from __future__ import annotations

import argparse
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Self

from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.keeping import pruning
from pytest_workflow_monitor.reporting import make
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.standing import SECTIONS, Asked
from pytest_workflow_monitor.store import Store, open_store
from pytest_workflow_monitor.words.periods import PeriodKind, last_period
from tests.benchmarks.big.filling import DAYS, DETAIL_DAYS, PROJECT, WORKFLOWS, fill
from tests.benchmarks.big.timing import Cost, Meter
from tests.samples import a_session, a_workflow, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable

BAR_MS = 150.0
BAR_SECONDS = 10.0


class Writer:
    """Stores sessions of ten executions, one after the other, until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.took: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _write(self) -> None:
        with open_store(self._settings) as store:
            while not self._is_over.is_set():
                now = datetime.now(UTC)
                attempts = [
                    an_attempt(a_workflow(f"workflow-{number}"), started_at=now)
                    for number in range(10)
                ]
                session = a_session(project=PROJECT, started_at=now)
                started = perf_counter()
                ingest(store, session, Batch(attempts=attempts))
                self.took.append(perf_counter() - started)


def questions(store: Store, settings: Settings, now: datetime) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    workflow = f"workflow-{WORKFLOWS // 2}"

    def status() -> None:
        asked = Asked(store, settings, now)
        for section in SECTIONS.values():
            section(asked)

    def report(kind: PeriodKind) -> Callable[[], object]:
        rule = ReportRule(name=kind.value, period=kind)
        return lambda: make(store, settings, rule, last_period(kind, now), now)

    def history() -> None:
        found = store.history(workflow, since=now - timedelta(days=30), limit=5_000)
        store.sessions_of([it.session_id for it in found])

    return {
        "status": status,
        "daily report": report(PeriodKind.DAILY),
        "weekly report": report(PeriodKind.WEEKLY),
        "30 days of a workflow": history,
        "db stats": lambda: store.table_statistics(now),
    }


def ask(settings: Settings, rounds: int) -> None:
    """Print what each question costs, and the dearest of its statements."""
    print("| question | wall ms | server ms | statements | the dearest of them |")
    print("|---|---|---|---|---|")
    with open_store(settings) as probe:
        names = list(questions(probe, settings, probe.clock()))
    for name in names:
        with open_store(settings) as store:
            act = questions(store, settings, store.clock())[name]
            act()  # so that what it reads is in memory, as with any database in use
            meter, whole = Meter(store), Cost()
            for _ in range(rounds):
                with meter.measure(whole):
                    act()
            dearest = sorted(meter.statements.items(), key=lambda it: -it[1].wall)[:3]
            said = ", ".join(f"{it} {cost.wall:.0f} ({cost.server:.0f})" for it, cost in dearest)
            print(
                f"| {name} | {whole.wall:.0f} | {whole.server:.0f} | {len(meter.statements)} "
                f"| {said} |",
                flush=True,
            )


def prune(settings: Settings, now: datetime) -> None:
    """Print what a day of pruning takes while sessions are stored, and what those take."""
    with open_store(settings) as store:
        print(f"\nprepared: {_seconds(lambda: pruning.prune(store, settings, now=now)):.1f} s")
        with Writer(settings) as alone:
            threading.Event().wait(5.0)
        with Writer(settings) as writer:
            tomorrow = now + timedelta(days=1)
            started = perf_counter()
            done = pruning.prune(store, settings, now=tomorrow)
            took = perf_counter() - started
    rows = ", ".join(f"{count:,} {name}" for name, count in done.rows.most_common())
    print(f"a day pruned in {took:.1f} s: {rows}")
    print(f"sessions stored alone: {_said(alone.took)}")
    print(f"sessions stored meanwhile: {_said(writer.took)}")


def _seconds(act: Callable[[], object]) -> float:
    started = perf_counter()
    act()
    return perf_counter() - started


def _said(took: list[float]) -> str:
    ordered = sorted(took)
    middle, high = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return f"{len(took)}, median {middle * 1000:.0f} ms, 99 of 100 within {high * 1000:.0f} ms"


def main() -> None:
    """Fill what is missing, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_big")
    parser.add_argument("--state-path", type=Path, required=True, help="where the server's data is")
    parser.add_argument("--executions", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--without-prune", action="store_true", help="leave the data as it is")
    options = parser.parse_args()
    settings = Settings(
        root=Path.cwd(),
        sources={},
        project=PROJECT,
        environment="production",
        state_dir=options.state_path.resolve(),
        execution_days=DAYS,
        detail_days=DETAIL_DAYS,
    )
    with open_store(settings) as store:
        fill(store, options.executions)
        now = store.clock()
    ask(settings, options.rounds)
    if not options.without_prune:
        prune(settings, now)


if __name__ == "__main__":
    main()
