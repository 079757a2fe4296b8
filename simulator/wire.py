"""Requests and replies as the services see them, and the errors in each service's own form."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from werkzeug.datastructures import Headers, MultiDict

from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.things import Micros
from handlers.resources import Service


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may log in; `admin` says whether policy lets them do everything."""

    user: str
    password: str
    project: str
    project_name: str
    admin: bool = False


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `root` is the base URL of the simulator, `args` come from the path."""

    method: str
    path: str
    root: str
    args: Mapping[str, str]
    query: MultiDict[str, str]
    headers: Headers
    body: bytes
    account: Account
    version: tuple[int, int] = (0, 0)

    @property
    def project(self) -> str:
        return self.account.project

    def json(self, service: Service, key: str) -> dict[str, Any]:
        """The object under `key` of the body; a Refusal of the service when there is none."""
        try:
            found = msgspec.json.decode(self.body, type=dict[str, Any])[key]
        except (msgspec.DecodeError, KeyError):
            found = None
        if not isinstance(found, dict):
            raise bad(service, f"Invalid input for field/attribute {key}.")
        return found

    def wanted(self, key: str) -> str | None:
        return self.query.get(key)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; `body` is encoded as JSON, bytes are sent as they are."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}


Handler = Callable[[Incoming], Reply]


class Route(msgspec.Struct, frozen=True):
    """A method and a path template of werkzeug's (`/compute/v2.1/servers/<id>`).

    `service` is the one whose form errors take; `public` needs no token.
    """

    method: str
    path: str
    handler: Handler
    service: Service | None = None
    public: bool = False


def bad(service: Service, message: str) -> Refusal:
    """400 as the service says it."""
    code = "HTTPBadRequest" if service is Service.NETWORK else "badRequest"
    return Refusal(service, 400, message, code)


def forbidden(service: Service, rule: str) -> Refusal:
    """403 as the service says it."""
    text = f"Policy doesn't allow {rule} to be performed."
    return Refusal(service, 403, text, "forbidden")


_CODES = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
    413: "overLimit",
    429: "overLimit",
    503: "serviceUnavailable",
}


def refusal_body(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the service's JSON: Neutron's form, Heat's, or that of Nova and Cinder."""
    if refusal.status == 401:
        return unauthorized_body()
    if refusal.service is Service.ORCHESTRATION:
        return _heat_body(refusal)
    if refusal.service is Service.NETWORK:
        kind = refusal.code or "HTTPInternalServerError"
        return {"NeutronError": {"type": kind, "message": refusal.message, "detail": ""}}
    name = refusal.code or _CODES.get(refusal.status, "computeFault")
    return {name: {"code": refusal.status, "message": refusal.message}}


_EXPLANATIONS = {
    400: (
        "The server could not comply with the request since it is either malformed or otherwise "
        "incorrect."
    ),
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    409: "There was a conflict when trying to complete your request.",
    500: ("The server has either erred or is incapable of performing the requested operation."),
    503: "The server is currently unavailable. Please try again at a later time.",
}


def no_engine() -> Refusal:
    """What Heat's API says when no engine has answered it in time: it tells no message."""
    return Refusal(Service.ORCHESTRATION, 500, "", "MessagingTimeout")


def _heat_body(refusal: Refusal) -> dict[str, Any]:
    status = HTTPStatus(refusal.status)
    kind = refusal.code or "HTTP" + status.phrase.replace(" ", "")
    error = {"type": kind, "traceback": None}
    return {
        "code": refusal.status,
        "title": status.phrase,
        "explanation": _EXPLANATIONS.get(refusal.status, status.description),
        "error": {**error, "message": refusal.message} if refusal.message else error,
    }


def unauthorized_body() -> dict[str, Any]:
    """401, the same from every service (keystonemiddleware)."""
    text = "The request you have made requires authentication."
    return {"error": {"code": 401, "title": "Unauthorized", "message": text}}


def stamp(at: Micros | None, pattern: str = "%Y-%m-%dT%H:%M:%SZ") -> str | None:
    """A time as the services write it, in whole seconds."""
    return None if at is None else time.strftime(pattern, time.gmtime(at // 1_000_000))
