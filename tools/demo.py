"""Run the six workflows against the example shop and show where the results went.

The demonstration of the main job: a real browser, the embedded PostgreSQL, an HTML report.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = "workflow-report.html"
TESTS_FAILED = 1


def main() -> int:
    """Run the demonstration; fails only when the shop was to be whole and something failed."""
    sys.path.insert(0, str(ROOT))
    from examples.farmers_market.faults import FaultError, demonstration

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--break", dest="areas", default="", help="what to break: orders")
    areas = parser.parse_args().areas
    try:
        faults = demonstration(areas)
    except FaultError as error:
        print(f"BREAK={areas}: {error}", file=sys.stderr)
        return 2
    if faults:
        print(f"The shop runs with faults: {faults}", flush=True)
    status = run(["-m", "pytest", "workflows", "-n", "2", "--tb=line", *monitored()], faults)
    print(flush=True)
    run(["-m", "pytest_workflow_monitor.cli", "list"], faults)
    print(f"\nThe report: {ROOT / REPORT}")
    expected = {0, TESTS_FAILED} if faults else {0}
    return 0 if status in expected else status


def monitored() -> list[str]:
    """What switches monitoring on and asks for the report."""
    return ["--workflow-monitor", "--workflow-environment=demo", f"--workflow-report={REPORT}"]


def run(arguments: list[str], faults: str) -> int:
    """Run a module of this environment's Python beside the example shop's faults."""
    environment = {
        **os.environ,
        "FARMERS_MARKET_FAULTS": faults,
        "WORKFLOW_MONITOR_ENVIRONMENT": "demo",
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
