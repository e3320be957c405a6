"""The web server: where it listens, and how it says so."""

from __future__ import annotations

import socket

import uvicorn


class Server(uvicorn.Server):
    """A server that says where it is once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then print the address: one line, so that a program can read it."""
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        print(f"Orchard Lane is open at http://{shown}:{port}", flush=True)  # noqa: T201 - for the caller


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes any free one.

    The protocol is named on purpose: asyncio sends small packets at once only on sockets that say
    they are TCP, and `socket.create_server` makes some that do not, which costs every answer 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening
