"""Which values of the environment are secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME_PARTS = (
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "KEY",
    "CREDENTIAL",
    "AUTH",
)
"""A variable whose name holds one of these, in any case, holds a secret."""

NOT_SECRET_NAMES = frozenset({"SSH_AUTH_SOCK", "WORKFLOW_MONITOR_SECRET_NAMES"})

NOT_SECRET_VALUES = frozenset(
    {"true", "false", "none", "null", "auto", "default", "enabled", "disabled", "basic", "bearer"}
)
"""What switches are set to, such as ``TOKENIZERS_PARALLELISM=false``; compared in lower case."""

_OTHER_WORDS = re.compile(r"AUTHOR(?!I[SZ])|KEY(?:BOARD|MAP|RING)|MONKEY|TOKENIZER")
"""Words that hold one of the parts and mean something else, such as GIT_AUTHOR_NAME."""

_URL_PASSWORD = re.compile(r"://[^/?#@:\s]*:([^/?#\s]+)@")
_QUERY_PASSWORD = re.compile(r"(?:^|[?&\s])password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^&\s']+))")


def secrets_in(environ: Mapping[str, str], more_parts: Iterable[str] = ()) -> Iterator[str]:
    """Find the secrets of an environment: by the names of variables, and passwords in addresses.

    Args:
        environ: Environment variables.
        more_parts: Further parts of names, in any case.
    """
    parts = (*NAME_PARTS, *(part.upper() for part in more_parts if part))
    for name, value in environ.items():
        yield from passwords_in(value)
        if is_secret_name(name, parts) and not _is_harmless(value):
            yield value


def is_secret_name(name: str, parts: Iterable[str] = NAME_PARTS) -> bool:
    """Tell whether a variable of this name is taken for a secret."""
    name = name.upper()
    if name in NOT_SECRET_NAMES:
        return False
    rest = _OTHER_WORDS.sub(" ", name)
    return any(part in rest or part == name for part in parts)


def passwords_in(address: str) -> Iterator[str]:
    """Find the passwords of a URL or a connection string, as written and as meant."""
    if "://" in address or "password" in address:
        for pattern in (_URL_PASSWORD, _QUERY_PASSWORD):
            for found in pattern.finditer(address):
                password = next(part for part in found.groups() if part is not None)
                yield from {password, unquote(password)}


def _is_harmless(value: str) -> bool:
    """Whether this is a switch, or the path of a file: that is not what is in the file."""
    if value.strip().lower() in NOT_SECRET_VALUES:
        return True
    try:
        return value.startswith("/") and Path(value).exists()
    except (OSError, ValueError):
        return False
