"""Selecting workflows by what their markers say, wherever it says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

SUITE = {
    "test_a.py": """
        import pytest

        @pytest.mark.workflow(priority="critical")
        def test_own(): pass

        @pytest.mark.workflow
        def test_default(): pass

        @pytest.mark.workflow("pay")
        class TestPay:
            @pytest.mark.parametrize("currency", ["eur", "usd"])
            def test_card(self, currency): pass

            @pytest.mark.workflow(priority="high")
            def test_cash(self): pass

        def test_unmarked(): pass
    """,
    "test_b.py": """
        import pytest
        pytestmark = pytest.mark.workflow(priority="critical", enabled=False, cron="@daily")

        def test_from_module(): pass

        @pytest.mark.workflow(priority="low", retries=2)
        class TestLow:
            def test_from_class(self): pass

            @pytest.mark.workflow(priority="critical", enabled=True)
            def test_back(self): pass
    """,
}
SELECTIONS = {
    "workflow": {"own", "default", "card[eur]", "card[usd]", "cash", "from_module", "from_class"}
    | {"back"},
    "not workflow": {"unmarked"},
    "workflow(priority='critical')": {"own", "from_module", "back"},
    "workflow(priority='medium')": {"default", "card[eur]", "card[usd]"},
    "workflow(priority='low') or workflow(priority='high')": {"from_class", "cash"},
    "workflow(id='default')": {"default"},
    "workflow(id='pay.card[eur]')": {"card[eur]"},
    "workflow(id='pay')": set(),
    "workflow(name='Card [usd]')": {"card[usd]"},
    "workflow(enabled=False)": {"from_module", "from_class"},
    "workflow(priority='critical', enabled=True)": {"own", "back"},
    "workflow(retries=2)": {"from_class", "back"},
    "workflow(cron=None)": {"own", "default", "card[eur]", "card[usd]", "cash"},
    "workflow(timezone='UTC') and not workflow(cron='@daily')": {"own", "default", "cash"}
    | {"card[eur]", "card[usd]"},
}


def write(suite: Suite) -> None:
    for name, code in SUITE.items():
        suite.write(name, code)


def selected(suite: Suite, *options: str, monitored: bool) -> set[str]:
    run = suite.run("--collect-only", "-q", *options, monitored=monitored)
    assert run.result.ret in {0, pytest.ExitCode.NO_TESTS_COLLECTED}, run.output
    return {
        line.rpartition("::")[2].removeprefix("test_")
        for line in run.result.outlines
        if "::" in line
    }


@pytest.mark.parametrize(
    ("expression", "monitored"),
    [
        ("workflow(priority='critical')", True),
        ("workflow(priority='critical')", False),
        ("workflow(priority='medium')", False),
        ("workflow(id='pay.card[eur]')", False),
    ],
)
def test_m_selects_by_a_parameter(suite: Suite, expression: str, monitored: bool) -> None:
    """From the test, a default, the class, the module or a derived id; monitored or not."""
    write(suite)
    assert selected(suite, "-m", expression, monitored=monitored) == SELECTIONS[expression]


def test_every_resolved_parameter_can_be_selected_by(suite: Suite) -> None:
    """Each test carries one mark, whose parameters are what is recorded."""
    write(suite)
    suite.write(
        "conftest.py",
        """
        import json
        from pathlib import Path

        def pytest_collection_modifyitems(items):
            Path("marks.json").write_text(json.dumps({
                item.name.removeprefix("test_"): [m.kwargs for m in item.iter_markers("workflow")]
                for item in items
            }))
        """,
    )
    suite.run("--collect-only", monitored=False)
    marks = json.loads((suite.path / "marks.json").read_text())
    for expression, expected in SELECTIONS.items():
        if not expression.startswith("workflow(") or " or " in expression or " and " in expression:
            continue
        wanted = eval(f"dict{expression.removeprefix('workflow')}")  # noqa: S307 - written above
        found = {
            name
            for name, own in marks.items()
            if own and all(own[0][key] == value for key, value in wanted.items())
        }
        assert found == expected, expression
    assert marks.pop("unmarked") == []
    assert all(len(own) == 1 for own in marks.values())


def test_workers_select_alike(suite: Suite) -> None:
    """Under xdist `-m` runs the same workflows."""
    write(suite)
    run = suite.run("-n", "2", "-m", "workflow(priority='critical')")
    assert run.ids == ["back", "from-module", "own"]


def test_workflow_all_gives_unmarked_tests_something_to_select_by(suite: Suite) -> None:
    """With `--workflow-all` an unmarked test is a workflow for `-m` too."""
    write(suite)
    run = suite.run("--workflow-all", "-m", "workflow(priority='medium')")
    assert run.ids == ["default", "pay.card[eur]", "pay.card[usd]", "test_a.test_unmarked"]


def test_marks_that_hooks_add_count(suite: Suite) -> None:
    """A conftest may mark tests while they are collected."""
    suite.write(
        "conftest.py",
        """
        import pytest

        def pytest_itemcollected(item):
            if "shop" in item.name:
                item.add_marker(pytest.mark.workflow(priority="high"))

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection_modifyitems(items):
            items[-1].add_marker(pytest.mark.workflow("last"))
        """,
    )
    suite.write("test_it.py", "def test_shop(): pass\ndef test_x(): pass\ndef test_y(): pass")
    assert suite.run().ids == ["last", "shop"]
    assert suite.run("-m", "workflow(priority='high')").ids == ["shop"]
