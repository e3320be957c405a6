"""Fills a database with a history: ``python -m tests.history --days 90 --seed 7 --url …``."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.store import open_store
from tests.history import fill, plan_of
from tests.history.playing import PROJECT


def main() -> None:
    """Fill the database that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m tests.history", description=__doc__)
    parser.add_argument("--days", type=int, default=90, help="how long the history is")
    parser.add_argument("--seed", type=int, default=7, help="of its chances")
    parser.add_argument("--until", type=_instant, help="its end, such as 2026-11-22T00:00Z")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", default="", help="a PostgreSQL URL")
    where.add_argument("--state-path", type=Path, help="the folder of an embedded server")
    given = parser.parse_args()
    until = given.until or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    truth = plan_of(days=given.days, seed=given.seed, until=until)
    state = given.state_path.resolve() if given.state_path else Path(".workflow-monitor")
    settings = Settings(
        root=Path.cwd(), sources={}, project=PROJECT, database_url=given.url, state_dir=state
    )
    started = perf_counter()
    with open_store(settings) as store:
        filled = fill(store, truth)
    print(  # noqa: T201 - a command line
        f"{truth.start_at:%Y-%m-%d %H:%M} to {truth.end_at:%Y-%m-%d %H:%M} UTC: "
        f"{filled.executions.total():,} executions in {filled.sessions:,} sessions "
        f"({filled.by_ingest:,} of them by ingest), {filled.missed} missed slots, "
        f"{filled.messages} messages, in {perf_counter() - started:.0f} s"
    )


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
