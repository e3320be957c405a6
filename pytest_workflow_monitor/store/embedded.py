"""The embedded server: a real PostgreSQL in the state directory, shared by concurrent processes.

Every process that uses it holds a shared lock on a file beside the data; the operating system
drops it when the process ends, however it ends. Who leaves and then gets that lock exclusively was
the last one, and stops the server. Starting and stopping happen under a second lock.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_workflow_monitor.errors import StoreRefusedError, StoreUnreachableError
from pytest_workflow_monitor.store import places

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60
"""How long a start may take; recovery after a crash is part of it."""

PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries to start while the helpers of a killed server are still ending."""

OPTIONS = ("-c", "log_checkpoints=off", "-c", "max_wal_size=256MB")
GUEST_SECONDS = 0.5
"""How long a connection may still be listed after its client has left."""

LOG_LIMIT = 1_000_000
USER = DATABASE = "postgres"
PORT = 5432


class EmbeddedServer:
    """A running embedded server that this process uses until it leaves.

    Attributes:
        data: The folder of the server's data.
        socket: The folder of its Unix socket.
    """

    def __init__(self, data: Path, socket: Path, lock: int) -> None:
        self.data = data
        self.socket = socket
        self._lock: int | None = lock

    @property
    def url(self) -> str:
        """The URL to connect with."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self.socket))}&port={PORT}"

    @property
    def psql(self) -> tuple[str, ...]:
        """The command that opens psql on it while it runs."""
        program = str(places.programs(self.data) / "psql")
        return (program, "-h", str(self.socket), "-p", str(PORT), "-U", USER, DATABASE)

    def leave(self) -> None:
        """Stop using the server; the last process to leave stops it, without waiting for that."""
        if self._lock is None:
            return
        with _starting_lock(self.data):
            is_last = _try_lock(self._lock)
            if is_last and not _has_guests(self.url):
                _begin_stop(self.data)
            os.close(self._lock)
        self._lock = None


def join(state: Path, *, start: bool = True) -> EmbeddedServer:
    """Use the embedded server of a state directory, starting or creating it when needed.

    Args:
        state: The state directory.
        start: Whether a server that does not run may be started.

    Raises:
        StoreUnreachableError: It is not installed, does not run or does not start.
        StoreRefusedError: Its folder belongs to another user.
    """
    data = places.data_path(state)
    if not start and not data.exists():
        raise StoreUnreachableError(f"There is no embedded database in {state} yet.")
    try:
        with _starting_lock(data):
            folder = _running(data) or _when_settled(data)
            if folder is None:
                if not start:
                    raise StoreUnreachableError(f"The embedded server in {data} is not running.")
                folder = _start(state, data)
            return EmbeddedServer(data, folder, _use(data))
    except PermissionError as error:
        raise StoreRefusedError(
            f"The embedded server's folder {error.filename or data} belongs to another user; run "
            "as that user, or set DATABASE_URL or state_dir."
        ) from error
    except OSError as error:
        raise StoreUnreachableError(f"The embedded server in {data} failed: {error}.") from error


def _start(state: Path, data: Path) -> Path:
    account = places.account_for(data)
    programs = places.programs(data)
    if not (data / "PG_VERSION").exists():
        _create(state, data, programs, account)
    folder = places.socket_path(data, account)
    _forget_dead(data, folder)
    _trim_log(data)
    options = shlex.join(["-h", "", "-k", str(folder), "-p", str(PORT), *OPTIONS])
    command = [str(programs / "pg_ctl"), "-D", ".", "-l", "log", "-o", options, "-w"]
    command += ["-t", str(START_SECONDS), "start"]
    for pause in PAUSES:
        said = _run(command, data, account)
        running = _running(data)
        if running:
            return running
        said = _complaint(data / "log") or said
        if "still in use" not in said:
            break
        time.sleep(pause)
    raise StoreUnreachableError(f"The embedded server in {data} does not start: {said}")


def _create(state: Path, data: Path, programs: Path, account: places.Account | None) -> None:
    """Create the data folder in one step, so that a process killed half-way leaves no half one."""
    for left_over in data.parent.glob(f"{data.name}-new-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{data.name}-new-", dir=data.parent))
    if account is not None:
        os.chown(fresh, *account)
        if data.is_relative_to(state):
            state.chmod(state.stat().st_mode | 0o011)
    command = [str(programs / "initdb"), "-D", ".", "-U", USER, "--auth=trust", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    said = _run(command, fresh, account)
    if not (fresh / "global" / "pg_control").exists():
        raise StoreUnreachableError(f"The embedded server cannot create {data}: {said}")
    fresh.rename(data)


def _run(command: list[str], folder: Path, account: places.Account | None) -> str:
    """Run a PostgreSQL program in a folder, and return what it said on failure."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with tempfile.TemporaryFile() as said:  # a pipe would stay open in the server
        result = subprocess.run(
            command,
            cwd=folder,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            user=account and account.uid,
            group=account and account.gid,
            extra_groups=[] if account else None,
            check=False,
        )
        said.seek(0)
        return said.read().decode(errors="replace").strip() if result.returncode else ""


