"""How good the methods of analysis are, on series and executions whose truth is known.

Run it as ``python -m tests.benchmarks.bench_analysis``. What is made follows from fixed seeds, so
that all figures but the times come out the same again.
"""

from __future__ import annotations

from tests.benchmarks.analysis import detecting, judging, looking_back


def main() -> None:
    """Measure and print."""
    for part in (detecting, looking_back, judging):
        part.measure()
        print()


if __name__ == "__main__":
    main()
