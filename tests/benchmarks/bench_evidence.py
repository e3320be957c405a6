"""What evidence and measurements cost the shop's order-placement workflow, in a real browser.

Run it as ``python -m tests.benchmarks.bench_evidence``. Three variants run in turn, each in a
pytest of its own, against one shop: not monitored; not monitored, but with the trace and the
screenshot of failures that monitoring asks pytest-playwright for; monitored. Printed are medians
and ratios of medians, of the call phase and of all phases together. The start of the browser is in
the set-up.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from pytest_workflow_monitor.settings import load
from pytest_workflow_monitor.store.connection import open_store
from tests.benchmarks.phases import VARIABLE
from workflows.conftest import own_shop

TEST = "workflows/test_order_placement.py"
PLAYWRIGHT_S = ("--tracing=retain-on-failure", "--screenshot=only-on-failure")
VARIANTS = {
    "not monitored": ("--no-workflow-monitor",),
    "not monitored, traced": ("--no-workflow-monitor", *PLAYWRIGHT_S),
    "monitored": ("--workflow-monitor",),
}

Phases = dict[str, float]


def run(folder: Path, options: tuple[str, ...], base_url: str) -> Phases:
    """Run the workflow once and return how long its phases took."""
    result = folder / "phases.json"
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", TEST, *options]
    environ = {**os.environ, "BASE_URL": base_url, VARIABLE: str(result)}
    plugin = ("-p", "tests.benchmarks.phases", f"--output={folder / 'results'}")
    state = ("--workflow-state-dir", str(folder / "state"))
    done = subprocess.run(
        [*command, *plugin, *state], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"pytest ended with status {done.returncode}:\n{done.stdout[-3000:]}")
    phases: Phases = json.loads(result.read_text())
    return phases


def show(measured: dict[str, list[Phases]]) -> None:
    """Print seconds and ratios to each of the two variants without monitoring."""
    names = list(measured)
    print(f"{'':24} {'call':>7} {'whole':>7}  ratios of medians (call, whole) to")
    for name, rounds in measured.items():
        call = median(phases["call"] for phases in rounds)
        whole = median(sum(phases.values()) for phases in rounds)
        ratios = []
        for base in names[: names.index(name)]:
            of_call = call / median(phases["call"] for phases in measured[base])
            of_whole = whole / median(sum(phases.values()) for phases in measured[base])
            ratios.append(f"{base}: {of_call:.3f}, {of_whole:.3f}")
        print(f"{name:24} {call:6.2f}s {whole:6.2f}s  {'; '.join(ratios)}")
    pairs = zip(measured["monitored"], measured["not monitored, traced"], strict=True)
    ratio = median(one["call"] / other["call"] for one, other in pairs)
    print(f"\nmedian of the ratios of each pair, monitored to traced, call phase: {ratio:.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    measured: dict[str, list[Phases]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = load(Path.cwd(), overrides={"state_dir": str(folder / "state")})
        with open_store(settings), own_shop() as base_url:
            for number in range(options.rounds + 1):
                for variant, arguments in VARIANTS.items():
                    phases = run(folder, arguments, base_url)
                    if number:  # the first round warms up
                        measured[variant].append(phases)
    show(measured)


if __name__ == "__main__":
    main()
