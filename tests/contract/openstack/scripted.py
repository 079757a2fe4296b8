"""A server that is an OpenStack only as far as the connection needs, and then does as it is told.

Identity, catalogue and version pages are answered; everything else takes the next act of the
script. Every request is kept, so that a test can count what was sent.
"""

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import msgspec

Act = Callable[["_Handler"], None]


class Sent(msgspec.Struct, frozen=True):
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Script:
    """What the server does next, and what it was sent."""

    def __init__(self) -> None:
        self.acts: deque[Act] = deque()
        self.sent: list[Sent] = []
        self.tokens = 0
        self.identity: Act | None = None
        self.services = ["compute", "block-storage", "network", "orchestration"]
        self.application_credential: dict[str, Any] | None = None
        self.microversion = {"compute": "2.90", "block-storage": "3.70"}
        self.keep_alive = True
        self.released = threading.Event()
        self.url = ""

    def then(self, *acts: Act) -> None:
        """Do these next, one per request."""
        self.acts.extend(acts)


def answer(status: int, body: Any = None, kind: str = "application/json") -> Act:
    """Answer with a body; a string goes out as it is."""

    def act(handler: "_Handler") -> None:
        handler.say(status, body if isinstance(body, str) else json.dumps(body or {}), kind)

    return act


def hang(handler: "_Handler") -> None:
    """Take the request and never answer (until the test is over)."""
    handler.script.released.wait(20)
    handler.close_connection = True


def reset(handler: "_Handler") -> None:
    """Take the request and reset the connection."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def script(self) -> Script:
        return cast(_Server, self.server).script

    def do_GET(self) -> None:
        self._take()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815

    def say(self, status: int, body: str, kind: str = "application/json", **more: str) -> None:
        """Send an answer."""
        content = b"" if status == 204 else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Openstack-Request-Id", "req-scripted")
        if not self.script.keep_alive:
            self.send_header("Connection", "close")
            self.close_connection = True
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/v3/auth/tokens":
            return self._token()
        page = _pages(self.script).get(self.path.rstrip("/"))
        if page is not None:
            return self.say(200, json.dumps(page))
        self.script.sent.append(Sent(self.command, self.path, dict(self.headers), body))
        act = self.script.acts.popleft() if self.script.acts else answer(500, "no act is left")
        return act(self)

    def _token(self) -> None:
        if self.script.identity is not None:
            return self.script.identity(self)
        self.script.tokens += 1
        body = json.dumps({"token": _token(self.script)})
        return self.say(201, body, X_Subject_Token=f"token-{self.script.tokens}")


def _token(script: Script) -> dict[str, Any]:
    catalog = [
        {
            "type": service,
            "name": service,
            "id": service,
            "endpoints": [
                {
                    "id": service,
                    "interface": "public",
                    "region": "One",
                    "region_id": "One",
                    "url": f"{script.url}/{service}/{_PATHS[service]}",
                }
            ],
        }
        for service in script.services
    ]
    methods = ["application_credential" if script.application_credential else "password"]
    return {
        **({"application_credential": given} if (given := script.application_credential) else {}),
        "methods": methods,
        "user": {"id": "u", "name": "u", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p-1", "name": "p", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "member", "name": "member"}],
        "issued_at": "2025-01-01T00:00:00.000000Z",
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "catalog": catalog,
    }


_ROOTS = {"compute": "v2.1", "block-storage": "v3", "network": "v2.0"}

#: Heat has a version page too, but nobody is to ask for it.
_PATHS = {**_ROOTS, "orchestration": "v1/p-1"}


def _pages(script: Script) -> dict[str, Any]:
    """The version pages, under the service's root and under the version itself."""
    pages: dict[str, Any] = {"/v3": {"version": _version("v3.14", f"{script.url}/v3")}}
    for service, root in _ROOTS.items():
        described = _version(root, f"{script.url}/{service}/{root}/")
        if newest := script.microversion.get(service):
            described |= {"version": newest, "min_version": newest.split(".", maxsplit=1)[0] + ".1"}
        pages[f"/{service}"] = {"versions": [described]}
        pages[f"/{service}/{root}"] = {"version": described}
    return pages


def _version(name: str, url: str) -> dict[str, Any]:
    return {"id": name, "status": "CURRENT", "links": [{"rel": "self", "href": url}]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


@contextmanager
def serve(script: Script, certificate: str | None = None) -> Iterator[None]:
    """Serve until the block ends; with a certificate (PEM, with its key) over TLS."""
    server = _Server(script)
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    script.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        script.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
