"""What docs/slo.md says about settings and JSON is true; its marker is tested with the others."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from msgspec.structs import fields

from pytest_workflow_monitor.analysis.service_levels import RULES
from pytest_workflow_monitor.settings.slo_rules import Objective, ServiceLevel, read_slos

PAGE = (Path(__file__).parents[3] / "docs" / "slo.md").read_text(encoding="utf-8")


def rows(text: str) -> list[str]:
    """The names in the first column of the tables of a text."""
    cells = re.findall(r"^\| (`.+?`) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_example_says_every_key_and_so_does_the_table() -> None:
    """And it is read as it stands."""
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    given = tomllib.loads(example)["tool"]["workflow_monitor"]["slos"]
    shop, up = read_slos(given)
    assert (shop.target, shop.window_seconds, up.by, up.attempt) == (
        99.9,
        2_592_000,
        "time",
        "first",
    )
    table = set(rows(PAGE.partition("## What is counted")[0]))
    assert table == {key for it in given for key in it}
    assert len(table) == len(fields(Objective))


def test_json_is_described_completely() -> None:
    """Every field, and what follows from them."""
    described = rows(PAGE.partition("### In JSON")[2])
    assert sorted(described) == sorted([*(it.name for it in fields(ServiceLevel)), "left", "state"])


def test_the_rules_are_those_of_the_table() -> None:
    """Factor, long and short window."""
    found = re.findall(r"^\| ([\d.]+) or more \| (\d) hours? \| (\d+) minutes", PAGE, re.MULTILINE)
    assert [(float(a), int(b) * 3_600, int(c) * 60) for a, b, c in found] == list(RULES)
