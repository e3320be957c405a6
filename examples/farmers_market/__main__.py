"""The command line: `python -m examples.farmers_market --port 8000`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from examples.farmers_market.app import create_app
from examples.farmers_market.faults import FaultError, read_faults
from examples.farmers_market.server import Server, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.applications import Starlette


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the shop until it is interrupted."""
    options = _parser().parse_args(arguments)
    try:
        faults = read_faults(os.environ.get("FARMERS_MARKET_FAULTS", ""))
        today = _today(os.environ)
    except (FaultError, ValueError) as error:
        name = "FAULTS" if isinstance(error, FaultError) else "TODAY"
        print(f"FARMERS_MARKET_{name}: {error}", file=sys.stderr)  # noqa: T201 - for the caller
        return 2
    try:
        listening = listen(options.host, options.port)
    except OSError as error:
        print(f"{options.host}:{options.port}: {error.strerror}", file=sys.stderr)  # noqa: T201 - for the caller
        return 1
    with listening, _database(options.database) as database:
        app = create_app(
            database,
            faults=faults,
            today=(lambda: today) if today else date.today,
            secret=os.environ.get("FARMERS_MARKET_SECRET"),
        )
        _serve(app, listening, until_stdin_closes=options.until_stdin_closes)
    return 0


@contextmanager
def _database(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="farmers-market-") as folder:
        yield Path(folder) / "shop.db"


def _serve(app: Starlette, listening: socket.socket, *, until_stdin_closes: bool) -> None:
    """Serve until interrupted; SIGTERM ends the program in order too, not on the spot."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    server = Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none"))
    if until_stdin_closes:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.farmers_market",
        description="Orchard Lane, a small farmers' market to try workflows on.",
        epilog="Faults: FARMERS_MARKET_FAULTS='orders=error,products=slow:3,login=flaky:2'. "
        "Calendar: FARMERS_MARKET_TODAY=2026-07-01.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=8000, help="port, 0 for any free one (%(default)s)"
    )
    parser.add_argument(
        "--database", type=Path, help="SQLite file to keep (default: a new one, gone at the end)"
    )
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="also stop when standard input ends, so that no shop outlives its starter",
    )
    return parser


def _today(environment: Mapping[str, str]) -> date | None:
    text = environment.get("FARMERS_MARKET_TODAY")
    return date.fromisoformat(text) if text else None


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True


if __name__ == "__main__":
    raise SystemExit(main())
