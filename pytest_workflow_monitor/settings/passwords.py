"""Addresses of databases, fit to be shown."""

from __future__ import annotations

import re

_PASSWORDS = (
    re.compile(r"(://[^/?#@:\s]*:)(?:[^?#\s]+|[^@/]*[?#\s][^@]*)(?=@)"),
    re.compile(r"((?:^|[?&\s])(?:ssl)?password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s']+)", re.I),
)
"""Where a database URL or connection string holds a password, and what stands before it."""


def without_password(url: str) -> str:
    """Return a database address fit to be shown: its password replaced by three stars.

    Both forms that PostgreSQL knows: ``postgresql://user:secret@host/name?password=secret`` and
    ``host=… password=secret``.
    """
    for pattern in _PASSWORDS:
        url = pattern.sub(r"\1***", url)
    return url
