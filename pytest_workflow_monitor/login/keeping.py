"""Where logins are kept between tests, processes and runs: encrypted in files, or in memory only.

A login is as good as a password, so it is never written in the clear.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from pytest_workflow_monitor.errors import LoginError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.fernet import Fernet

KEY_VARIABLE = "WORKFLOW_MONITOR_LOGIN_KEY"
VERSION = 1
"""Of the files; one of another version is as good as none."""

_MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)

LOGGER = "pytest_workflow_monitor.login"
"""The name of the log, which is made when it is needed: pytest visits all of them in each test."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's being logged in: Playwright's storage state, and when it was made.

    ``made_at`` is in seconds since 1970.
    """

    state: dict[str, Any]
    made_at: float
    version: int = VERSION

    def is_good(self, now: float, ttl_seconds: float) -> bool:
        """Whether it may be used again; not when it seems to come from the future."""
        return self.version == VERSION and 0 <= now - self.made_at < ttl_seconds


class Keeper(Protocol):
    """Keeps logins by name."""

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Keep every other process from making the same login meanwhile."""

    def read(self, name: str) -> Login | None:
        """Return the login unless there is none, or it is too old."""

    def write(self, name: str, state: dict[str, Any]) -> None:
        """Keep a login that was made just now."""


class MemoryKeeper:
    """Keeps logins for this process alone, until it ends.

    Args:
        ttl_seconds: How long a login may be used again; 0 for never.
    """

    def __init__(self, ttl_seconds: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._logins: dict[str, Login] = {}

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:  # noqa: ARG002 - no other process can see it
        """Do nothing: a process runs one test at a time."""
        yield

    def read(self, name: str) -> Login | None:
        """Return the login unless there is none, or it is too old."""
        login = self._logins.get(name)
        return login if login and login.is_good(time.time(), self._ttl_seconds) else None

    def write(self, name: str, state: dict[str, Any]) -> None:
        """Keep a login that was made just now."""
        self._logins[name] = Login(state=state, made_at=time.time())


class FileKeeper:
    """Keeps logins in encrypted files, one for each name, for all processes that have the key.

    A file that is damaged, too old, of another version or made with another key is as good as
    none. Where files cannot be written, logins are kept in memory.

    Args:
        folder: Where the files are; it is made when the first login is.
        cipher: Encrypts and decrypts, and notices when what it decrypts was changed.
        ttl_seconds: How long a login may be used again.
    """

    def __init__(self, folder: Path, cipher: Fernet, ttl_seconds: float) -> None:
        self._folder = folder
        self._cipher = cipher
        self._ttl_seconds = ttl_seconds
        self._memory = MemoryKeeper(ttl_seconds)

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold the lock of a name; the system lets go of it when the process dies."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            logging.getLogger(LOGGER).warning(
                "logins cannot be shared with other processes: %s", error
            )
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read(self, name: str) -> Login | None:
        """Return the login unless there is none, or it cannot be used."""
        from cryptography.fernet import InvalidToken

        try:
            content = self._cipher.decrypt(self._path(name).read_bytes())
            login = msgspec.json.decode(content, type=Login)
        except (OSError, InvalidToken, msgspec.DecodeError):
            return self._memory.read(name)
        return login if login.is_good(time.time(), self._ttl_seconds) else None

    def write(self, name: str, state: dict[str, Any]) -> None:
        """Keep a login that was made just now; readers see the old file or the new one."""
        self._memory.write(name, state)
        content = msgspec.json.encode(Login(state=state, made_at=time.time()))
        path = self._path(name)
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as new:
                new.write(self._cipher.encrypt(content))
            part.replace(path)
        except OSError as error:
            logging.getLogger(LOGGER).warning("a login is kept in memory only: %s", error)
            with suppress(OSError):
                part.unlink()
        self._forget_old()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.login"

    def _forget_old(self) -> None:
        """Remove the files that nobody will use again."""
        oldest = time.time() - self._ttl_seconds
        with suppress(OSError):
            for path in self._folder.glob("*.login"):
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)


def keeper(folder: Path, key: str, ttl_seconds: float) -> Keeper:
    """Return what keeps logins: files where there is a key, else memory.

    Args:
        folder: Where files would be.
        key: What ``WORKFLOW_MONITOR_LOGIN_KEY`` holds: a Fernet key, or nothing.
        ttl_seconds: How long a login may be used again; 0 for never.

    Raises:
        LoginError: The key is none, or the library that encrypts is missing.
    """
    if not key or not ttl_seconds:
        return MemoryKeeper(ttl_seconds)
    try:
        from cryptography.fernet import Fernet
    except ImportError:
        raise LoginError(
            f"{KEY_VARIABLE} is set, but the library that encrypts logins is missing: "
            "pip install 'pytest-workflow-monitor[login]'."
        ) from None
    try:
        return FileKeeper(folder, Fernet(key), ttl_seconds)
    except ValueError:
        raise LoginError(f"{KEY_VARIABLE} is not a Fernet key; make one: {_MAKE_A_KEY}") from None
