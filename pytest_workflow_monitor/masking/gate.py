"""Looks once more for secrets in what is about to be written, by other means than the masking.

Masking searches for the encodings of a secret; the gate undoes encodings and searches for the
secret itself, so that a mistake in one is not a mistake in the other.
"""

from __future__ import annotations

import binascii
import re
from gzip import BadGzipFile, GzipFile
from html import unescape
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote
from zlib import error as BadDeflateError  # noqa: N812 - it is an exception

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROUNDS = 4
"""How many encodings around one another are undone."""

SHORT = 12
"""Values of fewer characters are not looked for in ids and instants, where chance puts them."""

BLOB = 200
"""So many characters of base64 are data, which is looked at decoded."""

MAX_UNPACKED = 64 << 20
LARGE = 256 << 10
"""Of larger texts what repeats itself is decoded once."""

_GZIP = b"\x1f\x8b"
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_INNER_QUOTE = "\ue000"
_MASKED = "[masked]"
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_BLOB = re.compile(rf"[A-Za-z0-9+/]{{{BLOB},}}={{0,2}}")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d")
_PADDED_RUN = re.compile(r"[A-Za-z0-9+/_-]{4,}=")
_MACHINE = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9A-Za-z])"
    r"(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{16}|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)"
    r"(?![0-9A-Za-z])"
)


class Gate:
    """Searches for values behind whatever encoding.

    Args:
        values: The secrets.
    """

    def __init__(self, values: Iterable[str]) -> None:
        values = tuple(values)
        self._short = tuple(value for value in values if len(value) < SHORT)
        self._long = tuple(value for value in values if len(value) >= SHORT)

    def found_in(self, text: str, *, numbers: bool = True) -> set[str]:
        """Return the values that these texts hold.

        ``numbers`` tells whether short values of digits alone are looked for, too: in a page full
        of numbers they mean nothing.
        """
        found: set[str] = set()
        if not self._short and not self._long:
            return found
        short = self._short if numbers else tuple(it for it in self._short if not it.isdigit())
        forms = (text,) if _is_plain(text) else self._forms(text)
        for form in forms:
            found.update([value for value in self._long if value in form])
            suspects = [value for value in short if value in form]
            if suspects:
                rest = _MACHINE.sub(" ", form)
                found.update([value for value in suspects if value in rest])
        return found

    def found_in_bytes(self, data: bytes) -> set[str]:
        """Return the values that a binary file holds, plainly or compressed."""
        found = {
            value
            for value in (*self._short, *self._long)
            if value.encode() in data or value.encode("utf-16-le") in data
        }
        if data.startswith(_GZIP):
            found |= self.found_in(_unpacked(data).decode("utf-8", "replace"))
        return found

    def _forms(self, text: str) -> Iterator[str]:
        """The text, and what is left of it when encodings are undone in any order."""
        if _MASKED in text:
            text = text.replace(_MASKED, " ")
        if any(len(run) >= BLOB for run in _RUN.findall(text)):
            blobs = _BLOB.findall(text)
            text = _BLOB.sub(" ", text)
            yield from (form for blob in blobs for form in self._within(blob))
        forms = {text}
        fresh = [text]
        if len(text) > LARGE:
            yield text
            text = _without_repetition(text)
            forms, fresh = {text}, [text]
        for _ in range(ROUNDS):
            fresh = [form for known in fresh for form in _undone(known) if form not in forms]
            if not fresh:
                break
            forms.update(fresh)
        yield from forms
        for form in forms:
            yield from _from_base64(form)

    def _within(self, blob: str) -> Iterator[str]:
        """What a long run of base64 holds, wherever its groups of four begin."""
        blob = blob.rstrip("=")
        for start in range(4):
            piece = blob[start:]
            data = binascii.a2b_base64(piece + "A" * (-len(piece) % 4))
            if data.startswith(_GZIP):
                yield from self._forms(_unpacked(data).decode("utf-8", "replace"))
                return
            yield data.decode("utf-8", "replace")
            if data.startswith(_PICTURES):
                return


def _without_repetition(text: str) -> str:
    """The pieces between quotes and line ends, each once: most of a large report repeats itself."""
    pieces = text.replace('\\"', _INNER_QUOTE).replace("\n", '"').split('"')
    return "\n".join(dict.fromkeys(pieces)).replace(_INNER_QUOTE, '\\"')


def _is_plain(text: str) -> bool:
    """Whether nothing here looks encoded, as in most records."""
    for sign in ("\\", "%", "&", "+", "=", _MASKED):
        if sign in text:
            return False
    return all(len(run) < BLOB and _is_name(run) for run in _RUN.findall(text))


def _is_name(run: str) -> bool:
    """Whether this is no base64 of a text, which has capitals, but a name, an id or an instant."""
    return run == run.lower() or _HOUR.fullmatch(run) is not None


def _undone(text: str) -> Iterator[str]:
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        yield unescape(text)
    if "%" in text:
        decoded = unquote(text)
        yield decoded
        if "+" in text:
            yield unquote(text.replace("+", " "))
    elif "+" in text:
        yield text.replace("+", " ")


def _unescaped(found: re.Match[str]) -> str:
    wide, narrow, character = found.groups()
    if wide or narrow:
        return chr(int(wide or narrow, 16))
    return _CONTROLS.get(character, character)


def _from_base64(text: str) -> Iterator[str]:
    """Decode all runs together, once for each way in which groups of four may lie."""
    runs = _RUN.findall(text)
    if "=" in text:
        runs += [run[:-1] for run in _PADDED_RUN.findall(text)]
    runs = [run.replace("-", "+").replace("_", "/") for run in runs if not _is_name(run)]
    if not runs:
        return
    for start in range(4):
        pieces = [run[start:] for run in runs]
        whole = "AAAA".join(piece + "A" * (-len(piece) % 4) for piece in pieces)
        yield binascii.a2b_base64(whole).decode("utf-8", "replace")


def _unpacked(data: bytes) -> bytes:
    try:
        with GzipFile(fileobj=BytesIO(data)) as file:
            return file.read(MAX_UNPACKED)
    except (BadGzipFile, EOFError, OSError, BadDeflateError):
        return b""
