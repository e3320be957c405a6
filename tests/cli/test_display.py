from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.output import console
from pytest_workflow_monitor.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this process into another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_the_last_evening_of_the_calendar_is_shown() -> None:
    """An instant that has no local time any more is shown in UTC."""
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)

    assert display.full_when(last) == "31 Dec 9999 23:30:00 UTC"
    assert display.when(last, NOON) == "31 Dec 9999 23:30"


@pytest.mark.parametrize("status", Status)
def test_a_status_is_a_mark_and_a_word(status: Status) -> None:
    """Colour alone never carries meaning: every status has a mark and its word."""
    mark, word = display.status(status).plain.split(" ", 1)

    assert len(mark) == 1
    assert word


def test_only_the_status_is_coloured() -> None:
    """A time or a name after a status does not take its colour."""
    shown = display.status(Status.FAILED).append("  14:20")

    (span,) = shown.spans
    assert shown.plain[span.start : span.end] == "✗ Failed"
    assert not shown.style


def test_only_a_pass_is_shown_as_flaky() -> None:
    """A flaky pass has a word of its own; a degraded one stays degraded."""
    assert display.status(Status.PASSED, is_flaky=True).plain == "~ Flaky"
    assert display.status(Status.DEGRADED, is_flaky=True).plain == "! Degraded"


def test_text_from_a_test_cannot_act_on_the_terminal() -> None:
    """Terminal codes are removed, and other control characters become visible."""
    dirty = "\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07 nul\0 \udcff\tend\r\n"

    assert display.printable(dirty) == "red bell\ufffd nul\ufffd \ufffd    end\n"


def test_a_terminal_code_that_pytest_cut_is_removed() -> None:
    """Messages are shortened by pytest without regard to the colours in them."""
    assert display.printable("'b' != '\x1b...") == "'b' != '..."
    assert display.printable("'b' != '\x1b[3...") == "'b' != '..."


def test_a_table_has_hairlines_only(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but the columns and one line; numbers stand right, and nothing acts as markup."""
    rows = [["[red]a", "1"], ["b", "10"]]
    console().print(display.listing("Title", ["=Name", ">Count"], rows))

    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["Title", "Name    Count", "─" * 13, "[red]a      1", "b          10"]


@pytest.mark.usefixtures("berlin")
def test_instants_are_local_whatever_the_season() -> None:
    """Each instant is said in the offset that the local zone had at that instant."""
    winter = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    assert display.when(NOON, NOON) == "14:00"
    assert display.when(winter, NOON) == "1 Jan 13:00"
    assert display.when(None) == "–"
    assert display.full_when(NOON) == "1 Jul 2026 14:00:00 CEST"
