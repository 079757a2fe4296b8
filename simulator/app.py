"""The WSGI application: finds the route, checks token and microversion, renders replies."""

import socket
import traceback
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request

from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.state import CloudState
from handlers.resources import Service
from simulator.accounts import ACCOUNTS
from simulator.admin import Admin
from simulator.cinder.api import Cinder
from simulator.counts import Counts
from simulator.door import ids_of
from simulator.glance import Glance
from simulator.heat.api import Heat
from simulator.keystone import Keystone
from simulator.microversion import headers_of, version_of
from simulator.neutron.api import Neutron
from simulator.nova.api import Nova
from simulator.wire import (
    Account,
    Incoming,
    Reply,
    Route,
    no_engine,
    refusal_body,
    unauthorized_body,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

#: Where the server puts the connection's socket into the environment, so that it can be cut.
CONNECTION = "simulator.connection"

_ANONYMOUS = Account(user="", password="", project="", project_name="")


class Simulator:
    """All services behind one door. Thread-safe."""

    def __init__(self, state: CloudState, accounts: Iterable[Account] = ACCOUNTS) -> None:
        self.state = state
        self.counts = Counts()
        self._keystone = Keystone(accounts)
        self._map = Map(
            [
                Rule(route.path, methods=[route.method], endpoint=route)
                for part in (
                    self._keystone,
                    Nova(state),
                    Cinder(state),
                    Neutron(state),
                    Glance(state),
                    Heat(state),
                    Admin(state, self.counts, self._keystone),
                )
                for route in part.routes()
            ],
            strict_slashes=False,
        )

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data(cache=False)
        try:
            reply = self._answer(request, body)
        except Lost as lost:
            if lost.status is None and not _is_silent(lost):
                _cut(environ)
            reply = _proxy(lost)
        return _send(reply, start_response)

    def _answer(self, request: Request, body: bytes) -> Reply:
        try:
            route, args = self._map.bind("", path_info=request.path).match(method=request.method)
        except HTTPException as error:
            return Reply(status=error.code or 404, body={"message": error.description})
        self.counts.add(route.method, route.path)
        account = self._keystone.who(request.headers.get("X-Auth-Token", ""))
        if account is None and not route.public:
            return _unauthorized(request.host_url)
        versions = headers_of(route.service, (0, 0))
        try:
            version = version_of(route.service, request.headers, self.state.core.abilities.compute)
            versions = headers_of(route.service, version)
            incoming = Incoming(
                method=request.method,
                path=request.path,
                root=request.host_url.rstrip("/"),
                args=args,
                query=request.args,
                headers=request.headers,
                body=body,
                account=account or _ANONYMOUS,
                version=version,
            )
            reply = route.handler(incoming)
        except Refusal as refusal:
            return _refused(refusal, request.host_url, versions)
        except (AttributeError, KeyError, TypeError, ValueError):
            traceback.print_exc()
            return _defect(route)
        return _with(reply, versions)


def _refused(refusal: Refusal, root: str, versions: dict[str, str]) -> Reply:
    if refusal.status == 401:
        return _unauthorized(root)
    ids = ids_of(refusal.service, refusal.request_id or f"req-{uuid.uuid4()}")
    return Reply(status=refusal.status, body=refusal_body(refusal), headers={**ids, **versions})


def _defect(route: Route) -> Reply:
    """500: a body of a shape that nobody thought of, or a defect here; stderr has the traceback."""
    text = "Unexpected API Error."
    service = route.service or Service.COMPUTE
    return Reply(status=500, body=refusal_body(Refusal(service, 500, text)))


def _unauthorized(root: str) -> Reply:
    challenge = {"WWW-Authenticate": f'Keystone uri="{root}identity"'}
    return Reply(status=401, body=unauthorized_body(), headers=challenge)


def _proxy(lost: Lost) -> Reply:
    """What a load balancer says when the service behind it gave no answer.

    Heat's API says so itself when it had none from its engine.
    """
    if _is_silent(lost):
        return Reply(status=500, body=refusal_body(no_engine()))
    status = lost.status or 502
    text = f"<html><body><h1>{status}</h1>The server did not answer.</body></html>".encode()
    return Reply(status=status, body=text, headers={"Content-Type": "text/html"})


def _is_silent(lost: Lost) -> bool:
    """Whether Heat's API was there and waited for its engine."""
    return lost.service is Service.ORCHESTRATION and lost.seconds > 0


def _cut(environ: Mapping[str, Any]) -> None:
    """Close the connection without an answer."""
    connection: socket.socket = environ[CONNECTION]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def _with(reply: Reply, headers: dict[str, str]) -> Reply:
    return msgspec.structs.replace(reply, headers={**headers, **reply.headers})


def _send(reply: Reply, start_response: "StartResponse") -> Iterable[bytes]:
    body = b"" if reply.body is None else reply.body
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    headers = {"Content-Type": "application/json", **reply.headers}
    if reply.status == 204:
        del headers["Content-Type"]
    else:
        headers["Content-Length"] = str(len(content))
    start_response(f"{reply.status} {_REASONS.get(reply.status, '-')}", list(headers.items()))
    return [content]


_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    300: "Multiple Choices",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
}