def _running(data: Path) -> Path | None:
    """Return the socket's folder of a server that accepts connections, else None."""
    lines = _pid_file(data)
    if len(lines) < 8 or lines[7].strip() != "ready":  # noqa: PLR2004 - postmaster.pid's last line
        return None
    folder = Path(lines[4])
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(folder / f".s.PGSQL.{PORT}"))
        return folder
    return None


def _when_settled(data: Path) -> Path | None:
    """Wait until a server that is just starting or stopping has done so."""
    deadline = time.monotonic() + START_SECONDS
    while _is_alive(data) and time.monotonic() < deadline:
        folder = _running(data)
        if folder is not None:
            return folder
        time.sleep(0.01)
    return None


def _begin_stop(data: Path) -> None:
    """Ask the server to stop, and wait only until newcomers can see that it does."""
    if _running(data) is None:
        return
    _run(
        [str(places.programs(data) / "pg_ctl"), "-D", ".", "-m", "fast", "-W", "stop"],
        data,
        places.account_for(data),
    )
    deadline = time.monotonic() + 2
    while _running(data) is not None and time.monotonic() < deadline:
        time.sleep(0.002)


def _has_guests(url: str) -> bool:
    """Tell whether somebody else, such as a psql, is connected: a guest is not thrown out.

    A connection that was just closed is still listed for a moment, so one look is not enough.
    """
    import psycopg

    from pytest_workflow_monitor.store.queries import SQL

    deadline = time.monotonic() + GUEST_SECONDS
    with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2) as connection:
        connection.autocommit = True
        while (row := connection.execute(SQL["count_guests"]).fetchone()) and row[0]:
            if time.monotonic() > deadline:
                return True
            time.sleep(0.02)
    return False


def _pid_file(data: Path) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return (data / "postmaster.pid").read_text().splitlines()
    return []


def _is_alive(data: Path) -> bool:
    """Tell whether the process in ``postmaster.pid`` is there and is a PostgreSQL.

    After a crash of the machine its number may have gone to another program, and in a container
    nobody may have buried it (state Z).
    """
    lines = _pid_file(data)
    if not lines:
        return False
    if Path("/proc/self/stat").exists():
        with suppress(OSError):
            name, _, state = Path(f"/proc/{int(lines[0])}/stat").read_text().rpartition(") ")
            return name.partition(" (")[2].startswith("postgres") and state[0] not in "ZX"
        return False
    command = ["ps", "-p", lines[0], "-o", "state=,comm="]
    found = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    return "postgres" in found and not found.startswith("Z")


def _forget_dead(data: Path, socket_folder: Path) -> None:
    """Remove the locks of a server that is gone: its number may live on, not buried or reused."""
    if not _is_alive(data):
        (data / "postmaster.pid").unlink(missing_ok=True)
        (socket_folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _trim_log(data: Path) -> None:
    log = data / "log"
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            os.truncate(log, 0)


def _complaint(log: Path) -> str:
    """Return why the server ended, from the end of its log."""
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()[-5:]
        fatal = [line for line in lines if "FATAL" in line]
        return (fatal or lines or [""])[-1]
    return ""


@contextmanager
def _starting_lock(data: Path) -> Iterator[None]:
    """Let one process at a time start or stop the server."""
    data.parent.mkdir(parents=True, exist_ok=True)
    handle = _open(data.with_name(f"{data.name}.lock"))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _use(data: Path) -> int:
    handle = _open(data.with_name(f"{data.name}.users"))
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
