"""Where commands print: on a console for people, as JSON for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Return a console on standard output, as it is now."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False)


def print_json(value: Any) -> None:
    """Print records or plain values as indented JSON."""
    encoded = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    print(encoded.decode())  # noqa: T201 - this is the program's output
