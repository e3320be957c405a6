"""The shop as a program."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "examples.farmers_market", "--port", "0"]


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().rpartition(" ")[2].strip()


def test_it_says_where_it_is_once_it_answers(tmp_path: Path) -> None:
    """The first line names the address, which answers; the environment sets date and faults."""
    settings = {"FARMERS_MARKET_TODAY": "2026-01-15", "FARMERS_MARKET_FAULTS": "login=slow:2"}
    with started("--database", str(tmp_path / "shop.db"), **settings) as process:
        url = address(process)
        assert httpx.get(f"{url}/api/season", trust_env=False).json()["season"] == "winter"
        assert httpx.get(f"{url}/_faults", trust_env=False).json() == {"login": "slow:2"}
    assert (tmp_path / "shop.db").exists()


def test_it_ends_with_the_process_that_started_it() -> None:
    """When the pipe to its standard input closes, as it does when the starter dies, it stops."""
    with started("--until-stdin-closes") as process:
        assert address(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    """Interrupted or terminated it ends without complaint, and its database is gone."""
    with started(TMPDIR=str(tmp_path)) as process:
        assert address(process)
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        assert process.communicate(timeout=60) == ("", "")
        assert process.returncode == 0
    assert not list(tmp_path.iterdir())


def test_a_taken_port_is_one_sentence() -> None:
    """When another program has the port, a line says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started("--port", port) as process:
            _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (1, f"127.0.0.1:{port}: Address already in use\n")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FARMERS_MARKET_FAULTS", "orders=eror", "orders: unknown fault 'eror'"),
        ("FARMERS_MARKET_TODAY", "yesterday", "'yesterday'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(name: str, value: str, sentence: str) -> None:
    """A mistake in the environment ends the program with a line that names the variable."""
    with started(**{name: value}) as process:
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 2
    assert complaint.startswith(f"{name}: ")
    assert sentence in complaint
    assert complaint.count("\n") == 1
