"""The SQL of this package: files of named statements, read once when first asked for.

A file holds blocks of ``-- name: <name>``, one line ``-- <what it does>`` and one statement.
"""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = re.compile(r"^-- name: (\w+)\n-- .+\n", re.MULTILINE)


def _read(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.sql")):
        _, *parts = _HEADER.split(path.read_text(encoding="utf-8"))
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"{path}: the name {name} is taken")
            found[name] = statement.strip().encode()
    return found


SQL = _read(Path(__file__).parent)
"""Every statement by its name, as bytes: what psycopg takes for SQL that is not built."""
