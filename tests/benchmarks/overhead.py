"""What recording costs a suite, beside bare pytest and its peers, in interleaved rounds."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter

from pytest_workflow_monitor.settings import load
from pytest_workflow_monitor.store.connection import open_store

TESTS_IN_A_FILE = 500
PEERS = ("json-report", "allure_pytest", "workflow_monitor", "playwright", "asyncio", "anyio")
"""Plugins that are only loaded by the variant that measures them."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run the suite."""

    name: str
    plugins: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    with_steps: bool = False
    environment: dict[str, str] = field(default_factory=dict)


VARIANTS = (
    Variant(name="bare pytest"),
    Variant(name="bare pytest, 3 steps a test", with_steps=True),
    Variant(name="inactive", plugins=("workflow_monitor",)),
    Variant(
        name="active",
        plugins=("workflow_monitor",),
        options=("--workflow-monitor", "--workflow-all"),
    ),
    Variant(
        name="active, 3 steps a test",
        plugins=("workflow_monitor",),
        options=("--workflow-monitor", "--workflow-all"),
        with_steps=True,
    ),
    Variant(name="--junitxml", options=("--junitxml=junit.xml",)),
    Variant(
        name="pytest-json-report",
        plugins=("json-report",),
        options=("--json-report", "--json-report-file=report.json"),
    ),
    Variant(name="allure-pytest", plugins=("allure_pytest",), options=("--alluredir=allure",)),
)


def measure(tests: int, rounds: int, only: str | None = None) -> None:
    """Run all variants in turn, serial and on two workers, and print their ratios."""
    variants = [v for v in VARIANTS if only is None or v.name in {VARIANTS[0].name, only}]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("BENCH_DIR")) as folder:
        root = Path(folder)
        root.chmod(0o755)
        _write_suite(root / "plain", tests, steps=0)
        _write_suite(root / "steps", tests, steps=3)
        with ExitStack() as stack:
            # the server runs already, as it does wherever workflows are watched all day
            for name in ("plain", "steps"):
                stack.enter_context(open_store(load(root / name, environ={})))
            for title, options in (("serial", ()), ("-n 2", ("-n", "2"))):
                times = _times(root, variants, options, rounds)
                _show(title, tests, times)


def _write_suite(folder: Path, tests: int, *, steps: int) -> None:
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    body = "".join(f"    with step('Step {n}'):\n        pass\n" for n in range(steps))
    head = "from pytest_workflow_monitor import step\n\n" if steps else ""
    for first in range(0, tests, TESTS_IN_A_FILE):
        count = min(TESTS_IN_A_FILE, tests - first)
        text = "".join(f"def test_{n}():\n{body or '    pass'}\n\n" for n in range(count))
        (folder / f"test_{first:06}.py").write_text(head + text)


def _times(
    root: Path, variants: list[Variant], options: tuple[str, ...], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    times: dict[str, list[tuple[float, float]]] = {variant.name: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            times[variant.name].append(_run(root, variant, options))
    return times


def _run(root: Path, variant: Variant, options: tuple[str, ...]) -> tuple[float, float]:
    """Return wall seconds and processor seconds of one pytest run, its waited children included."""
    without = [f"-pno:{name}" for name in PEERS if name not in variant.plugins]
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", *without]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = perf_counter()
    subprocess.run(
        [*command, *variant.options, *options],
        cwd=root / ("steps" if variant.with_steps else "plain"),
        env={**os.environ, **variant.environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall = perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, processor


def _show(title: str, tests: int, times: dict[str, list[tuple[float, float]]]) -> None:
    bare = times[VARIANTS[0].name]
    print(f"{title:32} {'wall':>8} {'× bare':>8} {'µs/test':>8} {'cpu × bare':>11}")
    for name, measured in times.items():
        wall = median(run[0] for run in measured)
        # each round is a pair: the machine's mood is the same for both
        ratio = median(run[0] / base[0] for run, base in zip(measured, bare, strict=True))
        processor = median(run[1] / base[1] for run, base in zip(measured, bare, strict=True))
        print(
            f"{name:32} {wall:7.2f}s {ratio:8.3f} {wall / tests * 1e6:8.0f} {processor:11.3f}",
            flush=True,
        )
    print()
