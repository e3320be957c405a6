"""Signs of life for those who watch the watcher: systemd, a file, a heartbeat URL."""

from __future__ import annotations

import logging
import os
import socket
import urllib.request
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING
from urllib.error import URLError

from pytest_workflow_monitor.support.patience import LateError, within

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 5.0
PING_SECONDS = 60.0
"""A heartbeat URL hears at most so often of cycles that all end well."""

logger = logging.getLogger("pytest_workflow_monitor.schedule")


def tell_systemd(state: str) -> None:
    """Tell systemd something, such as ``READY=1``, where it wants to know (``sd_notify``)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), address)


def watchdog_seconds() -> float | None:
    """Return how often systemd wants a sign of life; None if it does not watch this process."""
    pid = os.environ.get("WATCHDOG_PID", "")
    try:
        seconds = int(os.environ.get("WATCHDOG_USEC", "")) / 1e6
    except ValueError:
        return None
    return seconds if seconds > 0 and pid in {"", str(os.getpid())} else None


def touch(path: Path | None) -> None:
    """Set the time of a file to now, for a container's health check."""
    if path is None:
        return
    try:
        path.touch()
    except OSError as error:
        logger.warning("the heartbeat file: %s", error, extra={"action": "heartbeat_file"})


class HeartbeatUrl:
    """Tells a dead man's switch, such as Healthchecks, how cycles go.

    ``/start`` is added to the address when one begins, nothing when it ended well, and ``/fail``
    with the reason when it failed.

    Args:
        url: The address; empty for none.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._pinged_at = float("-inf")
        self._failed = False
        self._is_silent = False

    @property
    def is_due(self) -> bool:
        """Whether it is to hear of the next cycle, even if that ends well."""
        return bool(self._url) and (self._failed or monotonic() >= self._pinged_at + PING_SECONDS)

    def start(self) -> None:
        """Tell that a cycle begins."""
        if self.is_due:
            self._post("/start", "")

    def success(self) -> None:
        """Tell that a cycle ended well."""
        if self.is_due:
            self._post("", "")
            self._pinged_at, self._failed = monotonic(), False

    def fail(self, reason: str) -> None:
        """Tell that a cycle failed; once, until one ends well."""
        if self._url and not self._failed:
            self._post("/fail", reason)
            self._failed = True

    def _post(self, path: str, body: str) -> None:
        request = urllib.request.Request(  # noqa: S310 - the settings only take web addresses
            self._url + path, data=body.encode(), method="POST"
        )

        def send() -> None:
            with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
                pass

        try:
            within(SECONDS, "heartbeat", send)
            self._is_silent = False
        except (URLError, OSError, LateError, ValueError) as error:
            if not self._is_silent:
                reason = type(error).__name__  # the address is a secret of its own
                logger.warning("the heartbeat URL: %s", reason, extra={"action": "heartbeat_url"})
            self._is_silent = True
