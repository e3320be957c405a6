"""What schedulers and workers log: one line for each thing, as text or JSON, without secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from pytest_workflow_monitor.masking import known

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
NOISY = ("procrastinate", "psycopg.pool", "asyncio")
"""Libraries that tell what we tell ourselves."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


class TextFormatter(logging.Formatter):
    """Lines for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write a record with secrets masked."""
        return known.text(super().format(record))


class JsonFormatter(logging.Formatter):
    """Lines for programs: ``at``, ``level``, ``message``, an ``action`` and what it is about.

    The names of actions and fields are documented and do not change.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line of JSON, with secrets masked."""
        fields: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        fields |= {
            name: value
            for name, value in vars(record).items()
            if name not in _OWN and value is not None
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return known.text(_encode(fields).decode())


def configure(level: str, form: str) -> None:
    """Log to standard error.

    Args:
        level: How much of this program's own; of libraries only what is worth a warning.
        form: ``text`` or ``json``.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("pytest_workflow_monitor").setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
