"""What recording costs a suite, beside bare pytest and its peers, in interleaved rounds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil

from pytest_workflow_monitor.settings import load
from pytest_workflow_monitor.store.connection import open_store

TESTS_IN_A_FILE = 500
SHIPPER = "pytest_workflow_monitor.shipper"
SHIPPER_SECONDS = 60.0
PEERS = ("json-report", "allure_pytest", "workflow_monitor", "playwright", "asyncio", "anyio")
"""Plugins that are only loaded by the variant that measures them."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run the suite."""

    name: str
    plugins: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    with_steps: bool = False


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run took: seconds, processor seconds, and the largest resident memory."""

    wall: float
    processor: float
    memory_mb: float


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
        write_suite(root / "plain", tests, steps=0)
        write_suite(root / "steps", tests, steps=3)
        with ExitStack() as stack:
            # the server runs already, as it does wherever workflows are watched all day
            for name in ("plain", "steps"):
                stack.enter_context(open_store(load(root / name, environ={})))
            for title, options in (("serial", ()), ("-n 2", ("-n", "2"))):
                times = _times(root, variants, options, rounds)
                _show(title, tests, times)


def write_suite(folder: Path, tests: int, *, steps: int) -> None:
    """Write so many trivial tests with so many steps each into a new folder."""
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
) -> dict[str, list[Cost]]:
    times: dict[str, list[Cost]] = {variant.name: [] for variant in variants}
    for variant in variants:
        _run(root, variant, options)  # compiles what pytest rewrites, as first runs do
    for _ in range(rounds):
        for variant in variants:
            times[variant.name].append(_run(root, variant, options))
    return times


def _run(root: Path, variant: Variant, options: tuple[str, ...]) -> Cost:
    """Run pytest once; processor time includes its workers, memory is that of the controller."""
    without = [f"-pno:{name}" for name in PEERS if name not in variant.plugins]
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", *without]
    started = perf_counter()
    process = subprocess.Popen(
        [*command, *variant.options, *options],
        cwd=root / ("steps" if variant.with_steps else "plain"),
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{variant.name}: pytest ended with status {process.returncode}")
    _await_shippers(root)
    return Cost(
        wall=wall,
        processor=used.ru_utime + used.ru_stime,
        memory_mb=used.ru_maxrss / 1024,
    )


def _await_shippers(root: Path) -> None:
    """Let shippers end: the next run must not share the machine with what nobody waits for."""
    found = [
        it
        for it in psutil.process_iter(["cmdline", "cwd"])
        if SHIPPER in (it.info["cmdline"] or ()) and str(it.info["cwd"]).startswith(str(root))
    ]
    psutil.wait_procs(found, SHIPPER_SECONDS)


def _show(title: str, tests: int, times: dict[str, list[Cost]]) -> None:
    bare = times[VARIANTS[0].name]
    print(f"{title:30} {'wall':>8} {'× bare':>8} {'µs/test':>8} {'cpu × bare':>11} {'+ MB':>6}")
    for name, measured in times.items():
        wall = median(run.wall for run in measured)
        # each round is a pair: the machine's mood is the same for both
        pairs = list(zip(measured, bare, strict=True))
        ratio = median(run.wall / base.wall for run, base in pairs)
        processor = median(run.processor / base.processor for run, base in pairs)
        memory = median(run.memory_mb - base.memory_mb for run, base in pairs)
        print(
            f"{name:30} {wall:7.2f}s {ratio:8.3f} {wall / tests * 1e6:8.0f} {processor:11.3f} "
            f"{memory:6.1f}",
            flush=True,
        )
    print()
