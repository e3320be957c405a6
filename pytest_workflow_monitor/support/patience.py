"""Waits for what may never answer, no longer than is said."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class LateError(Exception):
    """It did not end within its time."""


def within(seconds: float, name: str, call: Callable[[], T]) -> T:
    """Call something, and wait so long at most, whatever it waits for.

    It runs in a thread of its own, because a library's own limit counts each read anew and not the
    look-up of a name. A thread that is late is left alone; its library's limit ends it.

    Args:
        seconds: How long it may take in all.
        name: What its thread is called.
        call: What to call; what it raises is raised here.

    Raises:
        LateError: It took too long.
    """
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            done.put((None, error))

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except queue.Empty:
        raise LateError from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value] # put there together with no error
