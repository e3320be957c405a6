from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from pytest_workflow_monitor.errors import StoreUnreachableError
from pytest_workflow_monitor.ingest import Batch, ingest
from pytest_workflow_monitor.store import embedded, open_store, places
from tests.conftest import throw_away_folder
from tests.samples import a_session, an_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_workflow_monitor.settings import Settings


@pytest.fixture(scope="module")
def prepared() -> Iterator[Path]:
    """Return the data of a server that was created and stopped, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="wm-", dir=throw_away_folder()))
    folder.chmod(0o755)
    server = embedded.join(folder / ".workflow-monitor")
    stop(server)
    yield server.data
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_state(open_folder: Path) -> Iterator[Path]:
    """Return a state directory without data; its server is stopped in the end."""
    folder = open_folder / "shop" / ".workflow-monitor"
    folder.mkdir(parents=True)
    yield folder
    if (folder / "postgres" / "postmaster.pid").exists():
        stop(embedded.join(folder))


@pytest.fixture
def state(new_state: Path, prepared: Path) -> Path:
    """Return a state directory with data, because creating that takes a second each time."""
    subprocess.run(["cp", "-a", str(prepared), str(new_state)], check=True)
    return new_state


def stop(server: embedded.EmbeddedServer) -> None:
    """Leave a server as the last one, and wait until it has stopped."""
    server.leave()
    wait_until(lambda: not is_running(server))


def is_running(server: embedded.EmbeddedServer) -> bool:
    """Tell whether a server has not ended."""
    return (server.data / "postmaster.pid").exists()


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def answers(server: embedded.EmbeddedServer) -> bool:
    """Tell whether the server can be asked something."""
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def in_another_process(state: Path, program: str) -> subprocess.Popen[str]:
    """Start a process that uses the server and then does something."""
    start = (
        "import sys, os, signal, time\nfrom pathlib import Path\n"
        "from pytest_workflow_monitor.store import embedded\n"
        "server = embedded.join(Path(sys.argv[1]))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", start + program, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for the end of a process that has to succeed."""
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_it_starts_on_demand_and_stops_when_the_last_one_leaves(state: Path) -> None:
    """Two users share one server; the first to leave does not take it from the other."""
    first, second = embedded.join(state), embedded.join(state)
    assert first.url == second.url
    first.leave()
    assert answers(second)
    second.leave()
    stop(second)


def test_it_starts_again_while_it_still_stops(state: Path) -> None:
    """Sessions that follow one another closely do not meet a server on its way out."""
    for _ in range(4):
        server = embedded.join(state)
        assert answers(server)
        server.leave()


def test_the_last_process_to_leave_stops_it(state: Path) -> None:
    """Whichever process started it."""
    other = in_another_process(state, "print('up', flush=True)\ninput()\nserver.leave()")
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    server = embedded.join(state)
    other.communicate("\n", timeout=60)
    assert answers(server)
    stop(server)


def test_a_killed_user_does_not_keep_it_running(state: Path) -> None:
    """The operating system tells who is still there, so a SIGKILL confuses nobody."""
    other = in_another_process(state, "os.kill(os.getpid(), signal.SIGKILL)")
    other.communicate(timeout=60)
    assert other.returncode == -signal.SIGKILL
    server = embedded.join(state)
    assert answers(server)
    stop(server)


def test_ten_processes_start_at_once(new_state: Path) -> None:
    """One of them creates and starts it, all of them can use it."""
    program = "import psycopg\npsycopg.connect(server.url).close()\nserver.leave()"
    for process in [in_another_process(new_state, program) for _ in range(10)]:
        finish(process)


