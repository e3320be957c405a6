"""What is known to be secret, and everything that keeps it from being written."""

from __future__ import annotations

import logging
import threading
from typing import IO, TYPE_CHECKING, TypeVar

from pytest_workflow_monitor.masking import headers, texts
from pytest_workflow_monitor.masking.environment import passwords_in, secrets_in
from pytest_workflow_monitor.masking.gate import Gate
from pytest_workflow_monitor.masking.matcher import Matcher, replace
from pytest_workflow_monitor.masking.records import rewritten
from pytest_workflow_monitor.masking.withheld import WITHHELD, WithheldError
from pytest_workflow_monitor.support.wire import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_workflow_monitor.model import Record

LOGGER = "pytest_workflow_monitor.masking"
"""The name of the log, which is made when it is needed: pytest visits all of them in each test."""

R = TypeVar("R", bound="Record")

MIN_LENGTH = 4
"""Shorter values are not masked: they stand everywhere by chance."""

MIN_LINE = 16
"""The lines of a secret of several lines, such as a key file, are secrets from this length on."""

PIECE = 8 << 20
MAX_LINE = 64 << 20
ZIP = b"PK\x03\x04"


class Secrets:
    """The secrets that a process knows; most come from the environment, others while tests run.

    All methods may be called from any thread.

    Attributes:
        count: How many values are known.
        learnt_count: How many of them another process with the same environment does not know.
    """

    def __init__(self) -> None:
        self.count = 0
        self.learnt_count = 0
        self._values: dict[str, None] = {}
        self._learnt: list[str] = []
        self._matchers: list[Matcher] = []
        self._gate = Gate(())
        self._lock = threading.Lock()

    @property
    def values(self) -> tuple[str, ...]:
        """All values, in the order in which they became known."""
        return tuple(self._values)

    def learnt(self, start: int = 0) -> tuple[str, ...]:
        """Values that were learnt otherwise than from the environment, from a position on."""
        return tuple(self._learnt[start:])

    def learn(self, *values: str) -> bool:
        """Keep values secret from here on; False when all were known or too short."""
        fresh = self._add(values)
        self._learnt += fresh
        self.learnt_count = len(self._learnt)
        return bool(fresh)

    def learn_environment(self, environ: Mapping[str, str], more_parts: Iterable[str] = ()) -> None:
        """Learn what an environment holds; ``more_parts`` are further parts of secret names."""
        self._add(secrets_in(environ, more_parts))

    def learn_address(self, address: str) -> None:
        """Learn the password in a URL or a connection string."""
        self.learn(*passwords_in(address))

    def text(self, text: str) -> str:
        """Mask a text: known values, sensitive headers, and passwords in URLs."""
        data = text.encode("utf-8", "surrogatepass")
        return self._masked(text, data) if self._may_hold(data) else text

    def cut(self, text: str, limit: int) -> str:
        """Return the beginning of a text, masked where a cut could leave a part of a secret."""
        return text if len(text) <= limit else self.text(text)[:limit]

    def record(self, record: R) -> R:
        """Mask the texts of a record that goes into another one, which the gate will see."""
        return rewritten(record, self.text) if self._may_hold(encode(record)) else record

    def sealed(self, record: R) -> tuple[R, bytes]:
        """Mask a record, and return it with its encoded form, checked by the gate."""
        data = encode(record)
        if self._may_hold(data):
            try:
                record = rewritten(record, self.text)
            except Exception:
                logging.getLogger(LOGGER).exception("a record could not be masked")
                record = rewritten(record, lambda _: f"[{WITHHELD}]")
            data = encode(record)
        if self._values and self._gate.found_in(data.decode("utf-8", "replace")):
            record = rewritten(record, self._withheld)
            data = encode(record)
        return record, data

    def sealed_line(self, line: bytes, decode: Callable[[bytes], Record]) -> bytes:
        """Do the same to an encoded record, which is decoded only if there is a reason."""
        if self._may_hold(line) or (
            self._values and self._gate.found_in(line.decode("utf-8", "replace"))
        ):
            return self.sealed(decode(line))[1]
        return line

    def content(self, data: bytes, *, is_trace: bool = False) -> bytes:
        """Mask the content of a text file; JSON stays JSON.

        Raises:
            WithheldError: The gate still found a secret.
        """
        if self._may_hold(data):
            if texts.is_json(data):
                made = texts.masked_json(data.decode(), self.text, is_trace=is_trace)
            else:
                made = self._masked(data.decode("utf-8", "surrogateescape"), data)
            data = made.encode("utf-8", "surrogateescape")
        if self._values and self._gate.found_in(texts.texts_of(data, is_trace=is_trace)):
            raise WithheldError(WITHHELD)
        return data

    def copy(self, source: IO[bytes], target: IO[bytes]) -> None:
        """Copy a file with its texts masked; what is no text is only looked through.

        Args:
            source: The file, at its beginning, of a kind that can be read from there again.
            target: Takes the copy.

        Raises:
            WithheldError: The gate still found a secret, or the file cannot be looked through.
            OSError: A file cannot be read or written.
        """
        if source.read(len(ZIP)) == ZIP:
            from pytest_workflow_monitor.masking import traces

            traces.rewrite(source, target, self._member)
            return
        source.seek(0)
        while piece := source.read(PIECE):
            piece += source.readline(MAX_LINE)
            if len(piece) >= PIECE + MAX_LINE:
                raise WithheldError("withheld: its lines are too long to be looked through")
            target.write(self._member(piece))

    def report(self, page: bytes, own_words: Callable[[], str]) -> bytes:
        """Return a report as it is, if the gate finds no secret in it.

        Args:
            page: The report.
            own_words: Gives the texts of the program that writes it. A secret that is one of its
                words says nothing when it is found in there.

        Raises:
            WithheldError: The gate found a secret.
        """
        if self._values:
            found = self._gate.found_in(page.decode("utf-8", "replace"), numbers=False)
            if found and any(value not in own_words() for value in found):
                raise WithheldError(WITHHELD)
        return page

    def _add(self, values: Iterable[str]) -> list[str]:
        with self._lock:
            forms = [form for value in values for form in _forms(value)]
            fresh = [form for form in dict.fromkeys(forms) if form not in self._values]
            if fresh:
                self._matchers = _merged([*self._matchers, Matcher(fresh)])
                self._values |= dict.fromkeys(fresh)
                self._gate = Gate(self._values)
                self.count = len(self._values)
        return fresh

    def _may_hold(self, data: bytes) -> bool:
        for matcher in self._matchers:
            if matcher.may_hold(data):
                return True
        return headers.may_hold(data)

    def _masked(self, text: str, data: bytes) -> str:
        masked = self._replaced(data)
        return headers.masked(text if masked is data else masked.decode("utf-8", "surrogateescape"))

    def _replaced(self, data: bytes) -> bytes:
        candidates = {it for matcher in self._matchers for it in matcher.candidates(data)}
        return replace(data, candidates) if candidates else data

    def _withheld(self, text: str) -> str:
        return f"[{WITHHELD}]" if self._gate.found_in(text) else text

    def _member(self, data: bytes, *, is_trace: bool = False) -> bytes:
        """Mask a text; of anything else make sure that it needs no masking."""
        if texts.is_text(data):
            return self.content(data, is_trace=is_trace)
        if self._values and (self._replaced(data) != data or self._gate.found_in_bytes(data)):
            raise WithheldError(WITHHELD)
        return data


def _forms(value: str) -> list[str]:
    """What to look for: the value, without blanks around it, and its long lines."""
    value = value.encode("utf-8", "replace").decode()
    stripped = value.strip()
    lines = [line.strip() for line in stripped.splitlines()] if "\n" in stripped else []
    long_lines = [it for it in lines if len(it) >= MIN_LINE and not it.startswith("-----")]
    found = [value, stripped, *long_lines]
    return [form for form in found if len(form.strip()) >= MIN_LENGTH]


def _merged(matchers: list[Matcher]) -> list[Matcher]:
    """Join the last ones while they are of a size, so that there are few and none is made often."""
    while len(matchers) > 1 and len(matchers[-1].values) >= len(matchers[-2].values):
        *rest, before, last = matchers
        matchers = [*rest, Matcher((*before.values, *last.values))]
    return matchers
