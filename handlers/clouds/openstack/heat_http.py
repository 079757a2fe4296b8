"""What heatclient's managers take for their HTTP client: our own `Caller` behind it."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import msgspec

from handlers.clouds.openstack import wire
from handlers.clouds.openstack.caller import Caller, Request
from handlers.clouds.refusals import Effect


class Body(msgspec.Struct, frozen=True):
    """An answer, as far as heatclient reads it."""

    said: dict[str, Any]
    content: ClassVar[bytes] = b""
    headers: ClassVar[Mapping[str, str]] = {"content-type": "application/json"}

    def json(self) -> dict[str, Any]:
        return self.said


class Heat:
    """What heatclient's managers take for their HTTP client, for one call."""

    def __init__(self, caller: Caller, effect: Effect) -> None:
        self.request_id: str | None = None
        self._caller = caller
        self._effect = effect

    def credentials_headers(self) -> dict[str, str]:
        """None: the token says who we are."""
        return {}

    def post(self, url: str, data: Any, headers: Any = None) -> Body:
        request = self._request("POST", url, data)
        if self._effect is not Effect.MAKE:
            return self._act(request)
        made, self.request_id = self._caller.make(wire.MadeStack, request)
        return Body({"stack": {"id": made.stack.id}})

    def patch(self, url: str, data: Any, headers: Any = None) -> Body:
        return self._act(self._request("PATCH", url, data))

    def delete(self, url: str) -> Body:
        return self._act(self._request("DELETE", url, None))

    def _act(self, request: Request) -> Body:
        self.request_id = self._caller.act(request)
        return Body({})

    def _request(self, verb: str, url: str, data: Any) -> Request:
        """`/stacks/NAME/ID/actions`: the second and third part are for the stack alone."""
        _, first, *rest = url.split("/")
        ids, more = rest[:2], rest[2:]
        route = "/".join(("", first, *("{id}" for _ in ids), *more))
        return Request(
            effect=self._effect,
            route=route,
            ids=tuple(map(unquote, ids)),
            body=data,
            verb=verb,
        )


def path(name: str, stack: str) -> str:
    """How heatclient is told of a stack."""
    return f"{quote(name, safe='')}/{quote(stack, safe='')}"
