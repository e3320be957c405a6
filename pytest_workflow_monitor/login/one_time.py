"""One-time codes by time (TOTP, RFC 6238), as apps for two-factor logins show them."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflow_monitor.errors import LoginError

if TYPE_CHECKING:
    import pyotp

SHORTEST_KEY = 20
_SECRET = re.compile(r"(?<=[?&]secret=)[^&#]+")

MOST_AHEAD = 100
"""Periods; what is reserved further ahead was reserved before the clock was set back."""


def totp(secret: str, *, seconds_left: float = 5.0) -> str:
    """Return the current one-time code of a secret, which nobody else was given.

    When the code is soon over, or was given out before, by whatever process of this user on this
    machine, it waits for the next one: servers take a code once.

    Args:
        secret: The text in Base32 that belongs to the QR code, blanks allowed, or the whole
            ``otpauth://totp/…`` address, which may name another period, length or hash.
        seconds_left: How long the code must still be valid.

    Raises:
        LoginError: The secret is none, or the library that computes codes is missing.
    """
    from pytest_workflow_monitor.masking import known

    generator = _generator(secret)
    known.learn(secret, *_SECRET.findall(secret), _bare(secret))
    period = generator.interval
    if not 0 <= seconds_left < period:
        raise LoginError(f"seconds_left={seconds_left:g}: expected 0 to less than {period}.")
    counter = _reserve(generator.secret, period, seconds_left)
    while (early := counter * period - time.time()) > 0:
        time.sleep(early)
    return generator.generate_otp(counter)


def next_counter(now: float, period: int, seconds_left: float, last: int | None) -> int:
    """Return the number of the period, since 1970, whose code is to be used.

    Args:
        now: Seconds since 1970.
        period: Seconds that a code is valid.
        seconds_left: Seconds that it must still be valid.
        last: The period whose code was used last, or is going to be.
    """
    current = int(now // period)
    if (current + 1) * period - now < seconds_left:
        current += 1
    if last is None or last - current > MOST_AHEAD:
        return current
    return max(current, last + 1)


def _generator(secret: object) -> pyotp.TOTP:
    try:
        import pyotp
    except ImportError:
        raise LoginError(
            "totp needs a library: pip install 'pytest-workflow-monitor[totp]'."
        ) from None
    wrong = "totp: the secret is neither Base32 text nor an otpauth://totp/… address."
    text = str(secret).strip()
    try:
        if text.startswith("otpauth:"):
            made = pyotp.parse_uri(_SECRET.sub(lambda found: _lengthened(found[0]), text))
        else:
            made = pyotp.TOTP(_lengthened(text))
    except ValueError:
        raise LoginError(wrong) from None
    if not isinstance(made, pyotp.TOTP):
        raise LoginError(wrong)
    return made


def _lengthened(secret: str) -> str:
    """Lengthen a short secret, which pyotp refuses though servers give such out.

    The codes are the same, because HMAC fills a key up with zeros anyway (RFC 2104).
    """
    text = _bare(secret)
    key = base64.b32decode(text + "=" * (-len(text) % 8), casefold=True)
    if not key:
        raise ValueError("empty")
    return base64.b32encode(key.ljust(SHORTEST_KEY, b"\0")).decode().rstrip("=")


def _bare(secret: str) -> str:
    """Return Base32 text without what is there for people's eyes."""
    return "".join(secret.split()).replace("-", "").rstrip("=").upper()


def _reserve(secret: str, period: int, seconds_left: float) -> int:
    """Choose the period, and note it for the other processes of this user."""
    name = hashlib.sha256(f"pytest-workflow-monitor:{secret}".encode()).hexdigest()[:32]
    file = os.open(_folder() / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        noted = os.read(file, 32)
        last = int(noted) if noted.isdigit() else None
        counter = next_counter(time.time(), period, seconds_left, last)
        os.lseek(file, 0, os.SEEK_SET)
        os.truncate(file, os.write(file, str(counter).encode()))
    finally:
        os.close(file)
    return counter


def _folder() -> Path:
    """Return a folder of this user's own, which other users cannot have prepared."""
    folder = Path(tempfile.gettempdir()) / f"pytest-workflow-monitor-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise LoginError(f"totp: {folder} belongs to somebody else.")
    return folder
