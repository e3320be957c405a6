"""Runs every measurement and prints it: ``python -m tests.benchmarks [--tests N] [--rounds N]``."""

from __future__ import annotations

import argparse
import platform
from datetime import UTC, datetime

from tests.benchmarks import overhead


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--tests", type=int, default=10_000, help="tests in the suite")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the median is printed")
    parser.add_argument("--only", help="a variant's name, beside the bare one")
    options = parser.parse_args()
    print(
        f"{datetime.now(UTC):%Y-%m-%d} · {platform.machine()} · {platform.system()} · "
        f"Python {platform.python_version()} · {options.tests:,} tests · "
        f"median of {options.rounds} rounds\n"
    )
    overhead.measure(options.tests, options.rounds, options.only)


if __name__ == "__main__":
    main()
