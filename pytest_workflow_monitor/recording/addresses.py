"""Addresses of pages and requests, fit to be kept: without passwords, tokens and keys."""

from __future__ import annotations

import re

from pytest_workflow_monitor.masking import known

MAX_ADDRESS = 2_000
HIDDEN = "***"

_USER = re.compile(r"(?<=://)[^/?#@\s]+(?:@[^/?#@\s]*)*@")
_VALUE = re.compile(r"([?&#;])([^=&#;\s]{1,200})=([^&#;\s]+)")
_SECRET = re.compile(
    r"secret|token|passw|pwd|credential|auth|api.?key|access.?key|session|signature|jwt|otp"
    r"|(?:^|[^a-z])(?:key|sig|sid|code|pin)$",
    re.IGNORECASE,
)
_DATA = re.compile(r"(data:[^,;\s]{0,100})[^\s\"')]*")
_ADDRESS = re.compile(r"(?:\w+://|data:)[^\s\"'<>]+")


def safe_url(url: str) -> str:
    """Return an address without its user and password and without the values of secrets.

    Secret are those parameters, of the query or the fragment, whose names look like it, such as
    ``token`` or ``api_key``. The content of a ``data:`` address is left out.
    """
    if url.startswith("data:"):
        return _DATA.sub(r"\1,…", url)
    without_user = _USER.sub("", known.cut(url, 4 * MAX_ADDRESS), count=1)
    return known.cut(_VALUE.sub(_redacted, without_user), MAX_ADDRESS)


def with_safe_urls(text: str) -> str:
    """Return a text in which each address is safe."""
    return _ADDRESS.sub(lambda found: safe_url(found[0]), text)


def _redacted(found: re.Match[str]) -> str:
    before, name, value = found.groups()
    return f"{before}{name}={HIDDEN if _SECRET.search(name) else value}"
