"""The examples of docs/analysis.md run as they are, and its tables name every option."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pytest_workflow_monitor import analysis

PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """Return the second column by the first of the table under a heading."""
    table = PAGE.split(f"| {heading} | default | meaning |\n|---|---|---|\n")[1].split("\n\n")[0]
    cells = [[cell.strip() for cell in row.split("|")[1:3]] for row in table.splitlines()]
    return {
        name.strip("`"): default.strip("`")
        for names, default in cells
        for name in names.split(", ")
    }


def test_the_examples_run() -> None:
    """One after the other, as a reader would type them."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    exec(compile(code, "docs/analysis.md", "exec"), {})  # noqa: S102


def test_every_option_of_a_series_is_in_the_table() -> None:
    """With its default."""
    told = rows("option of `SeriesOptions`")
    options = analysis.SeriesOptions()
    assert set(told) == set(options.__struct_fields__)
    told["scale"] = repr(told.pop("scale").removeprefix("Scale.").lower())
    for name, default in told.items():
        value = getattr(options, name)
        assert default == (repr(value.value) if name == "scale" else repr(value))


@pytest.mark.parametrize("function", ["find_changes", "forecast"])
def test_every_argument_is_in_the_table(function: str) -> None:
    """Of the functions that look back and ahead, with its default."""
    told = rows(f"argument of `{function}`")
    parameters = inspect.signature(getattr(analysis, function)).parameters
    assert set(told) == set(parameters)
    for name, parameter in parameters.items():
        if isinstance(parameter.default, int | float):
            assert float(told[name]) == parameter.default


@pytest.mark.parametrize("state", analysis.State)
def test_every_state_has_its_rule(state: analysis.State) -> None:
    """In the table of states."""
    assert f"| `{state}` |" in PAGE
