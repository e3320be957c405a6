"""What the documentation says about markers, steps and options is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor.recording.marker import PARAMETERS

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite

DOCS = Path(__file__).parent.parent.parent / "docs"


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_the_examples_run(suite: Suite) -> None:
    """Each example is a suite of its own that passes, monitored and with strict markers."""
    for page in ("workflows", "steps", "scheduling", "slo"):
        blocks = re.findall(r"```python\n(.*?)```", text_of(f"{page}.md"), re.DOTALL)
        for number, block in enumerate(blocks):
            suite.write(f"{page}_{number}/test_{page}_{number}.py", block)
    run = suite.run("--strict-markers")
    assert set(run.summary) == {"passed"}, run.output
    assert {"user-login", "order.placed", "shop.cart.add", "shop.cart.clear", "shop.front-page"} < {
        *run.ids
    }
    assert run.attempt("health-check").workflow.every_seconds == 300
    assert run.attempt("shop.cart.clear").workflow.owner == "web team"
    assert run.attempt("checkout[dollar]").workflow.priority == "low"
    phases = [(step.name, step.phase.value) for step in run.attempt("basket").steps]
    assert phases == [
        ("Test account", "setup"),
        ("Make a basket", "setup"),
        ("Throw it away", "teardown"),
        ("Test account", "teardown"),
    ]


def test_every_parameter_has_a_row() -> None:
    """The table of the marker's parameters is complete, and in the marker's order."""
    rows = re.findall(r"^\| `(\w+)` \|", text_of("workflows.md"), re.MULTILINE)
    assert rows == list(PARAMETERS)


def test_every_option_has_a_row(suite: Suite) -> None:
    """The table of options is what `pytest --help` shows."""
    text = suite.run("--help", monitored=False).output
    shown = set(re.findall(r"^  (--(?:no-)?workflow-[a-z-]+)", text, re.MULTILINE))
    rows = set(re.findall(r"^\| `(--[a-z-]+)", text_of("configuration.md"), re.MULTILINE))
    assert rows == shown
