"""Neutron v2.0: its versions, networks and subnets, and the rest of its routes."""

from typing import Any

from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.resources import Service
from simulator.door import Door
from simulator.neutron import views
from simulator.neutron.groups import Groups
from simulator.neutron.ports import Ports
from simulator.wire import Incoming, Reply, Route

AT = "/network/v2.0"


class Neutron:
    """The network service."""

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._door = Door(state, Service.NETWORK)
        self._ports = Ports(state, AT)
        self._groups = Groups(state, AT)

    def routes(self) -> list[Route]:
        own = (
            ("/networks", self._networks),
            ("/networks/<id>", self._network),
            ("/subnets", self._subnets),
            ("/subnets/<id>", self._subnet),
            ("/extensions", self._extensions),
        )
        return [
            Route("GET", "/network/", self._versions, public=True),
            Route("GET", f"{AT}/", self._version),
            *(Route("GET", AT + path, handler, Service.NETWORK) for path, handler in own),
            *self._ports.routes(),
            *self._groups.routes(),
        ]

    def _networks(self, request: Incoming) -> Reply:
        names = request.query.getlist("name")
        return self._door.look(
            "find_network",
            lambda: {
                "networks": [
                    views.network(one)
                    for one in self._state.catalogue.networks
                    if not names or one.name in names
                ]
            },
        )

    def _network(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            for one in self._state.catalogue.networks:
                if one.id == request.args["id"]:
                    return {"network": views.network(one)}
            text = f"Network {request.args['id']} could not be found."
            raise Refusal(Service.NETWORK, 404, text, "NetworkNotFound")

        return self._door.look("get_network", body)

    def _subnets(self, request: Incoming) -> Reply:
        wanted = request.query.getlist("network_id")
        return self._door.look(
            "find_subnet",
            lambda: {
                "subnets": [
                    views.subnet(one)
                    for one in self._state.catalogue.networks
                    if not wanted or one.id in wanted
                ]
            },
        )

    def _subnet(self, request: Incoming) -> Reply:
        def body() -> dict[str, Any]:
            for one in self._state.catalogue.networks:
                if one.subnet == request.args["id"]:
                    return {"subnet": views.subnet(one)}
            text = f"Subnet {request.args['id']} could not be found."
            raise Refusal(Service.NETWORK, 404, text, "SubnetNotFound")

        return self._door.look("get_subnet", body)

    def _extensions(self, request: Incoming) -> Reply:
        return Reply(body={"extensions": [{"alias": "security-group", "name": "security-group"}]})

    def _versions(self, request: Incoming) -> Reply:
        links = [{"rel": "self", "href": f"{request.root}{AT}/"}]
        return Reply(body={"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})

    def _version(self, request: Incoming) -> Reply:
        names = ("networks", "subnets", "ports", "security-groups", "security-group-rules")
        return Reply(
            body={
                "resources": [
                    {
                        "name": name.rstrip("s"),
                        "collection": name,
                        "links": [{"rel": "self", "href": f"{request.root}{AT}/{name}"}],
                    }
                    for name in names
                ]
            }
        )
