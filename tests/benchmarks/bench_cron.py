"""What it costs to ask when a schedule runs next.

Run it as ``python -m tests.benchmarks.bench_cron``. Printed are, for expressions of each kind, the
microseconds of one question, forwards and backwards, averaged over questions a minute apart through
a change of clocks; then the seconds for the first and the second question about 10,000 workflows
whose expression holds ``H``, which is read anew for each of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cron import next_time, previous_time

if TYPE_CHECKING:
    from collections.abc import Callable

EXPRESSIONS = (
    "*/15 * * * *",
    "*/5 8-18 * * mon-fri",
    "30 2 * * *",
    "0 6 * * mon-fri",
    "0 0 L * *",
    "0 0 * * 1#3",
    "0 0 1 1 *",
    "0 0 29 2 */7",
)
ZONE = "Europe/Berlin"
START = datetime(2026, 3, 28, 12, tzinfo=UTC)
QUESTIONS = 2_000
WORKFLOWS = 10_000


def microseconds(ask: Callable[[str, str, datetime], datetime], expression: str) -> float:
    """Return what one question costs, once the expression has been read."""
    moments = [START + timedelta(minutes=number) for number in range(QUESTIONS)]
    ask(expression, ZONE, START)
    began = perf_counter()
    for moment in moments:
        ask(expression, ZONE, moment)
    return (perf_counter() - began) / QUESTIONS * 1e6


def main() -> None:
    """Measure and print."""
    for expression in EXPRESSIONS:
        later, earlier = (microseconds(ask, expression) for ask in (next_time, previous_time))
        print(f"{expression:22} next {later:5.1f} µs, previous {earlier:5.1f} µs")
    for which in ("first", "second"):
        began = perf_counter()
        for number in range(WORKFLOWS):
            next_time("H/15 * * * *", ZONE, START, f"shop.check-{number}")
        print(f"{which} look at {WORKFLOWS:,} workflows: {perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
