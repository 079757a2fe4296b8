"""Cinder v3: its versions, volumes and volume types.

The catalogue's endpoint ends with the project's id; paths without it work as well.
"""

import uuid
from typing import Any

import msgspec

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.storage import VolumeSpec
from handlers.clouds.memory.things import VolumeThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service
from simulator.cinder import views
from simulator.cinder.filters import filter_of
from simulator.door import Door
from simulator.paging import page
from simulator.wire import Incoming, Reply, Route, bad, forbidden

_PAGE = 1000

#: From here on a volume in use can be extended.
_ONLINE = (3, 42)

_ACTIONS = {"os-extend": "extend_volume", "os-reset_status": "reset_volume"}


class Cinder:
    """The block storage service's routes."""

    def __init__(self, state: CloudState) -> None:
        self._core = state.core
        self._storage = state.storage
        self._door = Door(state, Service.BLOCK_STORAGE)

    def routes(self) -> list[Route]:
        known = (
            ("GET", "/volumes", self._list),
            ("POST", "/volumes", self._create),
            ("GET", "/volumes/detail", self._list),
            ("GET", "/volumes/<id>", self._show),
            ("DELETE", "/volumes/<id>", self._delete),
            ("POST", "/volumes/<id>/action", self._act),
            ("GET", "/types", self._types),
        )
        return [
            Route("GET", "/volume/", self._versions, public=True),
            Route("GET", f"{views.AT}/", self._version),
            *(
                Route(method, f"{views.AT}{project}{path}", handler, Service.BLOCK_STORAGE)
                for method, path, handler in known
                for project in ("", "/<project>")
            ),
        ]

    # -- volumes --------------------------------------------------------------------------------

    def _list(self, request: Incoming) -> Reply:
        verb = "changed_volume" if "updated_at" in request.query else "find_volume"
        detail = request.path.endswith("/detail")
        view = views.detail if detail else views.brief

        def body() -> dict[str, Any]:
            fits = filter_of(request.query, admin=request.account.admin)
            volumes = self._core.volumes.values()
            found = [one for one in volumes if self._door.shown(one, request) and fits(one)]
            found.sort(key=lambda one: (one.created, one.id), reverse=True)
            part, marker = page(
                found, request.query, Service.BLOCK_STORAGE, self._storage.no_volume, _PAGE
            )
            shown: dict[str, Any] = {"volumes": [view(one, request.root) for one in part]}
            if marker:
                href = f"{request.root}{request.path}?limit={len(part)}&marker={marker}"
                shown["volumes_links"] = [{"rel": "next", "href": href}]
            return shown

        return self._door.look(verb, body)

    def _create(self, request: Incoming) -> Reply:
        spec = _spec(request.json(Service.BLOCK_STORAGE, "volume"))

        def effect(doing: Doing) -> Reply:
            volume = self._storage.create(doing, request.project, spec)
            return Reply(status=202, body={"volume": views.summary(volume, request.root)})

        return self._door.call(
            "create_volume",
            effect,
            subject=subject_of(spec.name, meta=spec.metadata),
            role=role_of(meta=spec.metadata),
        )

    def _show(self, request: Incoming) -> Reply:
        return self._door.look(
            "get_volume", lambda: {"volume": views.detail(self._volume(request), request.root)}
        )

    def _delete(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            self._storage.delete(doing, self._volume(request).id)
            return Reply(status=202)

        return self._door.call("delete_volume", effect, thing=self._maybe(request))

    def _act(self, request: Incoming) -> Reply:
        name, given = _action_of(request.body)
        if name == "os-reset_status" and not request.account.admin:
            raise forbidden(Service.BLOCK_STORAGE, "volume_extension:volume_admin_actions")

        def effect(doing: Doing) -> Reply:
            volume = self._volume(request).id
            if name == "os-extend":
                online = request.version >= _ONLINE
                self._storage.extend(doing, volume, int(given.get("new_size", 0)), online)
            else:
                self._storage.reset_status(doing, volume, str(given.get("status", "available")))
            return Reply(status=202)

        return self._door.call(_ACTIONS[name], effect, thing=self._maybe(request))

    def _volume(self, request: Incoming) -> VolumeThing:
        volume = self._storage.volume(request.args["id"])
        if not self._door.known(volume, request):
            raise self._storage.no_volume(volume.id)
        return volume

    def _maybe(self, request: Incoming) -> VolumeThing | None:
        return self._core.volumes.get(request.args["id"])

    # -- types, versions ------------------------------------------------------------------------

    def _types(self, request: Incoming) -> Reply:
        names = self._core.catalogue.volume_types
        shown: list[dict[str, Any]] = [
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
                "name": name,
                "is_public": True,
                "description": None,
                "extra_specs": {},
                "qos_specs_id": None,
                "os-volume-type-access:is_public": True,
            }
            for name in names
        ]
        return self._door.look("find_volume_type", lambda: {"volume_types": shown})

    def _versions(self, request: Incoming) -> Reply:
        return Reply(status=300, body={"versions": [views.version(request.root)]})

    def _version(self, request: Incoming) -> Reply:
        return Reply(body={"versions": [views.version(request.root)]})


def _spec(given: dict[str, Any]) -> VolumeSpec:
    size = given.get("size")
    if not isinstance(size, int) or size < 1:
        text = (
            f"Invalid input for field/attribute size. Value: {size}. "
            f"{size} is less than the minimum of 1"
        )
        raise bad(Service.BLOCK_STORAGE, text)
    return VolumeSpec(
        size=size,
        name=given.get("name") or "",
        description=given.get("description"),
        type=given.get("volume_type"),
        zone=given.get("availability_zone"),
        metadata=given.get("metadata") or {},
    )


def _action_of(body: bytes) -> tuple[str, dict[str, Any]]:
    try:
        given = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        given = {}
    name = next(iter(given), "")
    if name not in _ACTIONS:
        raise bad(Service.BLOCK_STORAGE, f"There is no such action: {name}")
    return name, given[name] or {}
