"""Neutron v2.0: ports."""

from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.network import PortSpec
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import PortThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service
from simulator.door import Door
from simulator.neutron import views
from simulator.neutron.filters import PORTS, fields, filtered
from simulator.paging import page
from simulator.wire import Incoming, Reply, Route, bad

#: What a port's POST may say.
_PROPERTIES = {
    "name",
    "description",
    "network_id",
    "fixed_ips",
    "security_groups",
    "admin_state_up",
    "device_id",
    "device_owner",
    "mac_address",
    "binding:vnic_type",
    "port_security_enabled",
    "project_id",
    "tenant_id",
    "tags",
}


class Ports:
    """Ports: made, listed, shown, removed."""

    def __init__(self, state: CloudState, at: str) -> None:
        self._core = state.core
        self._network = state.network
        self._door = Door(state, Service.NETWORK)
        self._at = f"{at}/ports"

    def routes(self) -> list[Route]:
        return [
            Route("GET", self._at, self._list, Service.NETWORK),
            Route("POST", self._at, self._create, Service.NETWORK),
            Route("GET", f"{self._at}/<id>", self._show, Service.NETWORK),
            Route("DELETE", f"{self._at}/<id>", self._delete, Service.NETWORK),
        ]

    def _list(self, request: Incoming) -> Reply:
        """With an administrator's rights every project's ports are listed."""

        def body() -> dict[str, Any]:
            seen = [one for one in self._core.ports.values() if self._shown(one, request)]
            found = filtered(seen, request.query, PORTS)
            part, marker = page(found, request.query, Service.NETWORK, _no_port)
            shown: dict[str, Any] = {
                "ports": fields([views.port(one) for one in part], request.query)
            }
            if marker:
                href = f"{request.root}{self._at}?limit={len(part)}&marker={marker}"
                shown["ports_links"] = [{"rel": "next", "href": href}]
            return shown

        return self._door.look("get_port" if "id" in request.query else "find_port", body)

    def _shown(self, port: PortThing, request: Incoming) -> bool:
        by_id = "id" in request.query
        return self._door.known(port, request) and (by_id or port.visible <= self._core.time)

    def _create(self, request: Incoming) -> Reply:
        spec = _spec(request.json(Service.NETWORK, "port"))

        def effect(doing: Doing) -> Reply:
            port = self._network.create_port(doing, request.project, spec)
            return Reply(status=201, body={"port": views.port(port)})

        subject, role = subject_of(spec.name), role_of(spec.description)
        return self._door.call("create_port", effect, subject=subject, role=role)

    def _show(self, request: Incoming) -> Reply:
        return self._door.look("get_port", lambda: {"port": views.port(self._port(request))})

    def _delete(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            self._network.delete_port(doing, self._port(request).id)
            return Reply(status=204)

        thing = self._core.ports.get(request.args["id"])
        return self._door.call("delete_port", effect, thing=thing)

    def _port(self, request: Incoming) -> PortThing:
        port = self._network.port(request.args["id"])
        if not self._door.known(port, request):
            raise _no_port(port.id)
        return port


def _no_port(port: str) -> Refusal:
    return Refusal(Service.NETWORK, 404, f"Port {port} could not be found.", "PortNotFound")


def _spec(given: dict[str, Any]) -> PortSpec:
    for name in given:
        if name not in _PROPERTIES:
            raise bad(Service.NETWORK, f"Unrecognized attribute(s) '{name}'")
    if "network_id" not in given:
        text = "Failed to parse request. Required attribute 'network_id' not specified"
        raise bad(Service.NETWORK, text)
    fixed: dict[str, str] = next(iter(given.get("fixed_ips") or ()), {})
    groups = given.get("security_groups")
    return PortSpec(
        network=given["network_id"],
        name=given.get("name") or "",
        description=given.get("description") or "",
        subnet=fixed.get("subnet_id"),
        ip_address=fixed.get("ip_address"),
        groups=None if groups is None else tuple(groups),
    )
