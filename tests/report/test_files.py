"""A report's file: written whole, and never in the place of what is no file."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.errors import ReportError
from pytest_workflow_monitor.report.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_replaced_and_folders_are_made(tmp_path: Path) -> None:
    """Nothing else is left beside it."""
    path = tmp_path / "a" / "b" / "report.html"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    """As a device does: one that was replaced would be missed by the whole machine."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write_atomically(path, b"page")
    reader.join()
    assert read == [b"page"]
    assert path.is_fifo()


def test_a_link_goes_on_to_name_its_file(tmp_path: Path) -> None:
    """A link to the latest report is not turned into a report."""
    real, link = tmp_path / "real.html", tmp_path / "latest.html"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_folder_is_no_place_for_a_report(tmp_path: Path) -> None:
    """One sentence, and nothing is left in it or beside it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ReportError, match=f"cannot be written to {folder}: "):
        write_atomically(folder, b"page")
    assert list(tmp_path.iterdir()) == [folder]
    assert not list(folder.iterdir())
