"""Masks what is secret by its place: values of sensitive headers, and passwords in URLs."""

from __future__ import annotations

import re

SENSITIVE = (
    "proxy-authorization",
    "authorization",
    "set-cookie",
    "cookie",
    "x-api-key",
    "x-auth-token",
)
"""Headers whose values are masked, in lower case."""

_NAME = f"(?:{'|'.join(SENSITIVE)})"
_QUOTE = r"\\*[\"']"
_URL = re.compile(r"(://[^/?#@:\s\"'<>\\]*:)[^/?#@\s\"'<>\\]+(?=@)")
_URL_IN_BYTES = re.compile(rb"://[^/?#@:\s\"'<>\\]*:[^/?#@\s\"'<>\\]+@")

_QUOTED = re.compile(
    rf"((?<!\\)(?P<q>{_QUOTE}){_NAME}(?P=q)\s*[:=,]\s*\[?\s*b?(?P<v>{_QUOTE}))"
    r"(?!\[masked\]|value(?P=v)\s*:)(?:(?!(?<!\\)(?P=v)).)*",
    re.IGNORECASE | re.DOTALL,
)
"""``"authorization": "Bearer abc"``, also as a pair, a list of one, or inside another text."""

_PAIR = re.compile(
    rf"((?<!\\)(?P<q>{_QUOTE})name(?P=q)\s*:\s*(?P=q){_NAME}(?P=q)\s*,"
    r"\s*(?P=q)value(?P=q)\s*:\s*(?P=q))(?:(?!(?<!\\)(?P=q)).)*",
    re.IGNORECASE | re.DOTALL,
)
"""``{"name": "Authorization", "value": "Bearer abc"}``, as HTTP archives and traces have it."""

_COOKIES = re.compile(r"(?<!\\)(\\*\")cookies\1\s*:\s*\[(?!\])[^\]]*\]")
_COOKIE_VALUE = re.compile(r"((\\*\")value\2\s*:\s*\2)(?:(?!(?<!\\)\2).)*")

_LINE = re.compile(
    rf"((?P<q>[\"'])?(?<![\w-]){_NAME}[ \t]*[:=][ \t]*)(?!\[masked\]|[\"'\\\[{{(])"
    r"(?(q)(?:(?!(?P=q))[^\r\n])+|[^\r\n]+)",
    re.IGNORECASE,
)
"""``Authorization: Bearer abc`` to the end of the line, or of the text in quotes that it is."""


def may_hold(data: bytes) -> bool:
    """Whether there may be a sensitive header or a URL with a password; False is certain.

    Every record is looked at: ``in`` is several times quicker in texts than in bytes.
    """
    text = data.decode("latin-1").lower()
    return (
        "cookie" in text
        or "authorization" in text
        or "x-a" in text
        or ("://" in text and _URL_IN_BYTES.search(data) is not None)
    )


def masked(text: str, *, in_json: bool = False) -> str:
    """Mask the values of sensitive headers and the passwords of URLs.

    ``in_json`` keeps to values in quotes, so that JSON stays JSON.
    """
    text = _URL.sub(r"\1[masked]", text)
    text = _QUOTED.sub(r"\1[masked]", text)
    text = _PAIR.sub(r"\1[masked]", text)
    if '"cookies' in text or '\\"cookies' in text:
        text = _COOKIES.sub(lambda found: _COOKIE_VALUE.sub(r"\1[masked]", found[0]), text)
    return text if in_json else _LINE.sub(r"\1[masked]", text)
