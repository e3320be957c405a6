"""What recording costs a test, as exactly as a noisy machine allows.

Run it as ``python -m tests.benchmarks.bench_recording [--tests 20000]``. One session runs so many
trivial tests and records every other block of 32: neighbours share the machine's mood, so that the
difference between two is that of recording. Medians over some 300 pairs; processor time of
pytest's process alone, without a database, and without the start and end of the session.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from tests.benchmarks.blocks import VARIABLE
from tests.benchmarks.overhead import PEERS, write_suite

LEAST_TESTS = 1_000
NOWHERE = "postgresql://127.0.0.1:1/none"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.bench_recording", description=__doc__
    )
    parser.add_argument("--tests", type=int, default=20_000, help="tests in the suite")
    parser.add_argument("--steps", type=int, default=0, help="steps in each test")
    options = parser.parse_args()
    if options.tests < LEAST_TESTS:
        parser.error(f"--tests {options.tests}: at least {LEAST_TESTS}, to have pairs to compare")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        pairs = _measured(Path(folder), options.tests, options.steps)
    bare, cost = median(it for it, _ in pairs), [recorded - bare for bare, recorded in pairs]
    low, middle, high = (part * 1e6 for part in quantiles(cost, n=4))
    steps = f" with {options.steps} steps" if options.steps else ""
    print(
        f"A trivial test{steps} takes {bare * 1e6:.0f} µs; recording adds {middle:.0f} µs "
        f"(half of {len(cost)} pairs: {low:.0f} to {high:.0f}), × {1 + middle / 1e6 / bare:.3f}.\n"
    )


def _measured(root: Path, tests: int, steps: int) -> list[tuple[float, float]]:
    """Return pairs of processor seconds a test: bare, and recorded."""
    write_suite(root / "suite", tests, steps=steps)
    result = root / "pairs.json"
    without = [f"-pno:{name}" for name in PEERS if name != "workflow_monitor"]
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", *without]
    options = ["-p", "tests.benchmarks.blocks", "--workflow-monitor", "--workflow-all"]
    environment = os.environ | {
        VARIABLE: str(result),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DATABASE_URL": NOWHERE,
    }
    subprocess.run(
        [*command, *options],
        cwd=root / "suite",
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    found: list[tuple[float, float]] = json.loads(result.read_text())
    return found


if __name__ == "__main__":
    main()
