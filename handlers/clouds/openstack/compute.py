"""Nova: servers."""

from base64 import b64encode
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from handlers.base import Answer
from handlers.clouds.openstack import decode, wire
from handlers.clouds.openstack.caller import Caller, Request, chunks
from handlers.clouds.refusals import Effect
from handlers.identity import metadata, server_tag
from handlers.operation import SECOND, Micros
from handlers.orders import NewServer
from handlers.resources import Server

#: Reads: tags from 2.26, flavor.id only below 2.47.
READ = "2.46"
#: The POST takes tags from 2.52.
WRITE = "2.52"
#: delete_on_termination of an attached volume can be changed from 2.85 (Ussuri).
DOOM = "2.85"

_PAGE = 1000
_ROLE = "server"


class Compute:
    """The calls of `Cloud` that go to Nova."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def changed(self, since: Micros) -> tuple[Server, ...]:
        """Servers changed since then, rounded down to the second as Nova counts.

        Deleted ones, which Nova lists too, are left out: the listing proves presence only.
        """
        moment = datetime.fromtimestamp(since // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = self._list(("changes-since", moment))
        return tuple(one for one in found if one.status != "DELETED")

    def get(self, ids: Collection[str]) -> tuple[Server, ...]:
        """One by one: without admin rights `uuid=` is ignored and everything is listed."""
        seen = (self._one(one) for one in sorted(set(ids)))
        return tuple(decode.server(one) for one in seen if one)

    def in_full(self, one: str) -> Server | None:
        seen = self._one(one)
        return decode.server_in_full(seen) if seen else None

    def every(self) -> tuple[Server, ...]:
        return tuple(self._list())

    def find(self, subjects: Collection[str]) -> tuple[Server, ...]:
        """By tag. What carries no identity asked for is dropped, lest a filter be ignored."""
        found: list[Server] = []
        for some in chunks(subjects):
            found += self._list(("tags-any", ",".join(server_tag(one) for one in some)))
        return tuple(one for one in found if one.subject in subjects)

    def create(self, new: NewServer) -> Answer:
        request = Request(effect=Effect.MAKE, route="/servers", body={"server": _body(new)})
        made, request_id = self._caller.make(wire.MadeServer, request, WRITE)
        server = Server(
            id=made.server.id,
            name=new.name,
            status="BUILD",  # Nova's answer names the id only; a server begins in BUILD
            flavor=new.flavor,
            subject=new.subject,
            role=_ROLE,
            project=self._caller.project,
        )
        return Answer(resources=(server,), request_id=request_id)

    def resize(self, server: str, flavor: str) -> Answer:
        return self._action(server, {"resize": {"flavorRef": flavor}})

    def confirm_resize(self, server: str) -> Answer:
        return self._action(server, {"confirmResize": None})

    def revert_resize(self, server: str) -> Answer:
        return self._action(server, {"revertResize": None})

    def reset(self, server: str) -> Answer:
        return self._action(server, {"os-resetState": {"state": "active"}})

    def doom(self, server: str, volume: str, doomed: bool) -> Answer:
        """To name the volume that is there already makes Nova exchange nothing."""
        attachment = {"volumeId": volume, "delete_on_termination": doomed}
        request = Request(
            effect=Effect.CHANGE,
            route="/servers/{id}/os-volume_attachments/{id}",
            ids=(server, volume),
            body={"volumeAttachment": attachment},
            verb="PUT",
        )
        return Answer(request_id=self._caller.act(request, DOOM))

    def delete(self, server: str) -> Answer:
        request = Request(effect=Effect.REMOVE, route="/servers/{id}", ids=(server,))
        return Answer(request_id=self._caller.act(request, READ))

    def _action(self, server: str, body: dict[str, Any]) -> Answer:
        request = Request(
            effect=Effect.CHANGE, route="/servers/{id}/action", ids=(server,), body=body
        )
        return Answer(request_id=self._caller.act(request, READ))

    def _one(self, one: str) -> wire.Server | None:
        request = Request(effect=Effect.LOOK, route="/servers/{id}", ids=(one,))
        answer = self._caller.look(wire.OneServer, request, READ)
        return answer.server if answer else None

    def _list(self, *filters: tuple[str, str]) -> list[Server]:
        """All pages. The end is where Nova gives no next link: it may cut pages shorter."""
        found: list[Server] = []
        marker: tuple[tuple[str, str], ...] = ()
        while True:
            params = (*filters, ("limit", str(_PAGE)), *marker)
            request = Request(effect=Effect.LOOK, route="/servers/detail", params=params)
            page = self._caller.look(wire.Servers, request, READ)
            if page is None or not page.items:
                return found
            found += map(decode.server, page.items)
            if not page.links:
                return found
            marker = (("marker", page.items[-1].id),)


def _body(new: NewServer) -> dict[str, Any]:
    """The POST's body. Every data volume survives the server, whatever deletes it."""
    body: dict[str, Any] = {
        "name": new.name,
        "flavorRef": new.flavor,
        "imageRef": new.image,
        "networks": [{"port": port} for port in new.ports],
        "metadata": {**new.metadata, **metadata(new.subject, _ROLE)},
        "tags": sorted({*new.tags, server_tag(new.subject)}),
        "config_drive": new.config_drive,
    }
    if new.volumes:
        disk = {
            "boot_index": 0,
            "uuid": new.image,
            "source_type": "image",
            "destination_type": "local",
            "delete_on_termination": True,
        }
        body["block_device_mapping_v2"] = [disk, *map(_mapping, new.volumes)]
    if new.zone is not None:
        body["availability_zone"] = new.zone
    if new.key_name is not None:
        body["key_name"] = new.key_name
    if new.user_data is not None:
        body["user_data"] = b64encode(new.user_data.encode()).decode()
    return body


def _mapping(volume: str) -> dict[str, Any]:
    return {
        "boot_index": -1,
        "uuid": volume,
        "source_type": "volume",
        "destination_type": "volume",
        "delete_on_termination": False,
    }
