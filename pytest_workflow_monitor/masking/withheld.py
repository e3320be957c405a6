"""The one way in which something is refused because of a secret in it."""

from __future__ import annotations

WITHHELD = "withheld: it still held a secret after masking"


class WithheldError(ValueError):
    """Something must not be written, because a secret is, or may be, still in it."""
