"""Serving the simulator: HTTP/1.1 with connections that stay open, one thread per connection.

The standard library's server carries it, because werkzeug's closes the connection after each
answer, which would make connections the largest part of what a benchmark measures.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from handlers.clouds.memory.state import CloudState
from simulator.accounts import ACCOUNTS
from simulator.app import CONNECTION, Simulator
from simulator.wire import Account

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOST = "127.0.0.1"

#: Seconds after which an idle connection is closed.
IDLE = 120


class Handler(BaseHTTPRequestHandler):
    """Hands requests to the WSGI application; sends each answer in one piece; logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE

    def __init__(self, app: Simulator, *arguments: Any) -> None:
        self._app = app
        super().__init__(*arguments)

    def handle(self) -> None:
        """Serve until the client, long silence or a fault ends the connection."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        body = self._app(self._environ(), self._start)
        for part in body:
            self.wfile.write(part)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: requests are counted."""

    def _start(self, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        code, _space, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        return self.wfile.write

    def _environ(self) -> "WSGIEnvironment":
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host, port = self.connection.getsockname()[:2]
        return {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            CONNECTION: self.connection,
            **{
                f"HTTP_{name.upper().replace('-', '_')}": value
                for name, value in self.headers.items()
            },
        }


class Server(ThreadingHTTPServer):
    """A bound server that can be stopped at once, with the connections that are still open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, app: Simulator) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((host, port), partial(Handler, app))

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close the port, and cut what is still connected."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def make_server(
    state: CloudState,
    port: int = 0,
    *,
    host: str = HOST,
    accounts: Iterable[Account] = ACCOUNTS,
) -> Server:
    """A server that is bound already (port 0: to a free one); `serve_forever` runs it."""
    return Server(host, port, Simulator(state, accounts))


@contextmanager
def running(
    state: CloudState, port: int = 0, *, accounts: Iterable[Account] = ACCOUNTS
) -> Iterator[str]:
    """Serve `state` on 127.0.0.1 in a thread; gives the base URL, without a slash at its end."""
    server = make_server(state, port, accounts=accounts)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
