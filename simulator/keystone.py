"""Keystone v3: version documents, tokens by password or token, the catalogue."""

import uuid
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

import msgspec

from handlers.clouds.memory.state import wall_clock
from handlers.clouds.memory.things import Micros
from simulator.wire import Account, Incoming, Reply, Route, stamp, unauthorized_body

_DOMAIN = {"id": "default", "name": "Default"}
_HOURS = 12

#: type, name and path of every service; those of Cinder and Heat end with the project's id.
SERVICES = (
    ("identity", "keystone", "/identity"),
    ("compute", "nova", "/compute/v2.1"),
    ("block-storage", "cinder", "/volume/v3/{project}"),
    ("network", "neutron", "/network"),
    ("image", "glance", "/image"),
    ("orchestration", "heat", "/orchestration/v1/{project}"),
)


class Token(msgspec.Struct, frozen=True):
    """A token of somebody, valid until a time."""

    account: Account
    expires: int


class Keystone:
    """Who may log in, and who has."""

    def __init__(self, accounts: Iterable[Account], now: Callable[[], Micros] = wall_clock) -> None:
        """Tokens live in real time, whatever the state's clock does: clients look at theirs."""
        self._now = now
        self._accounts = tuple(accounts)
        self._tokens: dict[str, Token] = {}
        self._lock = Lock()
        self._names = {one[0]: uuid.uuid5(uuid.NAMESPACE_DNS, one[0]).hex for one in SERVICES}

    def routes(self) -> list[Route]:
        """Under /identity, and at the root as on a port of its own."""
        return [route for root in ("/identity", "") for route in self._routes(root)]

    def _routes(self, root: str) -> list[Route]:
        tokens = f"{root}/v3/auth/tokens"
        return [
            Route("GET", f"{root}/", self._versions, public=True),
            Route("GET", f"{root}/v3/", self._version, public=True),
            Route("POST", tokens, self._issue, public=True),
            Route("GET", tokens, self._show),
            Route("DELETE", tokens, self._revoke),
            Route("GET", f"{root}/v3/auth/catalog", self._catalogue),
        ]

    def who(self, token: str) -> Account | None:
        """Whose token it is; None when it is not, or no longer, valid."""
        with self._lock:
            found = self._tokens.get(token)
        if found is None or found.expires <= self._now():
            return None
        return found.account

    def revoke_all(self) -> None:
        """Every token is refused from now on."""
        with self._lock:
            self._tokens.clear()

    def _versions(self, request: Incoming) -> Reply:
        return Reply(status=300, body={"versions": {"values": [_version(request.root)]}})

    def _version(self, request: Incoming) -> Reply:
        return Reply(body={"version": _version(request.root)})

    def _issue(self, request: Incoming) -> Reply:
        account = self._account(request)
        if account is None:
            return Reply(status=401, body=unauthorized_body())
        token = f"gAAAAA{uuid.uuid4().hex}{uuid.uuid4().hex}"
        expires = self._now() + _HOURS * 3600 * 1_000_000
        with self._lock:
            self._tokens[token] = Token(account, expires)
        body = self._body(account, expires, request.root)
        return Reply(status=201, body=body, headers={"X-Subject-Token": token})

    def _account(self, request: Incoming) -> Account | None:
        try:
            identity = msgspec.json.decode(request.body, type=dict[str, Any])["auth"]["identity"]
            if "token" in identity["methods"]:
                return self.who(identity["token"]["id"])
            user = identity["password"]["user"]
            login = (user.get("name"), user.get("id"), user["password"])
        except (msgspec.DecodeError, KeyError, TypeError):
            return None
        for one in self._accounts:
            if one.password == login[2] and (one.user == login[0] or _user_id(one) == login[1]):
                return one
        return None

    def _show(self, request: Incoming) -> Reply:
        token = request.headers.get("X-Subject-Token", "")
        account = self.who(token)
        if account is None:
            text = "Could not find token."
            return Reply(status=404, body={"error": {"code": 404, "message": text}})
        body = self._body(account, self._tokens[token].expires, request.root)
        return Reply(body=body, headers={"X-Subject-Token": token})

    def _revoke(self, request: Incoming) -> Reply:
        with self._lock:
            self._tokens.pop(request.headers.get("X-Subject-Token", ""), None)
        return Reply(status=204)

    def _catalogue(self, request: Incoming) -> Reply:
        return Reply(body={"catalog": self._services(request.account, request.root)})

    def _body(self, account: Account, expires: int, root: str) -> dict[str, Any]:
        names = ["admin", "member", "reader", "service"] if account.admin else ["member", "reader"]
        return {
            "token": {
                "methods": ["password"],
                "user": {
                    "id": _user_id(account),
                    "name": account.user,
                    "domain": _DOMAIN,
                    "password_expires_at": None,
                },
                "audit_ids": [uuid.uuid4().hex[:22]],
                "expires_at": stamp(expires, "%Y-%m-%dT%H:%M:%S.000000Z"),
                "issued_at": stamp(self._now(), "%Y-%m-%dT%H:%M:%S.000000Z"),
                "project": {
                    "id": account.project,
                    "name": account.project_name,
                    "domain": _DOMAIN,
                },
                "is_domain": False,
                "roles": [
                    {"id": uuid.uuid5(uuid.NAMESPACE_DNS, one).hex, "name": one} for one in names
                ],
                "catalog": self._services(account, root),
            }
        }

    def _services(self, account: Account, root: str) -> list[dict[str, Any]]:
        return [
            {
                "id": self._names[kind],
                "type": kind,
                "name": name,
                "endpoints": [
                    {
                        "id": f"{self._names[kind][:-1]}{place}",
                        "interface": interface,
                        "region": "RegionOne",
                        "region_id": "RegionOne",
                        "url": root + path.format(project=account.project),
                    }
                    for place, interface in enumerate(("public", "internal", "admin"))
                ],
            }
            for kind, name, path in SERVICES
        ]


def _user_id(account: Account) -> str:
    return uuid.uuid5(uuid.NAMESPACE_DNS, account.user).hex


def _version(root: str) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{root}/identity/v3/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.identity-v3+json",
            }
        ],
    }
