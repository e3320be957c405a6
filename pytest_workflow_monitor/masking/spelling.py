"""How a value looks once programs have encoded it."""

from __future__ import annotations

import json
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNRESERVED_IN_JAVASCRIPT = "!'()*~"
_KEPT_BY_ENCODE_URI = ";/?:@&=+$,#" + _UNRESERVED_IN_JAVASCRIPT
_NAMED = {'"': "&quot;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;"}


class Spelling(NamedTuple):
    """One form of a value.

    Base64 mixes the ends of a value with what stands beside it: ``open_left`` and ``open_right``
    say that the character before or after belongs to it in part.
    """

    text: bytes
    open_left: bool = False
    open_right: bool = False


def spellings(value: str) -> set[Spelling]:
    """Return every form of a value that is looked for.

    Plain, JSON, URL, HTML, and as Python shows texts; JSON or Python once more around each of
    them, the others around JSON; and base64 of the plain and the JSON form.
    """
    quoted = set(_json(value))
    once = {value, *quoted, *_python(value), *_url(value), *_html(value)}
    texts = {*once, *(form for text in once for form in (*_json(text), *_python(text)))}
    for text in quoted:
        texts |= {*_url(text), escape(text), escape(text, quote=True).replace("&#x27;", "&#39;")}
    found = {Spelling(text.encode()) for text in texts}
    for text in {value, *quoted}:
        found |= set(_base64(text.encode()))
    return found


def _json(text: str) -> Iterator[str]:
    """As JSON writes it, with and without characters beyond ASCII, careful of HTML or not."""
    for ascii_only in (True, False):
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield written
        yield written.replace("/", "\\/")
        careful = written
        for character in "<>&'":
            careful = careful.replace(character, f"\\u{ord(character):04x}")
        yield careful


def _python(text: str) -> Iterator[str]:
    """As tracebacks show it, and as pytest writes it into the ids of parametrised tests."""
    yield repr(text)[1:-1]
    yield repr(f"{text}'\"")[1:-4]
    yield text.encode("unicode_escape").decode()


def _url(text: str) -> Iterator[str]:
    raw = text.encode()
    for written in (
        quote(raw, safe=""),
        quote(raw, safe="/"),
        quote_plus(raw),
        quote(raw, safe=_UNRESERVED_IN_JAVASCRIPT),
        quote(raw, safe=_KEPT_BY_ENCODE_URI),
        quote(quote(raw, safe=""), safe=""),
    ):
        yield written
        yield _lower_hex(written)


def _lower_hex(written: str) -> str:
    first, *rest = written.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _html(text: str) -> Iterator[str]:
    yield escape(text, quote=False)
    yield escape(text)
    yield escape(text).replace("&#x27;", "&#39;")
    yield escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield "".join(_NAMED.get(character, character) for character in text)
    for pattern in ("&#{};", "&#{:03};", "&#x{:x};", "&#x{:X};", "&#x{:02x};"):
        for plain in (str.isalnum, str.isascii, _is_plain_ascii):
            yield "".join(c if plain(c) else pattern.format(ord(c)) for c in text)
    for decimal in ("&#{};", "&#x{:x};"):
        yield "".join(_NAMED.get(c) or (c if c.isascii() else decimal.format(ord(c))) for c in text)


def _is_plain_ascii(character: str) -> bool:
    return character.isascii() and character not in _NAMED


def _base64(raw: bytes) -> Iterator[Spelling]:
    """The characters that only this value decides, wherever it begins in what was encoded."""
    for before in range(3):
        begin, end = before * 8, (before + len(raw)) * 8
        padded = b64encode(bytes(before) + raw).decode()
        core = padded[-(-begin // 6) : end // 6]
        for text in {core, core.replace("+", "-").replace("/", "_"), *_url(core)}:
            yield Spelling(text.encode(), begin % 6 != 0, end % 6 != 0)
