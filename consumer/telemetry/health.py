"""One small HTTP server: /metrics, /healthz (alive), /readyz (can work).

It has no authentication, so it is bound to 127.0.0.1 unless configured otherwise.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

#: Says what is wrong in one sentence, or None when all is well. MUST NOT block for long.
Check = Callable[[], str | None]


class Pulse:
    """The loops of a worker say that they go on; a loop that is silent too long is stalled."""

    def __init__(self, limit: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`limit` in seconds: longer than the longest thing that a loop does in one round."""
        self._limit = limit
        self._monotonic = monotonic
        self._beats: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        self._beats[loop] = self._monotonic()

    def end(self, loop: str) -> None:
        """The loop has ended as it should."""
        self._beats.pop(loop, None)

    def check(self, loop: str) -> str | None:
        """Implements Check for one loop; one that never began is not stalled."""
        silent = self._monotonic() - self._beats.get(loop, float("inf"))
        if silent > self._limit:
            return f"the {loop} loop has been silent for {silent:.0f} s: restart the worker"
        return None

    def stalled(self) -> dict[str, str]:
        """All loops that are silent too long, with a sentence each."""
        found = {loop: self.check(loop) for loop in tuple(self._beats)}
        return {loop: sentence for loop, sentence in found.items() if sentence}


class Health:
    """The answers. Readiness asks each named check; liveness asks whether a loop has stalled."""

    def __init__(
        self, registry: CollectorRegistry, checks: Mapping[str, Check], pulse: Pulse
    ) -> None:
        self._metrics = make_wsgi_app(registry)
        self._checks = checks
        self._pulse = pulse

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """As a WSGI application."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _answer(start, "405 Method Not Allowed", {"error": "use GET"})
        match environ["PATH_INFO"]:
            case "/metrics":
                body: Iterable[bytes] = self._metrics(environ, start)
                return body
            case "/healthz":
                return _verdict(start, {"loops": "; ".join(self._pulse.stalled().values())})
            case "/readyz":
                return _verdict(start, {name: check() for name, check in self._checks.items()})
            case _:
                paths = ["/metrics", "/healthz", "/readyz"]
                return _answer(start, "404 Not Found", {"paths": paths})


class HealthServer:
    """Serves Health in a thread of its own, a short thread per request."""

    def __init__(self, app: Health, bind: str, port: int) -> None:
        """`port` 0 takes any free one. Raises OSError when the address cannot be had."""
        self._server = make_server(
            bind, port, app, server_class=ThreadingWSGIServer, handler_class=_Quiet
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="health"
        )

    @property
    def port(self) -> int:
        return self._server.server_port

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(WSGIRequestHandler):
    """Writes no access log: Prometheus asks every few seconds."""

    timeout = 10  # seconds until a silent client is hung up on

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        return


def _verdict(start: StartResponse, found: Mapping[str, str | None]) -> Iterable[bytes]:
    bad = any(found.values())
    return _answer(
        start,
        "503 Service Unavailable" if bad else "200 OK",
        {"status": "unavailable" if bad else "ok"}
        | {"checks": {name: sentence or "ok" for name, sentence in found.items()}},
    )


def _answer(start: StartResponse, status: str, body: Mapping[str, Any]) -> Iterable[bytes]:
    text = msgspec.json.encode(body) + b"\n"
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]
