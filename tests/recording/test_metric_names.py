"""The names of metrics, in the code and in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_workflow_monitor.words.metric_names import ATTEMPT_UNITS, PAGE_UNITS

DOCUMENTED = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_documentation_lists_every_metric_with_its_unit() -> None:
    """One table names all metrics in the order in which they are recorded."""
    rows = re.findall(r"^\| `(\w+)` \| (\w*) ?\| (visit|attempt) \|", DOCUMENTED.read_text(), re.M)
    assert rows == [
        *((name, unit, "visit") for name, unit in PAGE_UNITS.items()),
        *((name, unit, "attempt") for name, unit in ATTEMPT_UNITS.items()),
    ]
