"""Whatever order tests run in, and whichever of them are workflows, each gets its own record.

What is known of tests beforehand is prepared for some that are likely to follow one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

TESTS = 100
SUITE = f"""
    import pytest
    from pytest_workflow_monitor import label

    @pytest.mark.parametrize("n", [
        pytest.param(n, marks=pytest.mark.workflow) if n % 3 else n for n in range({TESTS})
    ])
    class TestAll:
        def test_it(self, n):
            if n % 2:
                label("is", str(n))
"""
"""Two thirds are workflows, half of which say which they are; the others are plain passes."""

BACKWARDS = """
    import pytest

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(session):
        for item in [*reversed(session.items), *session.items[20:30]]:
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return True
"""
SHUFFLED = """
    import random

    def pytest_collection_modifyitems(items):
        random.Random(7).shuffle(items)
"""


@pytest.mark.parametrize("included", ["marked", "all"])
@pytest.mark.parametrize(
    ("conftest", "options"),
    [
        ("", []),
        (BACKWARDS, []),
        (SHUFFLED, []),
        ("", ["-n", "2"]),
        (SHUFFLED, ["-n", "2", "--dist", "worksteal"]),
        ("", ["-n", "2", "--dist", "each"]),
    ],
    ids=["as collected", "backwards", "shuffled", "load", "worksteal", "each"],
)
def test_every_workflow_is_recorded_under_its_own_name(
    suite: Suite, conftest: str, options: list[str], included: str
) -> None:
    """No test is recorded as another one, none twice, and none that is no workflow."""
    suite.write("conftest.py", conftest)
    suite.write("test_it.py", SUITE)
    run = suite.run(*options, *(["--workflow-all"] if included == "all" else []))
    assert run.result.ret == 0, run.output
    numbers = [n for n in range(TESTS) if n % 3 or included == "all"]
    if "each" in options:
        numbers = sorted([*numbers, *numbers])
    elif conftest == BACKWARDS:
        numbers = sorted([*numbers, *(n for n in numbers if 20 <= n < 30)])
    recorded = {attempt.run_id: attempt for attempt in run.attempts}
    assert len(recorded) == len(run.attempts)
    names = [attempt.workflow.nodeid for attempt in run.attempts]
    assert sorted(names) == sorted(f"test_it.py::TestAll::test_it[{n}]" for n in numbers)
    for attempt in run.attempts:
        number = attempt.workflow.nodeid.partition("[")[2].removesuffix("]")
        assert attempt.labels == ({"is": number} if int(number) % 2 else {})
