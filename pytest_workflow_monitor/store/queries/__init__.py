"""The SQL of this package: files of named statements, read once when first asked for.

A file holds blocks of ``-- name: <name>``, one line ``-- <what it does>`` and one statement. What
several statements have in common, such as the columns of a record, is a block of
``-- part: <name>``; ``{<name>}`` stands for it in the statements of any file.
"""

from __future__ import annotations

import re
from pathlib import Path

_HEADER = re.compile(r"^-- (name|part): (\w+)\n-- .+\n", re.MULTILINE)
_PART = re.compile(r"\{(\w+)\}")


def _read(folder: Path) -> dict[str, bytes]:
    found: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for path in sorted(folder.glob("*.sql")):
        _, *blocks = _HEADER.split(path.read_text(encoding="utf-8"))
        for kind, name, text in zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True):
            if name in found[kind]:
                raise ValueError(f"{path}: the name {name} is taken")
            found[kind][name] = text.strip()
    return {
        name: _PART.sub(lambda it: found["part"][it[1]], statement).encode()
        for name, statement in found["name"].items()
    }


SQL = _read(Path(__file__).parent)
"""Every statement by its name, as bytes: what psycopg takes for SQL that is not built."""
