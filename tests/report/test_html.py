"""The HTML file as a file: complete or absent, small, and quick to make."""

from __future__ import annotations

import base64
import gzip
import os
import re
import stat
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.model import Status
from pytest_workflow_monitor.report import render_html, write_html
from tests.report import sample

if TYPE_CHECKING:
    from pathlib import Path


def parts(page: bytes) -> tuple[list[Any], list[Any]]:
    """Take the rows and the details out of a page."""
    text = page.decode()
    rows = re.findall(r'id="data-rows">([^<]*)<', text)
    chunks = re.findall(r'data-chunk="\d+">([^<]*)<', text)

    def unpacked(encoded: str) -> Any:
        return msgspec.json.decode(gzip.decompress(base64.b64decode(encoded)))

    return unpacked(rows[0]), [detail for chunk in chunks for detail in unpacked(chunk)]


def test_a_report_is_written_with_its_folders(tmp_path: Path) -> None:
    """Parents are created, the file is readable as the umask allows, nothing else is left."""
    path = tmp_path / "a" / "b" / "report.html"
    write_html(sample.six(), path, state_path=tmp_path)
    assert path.read_bytes().startswith(b"<!DOCTYPE html>")
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_an_older_report_is_replaced_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing fails, the older report is still there and no half file is."""
    path = tmp_path / "report.html"
    path.write_text("older")

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(ReportError, match=r"cannot be written to .*: No space left on device\.$"):
        write_html(sample.six(), path, state_path=tmp_path)
    assert path.read_text() == "older"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_an_impossible_path_is_one_sentence(tmp_path: Path) -> None:
    """A folder that is a file is a ReportError, not a traceback of the system."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="report cannot be written"):
        write_html(sample.six(), tmp_path / "file" / "report.html", state_path=tmp_path)


def test_the_same_session_gives_the_same_file() -> None:
    """Rendering is a function of the document, so that reports can be compared."""
    assert render_html(sample.six()) == render_html(sample.six())


def test_ten_thousand_executions_fit_in_two_megabytes() -> None:
    """With three steps each and 2 % failed, also with 20 earlier runs each."""
    assert len(render_html(sample.many(10_000))) < 2_000_000
    assert len(render_html(sample.many(10_000, with_history=True))) < 2_000_000


def test_the_data_holds_every_execution_in_order() -> None:
    """Rows and details are at the same position, and workflows are not repeated per attempt."""
    document = sample.many(3_000)
    rows, details = parts(render_html(document))
    assert [row["id"] for row in rows] == [item.run_id for item in document.executions]
    assert len(details) == 3_000
    for execution, detail in zip(document.executions, details, strict=True):
        assert detail["workflow"]["nodeid"] == execution.workflow.nodeid
        assert len(detail["attempts"][0]["steps"]) == 3
        assert "workflow" not in detail["attempts"][0]


def test_durations_in_the_data_are_rounded_to_what_can_be_seen() -> None:
    """Whole milliseconds from 100 ms on, one decimal below."""
    span = sample.steps(("One", 1234.5678), ("Two", 12.3456))
    tried = sample.attempt(sample.run_id(1), sample.workflow("one"), Status.PASSED, steps=span)
    _, details = parts(render_html(sample.document(sample.combined(tried))))
    assert [step["ms"] for step in details[0]["attempts"][0]["steps"]] == [1235, 12.3]


def test_lone_surrogates_do_not_stop_a_report() -> None:
    """Text that is not valid Unicode is shown as far as it can be."""
    page = render_html(sample.document(notices=("half \ud83d a character",)))
    assert b"half ? a character" in page
