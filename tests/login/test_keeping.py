"""Keeping logins, without a browser."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from pytest_workflow_monitor.errors import LoginError
from pytest_workflow_monitor.login.keeping import FileKeeper, Login, MemoryKeeper, keeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CIPHER = Fernet(Fernet.generate_key())
STATE: dict[str, Any] = {"cookies": [{"name": "session", "value": "s3cr3t-cookie"}], "origins": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logins"


def kept(folder: Path, ttl_seconds: float = 3600) -> FileKeeper:
    return FileKeeper(folder, CIPHER, ttl_seconds)


def write(folder: Path) -> Path:
    first = kept(folder)
    with first.alone("customer"):
        first.write("customer", STATE)
    return folder / "customer.login"


def rewrite(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def rewritten(content: bytes) -> bytes:
        return CIPHER.encrypt(json.dumps(change(json.loads(CIPHER.decrypt(content)))).encode())

    return rewritten


def test_another_process_reads_what_was_kept(folder: Path) -> None:
    """From a file that holds nothing in the clear, for its owner only."""
    path = write(folder)
    login = kept(folder).read("customer")
    assert login is not None
    assert login.state == STATE
    assert b"s3cr3t" not in path.read_bytes()
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()}
    assert modes == {"customer.login": 0o600, "customer.lock": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


UNUSABLE: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:-40],
    "empty": lambda _: b"",
    "changed": lambda content: content[:60] + bytes([content[60] ^ 1]) + content[61:],
    "of another key": lambda content: Fernet(Fernet.generate_key()).encrypt(
        CIPHER.decrypt(content)
    ),
    "of another version": rewrite(lambda login: login | {"version": 0}),
    "of another shape": rewrite(lambda _: []),
    "too old": rewrite(lambda login: login | {"made_at": time.time() - 3601}),
    "of the future": rewrite(lambda login: login | {"made_at": time.time() + 60}),
}


@pytest.mark.parametrize("change", UNUSABLE)
def test_what_cannot_be_used_is_as_good_as_none(folder: Path, change: str) -> None:
    """And is written again like one that was never there."""
    path = write(folder)
    path.write_bytes(UNUSABLE[change](path.read_bytes()))
    assert kept(folder).read("customer") is None
    write(folder)
    assert kept(folder).read("customer") is not None


def test_the_time_to_live_has_an_end() -> None:
    """A login may be used before it, and not at it."""
    login = Login(state=STATE, made_at=1000.0)
    assert login.is_good(1000.0, 60)
    assert login.is_good(1059.9, 60)
    assert not login.is_good(1060.0, 60)
    assert not login.is_good(1000.0, 0)
    assert not login.is_good(999.0, 60)


def test_files_that_nobody_will_use_again_go(folder: Path) -> None:
    """Whenever a login is written."""
    path = write(folder)
    old = folder / "old.login"
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    write(folder)
    assert {entry.name for entry in folder.glob("*.login")} == {path.name}


def count_alone(folder: Path, times: int) -> None:
    """Add to a number in a file, which only works for one at a time."""
    number = folder / "number"
    for _ in range(times):
        with kept(folder).alone("customer"):
            number.write_text(str(int(number.read_text()) + 1))


def test_one_process_at_a_time_makes_a_login(folder: Path) -> None:
    """However many want to."""
    write(folder)
    (folder / "number").write_text("0")
    start = multiprocessing.get_context("spawn").Process
    processes = [start(target=count_alone, args=(folder, 50)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert (folder / "number").read_text() == "150"


def test_without_a_key_or_a_time_to_live_there_are_no_files(folder: Path) -> None:
    """Then logins stay in memory, or are not kept at all."""
    key = Fernet.generate_key().decode()
    assert isinstance(keeper(folder, "", 3600), MemoryKeeper)
    never = keeper(folder, key, 0)
    never.write("customer", STATE)
    assert never.read("customer") is None
    assert isinstance(keeper(folder, key, 3600), FileKeeper)
    with pytest.raises(LoginError, match="is not a Fernet key"):
        keeper(folder, "no key", 3600)
    assert not folder.exists()


def test_the_missing_library_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "cryptography.fernet", None)
    with pytest.raises(LoginError, match=r"pip install 'pytest-workflow-monitor\[login\]'"):
        keeper(folder, "key", 3600)
