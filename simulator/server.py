"""Serving the simulator: HTTP/1.1 with connections that stay open, one thread per connection."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from handlers.clouds.memory.state import CloudState
from simulator.accounts import ACCOUNTS
from simulator.app import Simulator
from simulator.wire import Account

HOST = "127.0.0.1"


class Quiet(WSGIRequestHandler):
    """Keeps connections open, sends each answer in one piece, logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: requests are counted."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        """Say nothing: cut connections are wanted."""


def make_server(
    state: CloudState,
    port: int = 0,
    *,
    host: str = HOST,
    accounts: Iterable[Account] = ACCOUNTS,
) -> BaseWSGIServer:
    """A server that is bound already (port 0: to a free one); `serve_forever` runs it."""
    return ThreadedWSGIServer(host, port, Simulator(state, accounts), handler=Quiet)


@contextmanager
def running(
    state: CloudState, port: int = 0, *, accounts: Iterable[Account] = ACCOUNTS
) -> Iterator[str]:
    """Serve `state` on 127.0.0.1 in a thread; gives the base URL, without a slash at its end."""
    server = make_server(state, port, accounts=accounts)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
