from __future__ import annotations

import json
import logging
import sys

import pytest

from pytest_workflow_monitor.masking import known
from pytest_workflow_monitor.schedule.logs import JsonFormatter, TextFormatter


def a_record(message: str, **fields: object) -> logging.LogRecord:
    """Make a record with fields of its own."""
    record = logging.LogRecord("name", logging.WARNING, __file__, 1, message, (), None)
    vars(record).update(fields)
    return record


def test_json_lines_hold_what_they_are_about() -> None:
    """One line for each thing, with an action and its fields; what is None is left out."""
    line = JsonFormatter().format(a_record("two\nlines", action="slot_done", seconds=None, tries=1))
    assert "\n" not in line
    found = json.loads(line)
    assert found.pop("at").endswith("Z")
    assert found == {
        "level": "warning",
        "message": "two\nlines",
        "action": "slot_done",
        "tries": 1,
    }


def test_an_exception_is_part_of_the_line() -> None:
    """Whoever reads lines gets all of it."""
    record = a_record("it failed")
    try:
        raise ValueError("wrong")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: wrong" in json.loads(JsonFormatter().format(record))["exception"]


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_no_line_holds_a_secret(formatter: logging.Formatter) -> None:
    """Neither in the message nor in a field."""
    known.learn("hunter-2-of-the-logs")
    line = formatter.format(a_record("hunter-2-of-the-logs", reason="hunter-2-of-the-logs"))
    assert "hunter-2" not in line
