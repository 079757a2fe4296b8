"""Nova v2.1: its versions and flavors, and the rest of its routes."""

from typing import Any

from handlers.clouds.memory.attachments import dotted
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.resources import Service
from simulator.nova import views
from simulator.nova.actions import Actions
from simulator.nova.servers import AT, Servers
from simulator.wire import Incoming, Reply, Route


class Nova:
    """The compute service."""

    def __init__(self, state: CloudState) -> None:
        self._core = state.core
        self._servers = Servers(state)
        self._actions = Actions(state, self._servers)
        self._door = self._servers.door

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/compute/", self._versions, public=True),
            Route("GET", f"{AT}/", self._version, public=True),
            Route("GET", f"{AT}/flavors", self._names, Service.COMPUTE),
            Route("GET", f"{AT}/flavors/detail", self._flavors, Service.COMPUTE),
            Route("GET", f"{AT}/flavors/<id>", self._flavor, Service.COMPUTE),
            *self._servers.routes(),
            *self._actions.routes(),
        ]

    def _names(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            root = request.root
            found = [
                {"id": one.id, "name": one.name, "links": views.links(root, "flavors", one.id)}
                for one in self._core.catalogue.flavors
            ]
            return {"flavors": found}

        return self._door.look("find_flavor", body)

    def _flavors(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            found = self._core.catalogue.flavors
            shown = [views.flavor_detail(one, request.root, request.version) for one in found]
            return {"flavors": shown}

        return self._door.look("find_flavor", body)

    def _flavor(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            for one in self._core.catalogue.flavors:
                if one.id == request.args["id"]:
                    return {"flavor": views.flavor_detail(one, request.root, request.version)}
            text = f"Flavor {request.args['id']} could not be found."
            raise Refusal(Service.COMPUTE, 404, text, "itemNotFound")

        return self._door.look("get_flavor", body)

    def _versions(self, request: Incoming) -> Reply:
        return Reply(body={"versions": [self._current(request.root)]})

    def _version(self, request: Incoming) -> Reply:
        return Reply(body={"version": self._current(request.root)})

    def _current(self, root: str) -> dict[str, Any]:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": dotted(self._core.abilities.compute),
            "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{root}{AT}/"}],
            "media-types": [
                {
                    "base": "application/json",
                    "type": "application/vnd.openstack.compute+json;version=2.1",
                }
            ],
        }
