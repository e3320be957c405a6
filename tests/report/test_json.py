"""The documented JSON of a session, and that it is documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pytest_workflow_monitor import model
from pytest_workflow_monitor.analysis import gate
from pytest_workflow_monitor.analysis.history import Normal
from pytest_workflow_monitor.analysis.summary import Attention, Summary
from pytest_workflow_monitor.model import SessionDocument
from pytest_workflow_monitor.report import render_json, write_json
from pytest_workflow_monitor.report.json import SessionReport
from tests.report import sample

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "json.md"
RECORDS = (
    SessionReport,
    model.SessionStarted,
    model.SessionEnded,
    model.Execution,
    model.Workflow,
    model.Attempt,
    model.Step,
    model.Metric,
    model.Event,
    model.Page,
    model.StepNormal,
    model.Artifact,
    model.Error,
    model.Output,
    model.HistoryPoint,
    Summary,
    Attention,
    Normal,
    gate.Verdict,
    gate.Ending,
    gate.Reason,
    gate.Finding,
    gate.OnBase,
    gate.Unjudged,
)


def test_a_document_comes_back_from_its_json() -> None:
    """The JSON holds the whole document and names its format and version."""
    document = sample.six()
    encoded = render_json(document)
    assert msgspec.json.decode(encoded, type=SessionDocument) == document
    plain = msgspec.json.decode(encoded)
    assert plain["format"] == "pytest-workflow-monitor/session"
    assert plain["version"] == 1


def test_the_summary_says_what_the_reports_say() -> None:
    """Verdict, totals and what needs attention are there for programs."""
    summary = msgspec.json.decode(render_json(sample.six()))["summary"]
    assert summary["verdict"] == "3 of 6 workflows need attention"
    assert summary["totals"] == {"passed": 4, "degraded": 1, "failed": 1}
    assert [item["workflow_id"] for item in summary["attention"]] == [
        "order-placement",
        "product-listing",
        "user-login",
    ]


def test_the_verdict_of_a_gate_is_in_it() -> None:
    """With its reasons; without a gate there is none."""
    verdict = gate.Verdict(
        exit_status=1,
        passed=False,
        reasons=(gate.Reason(rule=gate.Rule.FLAKY, said="1 workflow passes only by a retry"),),
    )
    plain = msgspec.json.decode(render_json(sample.six(), verdict))
    assert plain["gate"]["exit_status"] == 1
    assert plain["gate"]["reasons"][0]["rule"] == "allowed_flaky"
    assert "gate" not in msgspec.json.decode(render_json(sample.six()))


def test_hostile_text_is_kept_as_it_is() -> None:
    """Control characters and markup come back unchanged; numbers that are none become null."""
    plain = msgspec.json.decode(render_json(sample.hostile()))
    assert plain["executions"][0]["workflow"]["owner"] == f"owner {sample.HOSTILE}"
    assert plain["executions"][0]["attempts"][0]["metrics"][1]["value"] is None


def test_the_json_is_written_as_a_whole(tmp_path: Path) -> None:
    """Into a folder that is made for it; without importing a template engine."""
    write_json(sample.six(), tmp_path / "a" / "session.json")
    assert (tmp_path / "a" / "session.json").read_bytes() == render_json(sample.six())
    code = "import sys, pytest_workflow_monitor.report; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_is_documented(record: type[msgspec.Struct]) -> None:
    """Each record has a heading in docs/json.md, and a line of its table for each field."""
    text = DOCUMENTATION.read_text("utf-8")
    found = re.search(rf"^## {record.__name__}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, record.__name__
    documented = set(re.findall(r"^\| `(\w+)` \|", found[1], re.MULTILINE))
    config = record.__struct_config__
    fields = set(record.__struct_encode_fields__)
    assert documented == fields | ({config.tag_field} if config.tag_field else set())
