"""Cinder: volumes."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from handlers.base import Answer
from handlers.clouds.openstack import decode, wire
from handlers.clouds.openstack.caller import Caller, Request
from handlers.clouds.refusals import Effect
from handlers.identity import metadata, resource_name
from handlers.operation import SECOND, Micros
from handlers.orders import NewVolume
from handlers.resources import Volume

#: `updated_at=gte:` needs 3.60, to extend a volume in use 3.42.
VERSION = "3.60"

_PAGE = 1000


class BlockStorage:
    """The calls of `Cloud` that go to Cinder.

    `all_tenants` is never sent: with admin rights even `all_tenants=0` empties the list (measured).
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def changed(self, since: Micros) -> tuple[Volume, ...]:
        """Volumes changed since then; one that was only just made has no `updated_at` yet."""
        moment = datetime.fromtimestamp(since // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return tuple(self._list(("updated_at", f"gte:{moment}")))

    def get(self, ids: Collection[str]) -> tuple[Volume, ...]:
        """One by one: Cinder takes one id only."""
        seen = (self._one(one) for one in sorted(set(ids)))
        return tuple(decode.volume(one) for one in seen if one)

    def in_full(self, one: str) -> Volume | None:
        seen = self._one(one)
        return decode.volume_in_full(seen) if seen else None

    def every(self) -> tuple[Volume, ...]:
        return tuple(self._list())

    def find(self, subjects: Collection[str]) -> tuple[Volume, ...]:
        """By name, one subject at a time; what carries another identity is dropped."""
        found: list[Volume] = []
        for one in sorted(set(subjects)):
            some = self._list(("name", resource_name(one)))
            found += (volume for volume in some if volume.subject == one)
        return tuple(found)

    def create(self, new: NewVolume) -> Answer:
        body: dict[str, Any] = {
            "name": resource_name(new.subject),
            "size": new.size,
            "metadata": metadata(new.subject, new.role),
        }
        if new.type is not None:
            body["volume_type"] = new.type
        if new.zone is not None:
            body["availability_zone"] = new.zone
        request = Request(effect=Effect.MAKE, route="/volumes", body={"volume": body})
        made, request_id = self._caller.make(wire.OneVolume, request, VERSION)
        volume = decode.volume(made.volume, self._caller.project)
        return Answer(resources=(volume,), request_id=request_id)

    def extend(self, volume: str, size: int) -> Answer:
        return self._action(volume, {"os-extend": {"new_size": size}})

    def reset(self, volume: str, status: str) -> Answer:
        return self._action(volume, {"os-reset_status": {"status": status}})

    def delete(self, volume: str) -> Answer:
        request = Request(effect=Effect.REMOVE, route="/volumes/{id}", ids=(volume,))
        return Answer(request_id=self._caller.act(request, VERSION))

    def _action(self, volume: str, body: dict[str, Any]) -> Answer:
        request = Request(
            effect=Effect.CHANGE, route="/volumes/{id}/action", ids=(volume,), body=body
        )
        return Answer(request_id=self._caller.act(request, VERSION))

    def _one(self, one: str) -> wire.Volume | None:
        request = Request(effect=Effect.LOOK, route="/volumes/{id}", ids=(one,))
        answer = self._caller.look(wire.OneVolume, request, VERSION)
        return answer.volume if answer else None

    def _list(self, *filters: tuple[str, str]) -> list[Volume]:
        """All pages; the end is where Cinder gives no next link."""
        found: list[Volume] = []
        marker: tuple[tuple[str, str], ...] = ()
        while True:
            params = (*filters, ("limit", str(_PAGE)), *marker)
            request = Request(effect=Effect.LOOK, route="/volumes/detail", params=params)
            page = self._caller.look(wire.Volumes, request, VERSION)
            if page is None or not page.items:
                return found
            found += map(decode.volume, page.items)
            if not page.links:
                return found
            marker = (("marker", page.items[-1].id),)
