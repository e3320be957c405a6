"""One-time codes: the standard's own examples, and codes that nobody else was given."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyotp
import pytest

from pytest_workflow_monitor.errors import LoginError
from pytest_workflow_monitor.login import one_time, totp
from pytest_workflow_monitor.login.one_time import next_counter
from pytest_workflow_monitor.masking import known

if TYPE_CHECKING:
    from pathlib import Path

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
OTHER_SECRET = "RLLBBMGRHTMJN2ULE3KOCSHZMWHG3YNR"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


class Clock:
    """A clock that runs while somebody sleeps."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


def at(monkeypatch: pytest.MonkeyPatch, now: float) -> Clock:
    clock = Clock(now)
    monkeypatch.setattr(one_time, "time", clock)
    return clock


@pytest.mark.parametrize(
    ("now", "code"), [(59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")]
)
def test_the_codes_are_those_of_the_standard(
    monkeypatch: pytest.MonkeyPatch, now: float, code: str
) -> None:
    """RFC 6238, appendix B, whose codes have eight digits."""
    at(monkeypatch, now)
    address = f"otpauth://totp/shop:ann?secret={RFC_SECRET}&digits=8&issuer=shop"
    assert totp(address, seconds_left=0) == code


def test_a_code_that_is_soon_over_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for the next one, and not a second longer."""
    clock = at(monkeypatch, 1_000_000_005)  # 15 s are left
    expected = pyotp.TOTP(RFC_SECRET)
    assert totp(RFC_SECRET, seconds_left=15) == expected.at(1_000_000_005)
    assert clock.now == 1_000_000_005
    other = pyotp.TOTP(OTHER_SECRET)
    clock.now = 1_000_000_017
    assert totp("rllb bmgr htmj n2ul-e3ko cshz mwhg 3ynr") == other.at(1_000_000_020)
    assert clock.now == 1_000_000_020


def test_no_code_is_given_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second waits for the next period; another secret does not."""
    clock = at(monkeypatch, 1_000_000_000)
    codes = [totp(RFC_SECRET) for _ in range(3)]
    assert len(set(codes)) == 3
    assert clock.now == 1_000_000_050, "the starts of periods are multiples of 30"
    assert totp(OTHER_SECRET) == pyotp.TOTP(OTHER_SECRET).at(clock.now)
    assert clock.now == 1_000_000_050


def test_processes_are_given_different_codes() -> None:
    """Four at once, with a period of a second."""
    address = f"otpauth://totp/shop?secret={RFC_SECRET}&period=1"
    program = (
        f"from pytest_workflow_monitor.login import totp; print(totp({address!r}, seconds_left=0))"
    )
    begun = time.time()
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    codes = [process.communicate(timeout=60)[0].strip() for process in processes]
    periods = range(int(begun), int(time.time()) + 1)
    possible = {pyotp.TOTP(RFC_SECRET, interval=1).generate_otp(period) for period in periods}
    assert len(set(codes)) == 4
    assert set(codes) <= possible


@pytest.mark.parametrize(
    ("now", "seconds_left", "last", "counter"),
    [
        (30.0, 5, None, 1),
        (54.9, 5, None, 1),
        (55.1, 5, None, 2),
        (30.0, 5, 0, 1),
        (30.0, 5, 1, 2),
        (55.1, 5, 2, 3),
        (30.0, 5, 7, 8),
        (30.0, 5, 102, 1),  # the clock was set back
    ],
)
def test_the_next_period_that_can_be_used(
    now: float, seconds_left: float, last: int | None, counter: int
) -> None:
    """The current one, unless it is soon over or was used."""
    assert next_counter(now, 30, seconds_left, last) == counter


def test_only_its_owner_sees_what_was_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the secret is nowhere."""
    at(monkeypatch, 1_000_000_000)
    totp(RFC_SECRET)
    (used,) = [path for path in folder.rglob("*") if path.is_file()]
    assert used.read_text() == "33333333"
    assert used.stat().st_mode & 0o077 == 0
    assert used.parent.stat().st_mode & 0o077 == 0
    assert RFC_SECRET not in used.name


def test_short_secrets_have_codes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many servers give out 80 bits; the code is what other programs show for it."""
    at(monkeypatch, 0)
    assert totp("JBSWY3DPEHPK3PXP", seconds_left=0) == "282760"


def test_the_secret_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the spelling that was given, and in that of an authenticator app."""
    at(monkeypatch, 0)
    spelling = "rllb bmgr htmj n2ul e3ko cshz mwhg 3ynr"
    totp(spelling)
    address = "otpauth://totp/shop?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA"
    totp(address)
    for given in (OTHER_SECRET, spelling, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA"):
        assert given not in known.text(f"It is {given}.")


@pytest.mark.parametrize(
    "secret", ["", " ", "not base32!", "otpauth://hotp/shop?secret=JBSWY3DPEHPK3PXP", "otpauth://x"]
)
def test_what_is_no_secret_is_named(secret: str) -> None:
    """Without saying what was given."""
    with pytest.raises(LoginError) as caught:
        totp(secret)
    sentence = "totp: the secret is neither Base32 text nor an otpauth://totp/… address."
    assert str(caught.value) == sentence


def test_nobody_can_wait_longer_than_a_period() -> None:
    """No code is valid as long as that."""
    with pytest.raises(LoginError, match=r"seconds_left=30: expected 0 to less than 30\."):
        totp(RFC_SECRET, seconds_left=30)


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "pyotp", None)
    with pytest.raises(LoginError, match=r"pip install 'pytest-workflow-monitor\[totp\]'"):
        totp(RFC_SECRET)