def test_a_killed_server_recovers(state: Path, settings_for: Callable[..., Settings]) -> None:
    """What was committed is there after the server died without a word."""
    settings = settings_for(root=state.parent)
    with open_store(settings) as store:
        ingest(store, a_session(), Batch(attempts=[an_attempt()]))
        os.kill(int((state / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    with open_store(settings) as store:
        assert store.row_counts()["workflow_executions"] == 1


def test_a_stale_pid_file_of_another_program_is_no_obstacle(state: Path) -> None:
    """After a reboot the server's number may belong to somebody else, such as to us."""
    server = embedded.join(state)
    stop(server)
    lines = [
        str(os.getpid()),
        str(server.data),
        "1",
        "5432",
        str(server.socket),
        "",
        "1 1",
        "ready",
    ]
    (server.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    again = embedded.join(state)
    assert answers(again)
    again.leave()


def test_a_dead_server_that_nobody_buried_counts_as_dead(tmp_path: Path) -> None:
    """In a container without an init process, a killed server stays as a zombie for ever."""
    program = tmp_path / "postgres"
    program.symlink_to(sys.executable)
    with subprocess.Popen([program, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (tmp_path / "postmaster.pid").write_text(f"{process.pid}\n")
        wait_until(lambda: embedded._is_alive(tmp_path))
        process.kill()
        wait_until(lambda: not embedded._is_alive(tmp_path))
        assert process.returncode is None
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert not embedded._is_alive(tmp_path)


def test_a_creation_that_was_killed_leaves_no_obstacle(new_state: Path) -> None:
    """A half-made data folder is removed, not used."""
    data = places.data_path(new_state)
    half = data.with_name(f"{data.name}-new-killed")
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = embedded.join(new_state)
    assert answers(server)
    assert not half.exists()
    server.leave()


def test_a_guest_with_psql_is_not_thrown_out(state: Path) -> None:
    """The server goes on while a person looks at the data, and stops the next time."""
    server = embedded.join(state)
    with psycopg.connect(server.url, autocommit=True) as guest:
        server.leave()
        assert guest.execute("SELECT 1").fetchone() == (1,)
    again = embedded.join(state)
    stop(again)


def test_the_psql_command_works(state: Path) -> None:
    """What ``db info`` prints can be pasted."""
    server = embedded.join(state)
    result = subprocess.run(
        [*server.psql, "-Atc", "SELECT 6 * 7"], capture_output=True, text=True, check=True
    )
    assert result.stdout == "42\n"
    server.leave()


@pytest.mark.parametrize("name", ["My Project $HOME `x` 'q' \"d\"", "long-" * 20])
def test_any_project_folder_will_do(open_folder: Path, name: str) -> None:
    """Spaces, quotes and names too long for a Unix socket."""
    server = embedded.join(open_folder / name / ".workflow-monitor")
    assert answers(server)
    stop(server)
    if server.socket != server.data:
        server.socket.rmdir()


def test_it_is_not_started_when_that_is_not_wanted(
    new_state: Path, prepared: Path, settings_for: Callable[..., Settings]
) -> None:
    """A question about the past does not create a database to answer it."""
    settings = settings_for(root=new_state.parent)
    with pytest.raises(StoreUnreachableError, match="no embedded database"):
        open_store(settings, start_embedded=False)
    subprocess.run(["cp", "-a", str(prepared), str(new_state)], check=True)
    with pytest.raises(StoreUnreachableError, match="is not running"):
        open_store(settings, start_embedded=False)
    with open_store(settings), open_store(settings, start_embedded=False) as second:
        assert second.sessions(1) == ()


def test_without_the_extra_one_sentence_tells_both_ways_out(
    new_state: Path, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set a URL, or install the extra."""
    monkeypatch.setattr(places, "_installed", dict)
    with pytest.raises(StoreUnreachableError, match=r"DATABASE_URL.*\[embedded\]"):
        open_store(settings_for(root=new_state.parent))


def test_data_of_a_version_that_is_not_installed(new_state: Path) -> None:
    """A downgrade of the wheel is explained, and the data left as it is."""
    data = places.data_path(new_state)
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(StoreUnreachableError, match=r"PostgreSQL 99.*install one that has 99"):
        embedded.join(new_state)
    (data / "PG_VERSION").unlink()
    data.rmdir()


def test_a_server_that_cannot_start_says_why(state: Path) -> None:
    """The last line of its log is in the sentence."""
    server = embedded.join(state)
    stop(server)
    settings = server.data / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "nonsense = 1\n")
    with pytest.raises(StoreUnreachableError, match=r"does not start: .*postgresql\.conf"):
        embedded.join(state)
    settings.write_text(good)


def test_as_root_no_folder_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data under a home or a closed folder would need it opened for the server's user."""
    monkeypatch.setattr(places, "is_root", lambda: True)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/no-such-temporary-folder")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for state in (Path("/root/shop/.wm"), Path("/home/anna/shop/.wm"), closed / "shop" / ".wm"):
        path = places.data_path(state)
        assert path.parent == places.ROOTS_FOLDER
        assert path.name.startswith("shop-")
    assert places.data_path(Path("/opt/shop/.wm")) == Path("/opt/shop/.wm/postgres")
    assert places.data_path(Path("/root/a/x/.wm")) != places.data_path(Path("/root/b/x/.wm"))


def test_not_as_root_data_is_in_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the folders' rights."""
    monkeypatch.setattr(places, "is_root", lambda: False)
    assert places.data_path(tmp_path / ".wm") == tmp_path / ".wm" / "postgres"
    assert places.account_for(tmp_path) is None


def test_programs_out_of_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, with the package installed below a closed folder."""
    package = tmp_path / "closed" / "package"
    tool = package / "pginstall18" / "bin" / "postgres"
    tool.parent.mkdir(parents=True)
    tool.write_text("a program")
    tool.chmod(0o700)
    library = package.with_name("package.libs") / "libpq.so"
    library.parent.mkdir()
    library.write_text("a library")
    library.chmod(0o600)
    monkeypatch.setattr(places, "ROOTS_FOLDER", tmp_path / "open")
    folder = places._copied(tool.parent)
    assert folder == places._copied(tool.parent)
    assert (folder / "postgres").stat().st_mode & 0o777 == 0o755
    assert (folder / "../../../package.libs/libpq.so").stat().st_mode & 0o777 == 0o644
    assert len(list((tmp_path / "open").iterdir())) == 1


def test_a_socket_folder_of_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits with an open folder of the expected name gets no access to the server."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    data = tmp_path / ("long-" * 25) / "postgres"
    account = places.Account(os.geteuid(), os.getegid())
    folder = places.socket_path(data, account)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(StoreUnreachableError, match="belongs to somebody else"):
        places.socket_path(data, account)
