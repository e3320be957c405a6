"""Which files travel inside a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.model import Artifact
from pytest_workflow_monitor.report import attachments
from pytest_workflow_monitor.report.attachments import Attachments
from tests.report import sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state directory with some evidence, and a secret beside it."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"P" * 1_000)
    (folder / "b.txt").write_text("log")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def artifact(path: str, content_type: str = "text/plain") -> Artifact:
    """Make an artifact at a path."""
    return Artifact(name="evidence", content_type=content_type, path=path, size_bytes=3)


def test_pictures_and_text_of_what_needs_attention_are_embedded(state: Path) -> None:
    """A picture is embedded once however often it is attached; text comes as text."""
    taken = Attachments(state)
    png = artifact("a.png", "image/png")
    one, two, text = taken.of(
        sample.order_failing(), (png, png, artifact("b.txt", "text/plain; charset=utf-8"))
    )
    assert one.image == two.image == 0
    assert len(taken.images) == 1
    assert text.text == "log"


def test_evidence_of_a_pass_is_only_named(state: Path) -> None:
    """Nothing of an execution that needs no attention takes room."""
    taken = Attachments(state)
    (found,) = taken.of(sample.passing("fine", 1), (artifact("b.txt"),))
    assert found.text is None
    assert found.path == "b.txt"


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "/etc/passwd", "missing.txt", "", ".", "b.txt\0", "x" * 5_000, "link.txt"],
)
def test_nothing_outside_the_state_directory_is_read(state: Path, path: str) -> None:
    """Paths that leave it, by dots, root or links, and paths that cannot be, are only named."""
    (state / "link.txt").symlink_to(state.parent / "secret.txt")
    (found,) = Attachments(state).of(sample.order_failing(), (artifact(path),))
    assert found.text is None
    assert found.image is None


def test_the_budget_is_kept(state: Path) -> None:
    """What no longer fits is named, and smaller files still come in."""
    taken = Attachments(state, budget_bytes=100)
    picture, text = taken.of(
        sample.order_failing(), (artifact("a.png", "image/png"), artifact("b.txt"))
    )
    assert picture.image is None
    assert text.text == "log"


def test_a_file_that_is_too_long_is_only_named(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long text would make the page slow."""
    monkeypatch.setattr(attachments, "MAX_TEXT_BYTES", 2)
    (found,) = Attachments(state).of(sample.order_failing(), (artifact("b.txt"),))
    assert found.text is None


def test_other_types_are_only_named(state: Path) -> None:
    """A drawing with scripts, a page or an archive is never embedded."""
    for content_type in ("image/svg+xml", "application/zip"):
        (found,) = Attachments(state).of(sample.order_failing(), (artifact("b.txt", content_type),))
        assert found.text is None
        assert found.image is None


def test_without_a_state_directory_nothing_is_read() -> None:
    """A report can be made from a document alone."""
    (found,) = Attachments(None).of(sample.order_failing(), (artifact("b.txt"),))
    assert found.text is None
