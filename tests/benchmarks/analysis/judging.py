"""States and risks of workflows, from executions that are made."""

from __future__ import annotations

from collections import Counter
from random import Random
from time import process_time

from pytest_workflow_monitor.analysis import assess, risk_of
from tests.benchmarks.analysis.wording import percent
from tests.made_runs import LIVES, life

LIVES_EACH = 100


def measure() -> None:
    """Measure and print."""
    print(f"States, {LIVES_EACH} workflows of 60 executions each")
    for state in LIVES:
        said = Counter(assess(life(state, seed)).state for seed in range(LIVES_EACH))
        others = ", ".join(f"{other} {n}" for other, n in said.most_common() if other != state)
        right = percent(said[state], LIVES_EACH)
        print(f"{state:10}told right {right}{'; told as ' if others else ''}{others}")
    print("\nRisk: whether the next execution fails, from the 60 before")
    print(_risks())


def _risks() -> str:
    """Compare with the share of failures, by the area under the curve and Brier's score."""
    cases = []
    began = process_time()
    for state in LIVES:
        for seed in range(LIVES_EACH):
            runs = life(state, seed, 61)
            before, after = runs[:-1], runs[-1].has_failed
            plain = sum(run.has_failed for run in before) / len(before)
            cases.append((risk_of(before).score, plain, after))
    each = (process_time() - began) / len(cases) * 1e6
    random = Random(0)
    random.shuffle(cases)
    told = [(risk, after) for risk, _, after in cases]
    shares = [(plain, after) for _, plain, after in cases]
    return (
        f"area under the curve {area(told):.3f}, by the share of failures {area(shares):.3f}; "
        f"Brier's score {brier(told):.4f}, {brier(shares):.4f}; {each:.0f} µs a workflow"
    )


def area(told: list[tuple[float, bool]]) -> float:
    """Return how often one that fails was ranked above one that passes; ties count half."""
    failing = [score for score, failed in told if failed]
    passing = [score for score, failed in told if not failed]
    wins = sum((one > other) + (one == other) / 2 for one in failing for other in passing)
    return wins / (len(failing) * len(passing))


def brier(told: list[tuple[float, bool]]) -> float:
    """Return the mean square of what was told less what happened: 0 is best."""
    return sum((score - failed) ** 2 for score, failed in told) / len(told)
