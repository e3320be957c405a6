"""Which files travel inside a report."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from pytest_workflow_monitor.model import Artifact
from pytest_workflow_monitor.report import attachments, embedding
from pytest_workflow_monitor.report.attachments import Attachment, Attachments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state directory with some evidence, and a secret beside it."""
    folder = tmp_path / "state"
    folder.mkdir()
    Image.new("RGB", (2_560, 1_440), "green").save(folder / "a.png")
    (folder / "b.txt").write_text("log")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def artifact(path: str, content_type: str = "text/plain", **changes: Any) -> Artifact:
    """Make an artifact at a path."""
    return Artifact(name="evidence", content_type=content_type, path=path, size_bytes=3, **changes)


def prepared(taken: Attachments, *artifacts: Artifact) -> tuple[Attachment, ...]:
    """Embed the pictures among artifacts and prepare all of them."""
    taken.embed(artifacts)
    return taken.of(artifacts, is_wanted=True)


def test_pictures_and_text_are_embedded(state: Path) -> None:
    """A picture is embedded once however often it is attached; text comes as text."""
    taken = Attachments(state)
    png = artifact("a.png", "image/png")
    one, two, text = prepared(taken, png, png, artifact("b.txt", "text/plain; charset=utf-8"))
    assert one.image == two.image == 0
    assert len(taken.images) == 1
    assert text.text == "log"


def test_an_embedded_picture_is_scaled(state: Path) -> None:
    """At most 1280 pixels wide, whatever the screen was."""
    taken = Attachments(state)
    prepared(taken, artifact("a.png", "image/png"))
    (image,) = taken.images
    assert (image.width, image.height) == (1_280, 720)
    with Image.open(io.BytesIO(base64.b64decode(image.base64))) as found:
        assert (found.format, found.size) == ("WEBP", (1_280, 720))


def test_evidence_of_a_pass_is_only_named(state: Path) -> None:
    """Nothing of an execution that needs no attention takes room."""
    (found,) = Attachments(state).of([artifact("b.txt")], is_wanted=False)
    assert found.text is None
    assert (found.path, found.problem) == ("b.txt", "")


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "/etc/passwd", "missing.txt", ".", "b.txt\0", "x" * 5_000, "link.txt"],
)
def test_nothing_outside_the_state_directory_is_read(state: Path, path: str) -> None:
    """Paths that leave it, by dots, root or links, and paths that cannot be, are only named."""
    (state / "link.txt").symlink_to(state.parent / "secret.txt")
    text, picture, trace = prepared(
        Attachments(state),
        artifact(path),
        artifact(path, "image/png"),
        artifact(path, "application/zip", kind="trace"),
    )
    assert (text.text, picture.image, trace.command) == (None, None, "")
    assert text.problem == attachments.MISSING


def test_an_artifact_without_a_file_says_why(state: Path) -> None:
    """Withheld, missing and expired ones keep their own reason."""
    withheld, expired = prepared(
        Attachments(state),
        artifact("", problem="withheld: a secret"),
        artifact("b", problem="expired"),
    )
    assert withheld.problem == "withheld: a secret"
    assert expired.problem.startswith("The file has expired")


def test_the_budget_of_text_is_kept(state: Path) -> None:
    """What no longer fits is named."""
    (found,) = prepared(Attachments(state, texts_bytes=2), artifact("b.txt"))
    assert found.text is None


def test_pictures_share_their_budget(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many become smaller; those that find no room are named with the reason, the last first."""
    monkeypatch.setattr(attachments, "LEAST_PICTURE_BYTES", 1_000)
    for number in range(6):
        noise = Image.effect_noise((1_280, 720), 90 + number)
        noise.save(state / f"{number}.png")
    taken = Attachments(state, pictures_bytes=5_999)
    monkeypatch.setattr(embedding, "RUNGS", ((1_280, 70), (16, 10)))
    found = prepared(taken, *(artifact(f"{number}.png", "image/png") for number in range(6)))
    assert [item.image for item in found] == [0, 1, 2, 3, 4, None]
    assert found[-1].problem == attachments.LEFT_OUT
    assert {image.width for image in taken.images} == {16}


def test_a_file_that_is_no_picture_says_so(state: Path) -> None:
    """Neither a cut file nor text nor one of absurd size stops the report."""
    (state / "cut.png").write_bytes((state / "a.png").read_bytes()[:200])
    (state / "text.png").write_text("no picture")
    Image.new("1", (8_000, 8_000)).save(state / "huge.png")
    names = ("cut.png", "text.png", "huge.png")
    found = prepared(Attachments(state), *(artifact(name, "image/png") for name in names))
    assert [item.problem for item in found] == [attachments.UNREADABLE] * 3


def test_a_file_that_is_too_long_is_only_named(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long text would make the page slow."""
    monkeypatch.setattr(attachments, "MAX_TEXT_BYTES", 2)
    (found,) = prepared(Attachments(state), artifact("b.txt"))
    assert found.text is None


def test_other_types_are_only_named(state: Path) -> None:
    """A drawing with scripts, a page or an archive is never embedded."""
    for content_type in ("image/svg+xml", "application/zip"):
        (found,) = prepared(Attachments(state), artifact("b.txt", content_type))
        assert found.text is None
        assert found.image is None


def test_without_a_state_directory_nothing_is_read() -> None:
    """A report can be made from a document alone."""
    (found,) = prepared(Attachments(None), artifact("b.txt"))
    assert (found.text, found.problem) == (None, "")


def test_a_trace_has_its_command_and_its_link(state: Path) -> None:
    """The command is safe to paste, the link names where the file can be fetched."""
    (state / "my trace.zip").write_bytes(b"PK")
    trace = artifact("my trace.zip", "application/zip", kind="trace")
    (found,) = prepared(Attachments(state, http_url="https://files.example/wm/"), trace)
    assert found.command == f"playwright show-trace '{state}/my trace.zip'"
    assert found.viewer == (
        "https://trace.playwright.dev/?trace=https%3A%2F%2Ffiles.example%2Fwm%2Fmy%2520trace.zip"
    )


@pytest.mark.parametrize("base", ["", "javascript:alert(1)", "s3://bucket"])
def test_only_an_http_address_makes_a_link(state: Path, base: str) -> None:
    """A bucket's own address is nothing that a browser can open."""
    (found,) = prepared(
        Attachments(state, http_url=base), artifact("b.txt", "application/zip", kind="trace")
    )
    assert found.viewer == ""


def test_a_picture_is_placed_once(state: Path) -> None:
    """What is written out in an entry does not come again at the end of the file."""
    taken = Attachments(state)
    prepared(taken, artifact("a.png", "image/png"))
    assert [number for number, _ in taken.unplaced] == [0]
    assert taken.place(0)
    assert not taken.place(0)
    assert taken.unplaced == []
