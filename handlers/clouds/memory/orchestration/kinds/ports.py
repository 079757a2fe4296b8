"""OS::Neutron::Port."""

from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.network import PortSpec
from handlers.clouds.memory.orchestration.kinds.base import Property, Values
from handlers.clouds.memory.orchestration.natives import Natives, Steps
from handlers.clouds.memory.orchestration.refusals import invalid_property
from handlers.clouds.memory.things import PortThing, StackResource, StackThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service


class Ports:
    """A port is there as soon as it was called for; an update is one PUT."""

    type = "OS::Neutron::Port"

    def __init__(self, natives: Natives) -> None:
        self._natives = natives
        self._ports = natives.core.ports
        self.schema = {
            "name": Property(update=True),
            "network": Property(required=True, read=self._network),
            "fixed_ips": Property(update=True),
            "security_groups": Property(update=True),
            "value_specs": Property(update=True, default={}),
            "replacement_policy": Property(update=True, default="AUTO"),
            "admin_state_up": Property(update=True, default=True),
            "tags": Property(update=True),
        }

    def validate(self, name: str, values: Values) -> None:
        return

    def create(self, stack: StackThing, row: StackResource, values: Values) -> Steps:
        fixed = (values["fixed_ips"] or [{}])[0]
        groups = values["security_groups"]
        spec = PortSpec(
            network=values["network"],
            name=values["name"] or self._natives.physical_name(stack, row.name),
            description=values["value_specs"].get("description", ""),
            subnet=fixed.get("subnet"),
            ip_address=fixed.get("ip_address"),
            groups=None if groups is None else tuple(groups),
        )

        def effect(doing: Doing) -> PortThing:
            return self._natives.network.create_port(doing, stack.project, spec)

        port = yield from self._natives.call(
            Service.NETWORK,
            "create_port",
            effect,
            subject=subject_of(spec.name),
            role=role_of(spec.description),
        )
        row.physical = port.id
        yield 0

    def update(
        self, stack: StackThing, row: StackResource, values: Values, changed: frozenset[str]
    ) -> Steps:
        def effect(doing: Doing) -> None:
            port = self._natives.network.port(row.physical)
            port.name = values["name"] or port.name
            port.description = values["value_specs"].get("description", port.description)
            port.subject, port.role = subject_of(port.name), role_of(port.description)
            if "security_groups" in changed and values["security_groups"] is not None:
                port.groups = tuple(values["security_groups"])
            if "fixed_ips" in changed and values["fixed_ips"]:
                port.address = values["fixed_ips"][0].get("ip_address") or port.address
            self._natives.core.touch(port)

        whose = self._ports.get(row.physical)
        yield from self._natives.call(Service.NETWORK, "update_port", effect, whose)

    def delete(self, row: StackResource) -> Steps:
        delete = self._natives.network.delete_port
        yield from self._natives.gone(
            Service.NETWORK,
            "delete_port",
            lambda doing: delete(doing, row.physical),
            self._ports.get(row.physical),
        )

    def check(self, row: StackResource) -> Steps | None:
        return None

    def is_broken(self, row: StackResource) -> bool:
        return row.physical not in self._ports

    def replaces(self, changed: frozenset[str], values: Values) -> bool:
        return bool(values["replacement_policy"] == "REPLACE_ALWAYS")

    def before_replacement(self, row: StackResource) -> None:
        """The old port gives up its address, so that the new one can have it."""
        if port := self._ports.get(row.physical):
            port.address = ""

    def attribute(self, row: StackResource, name: str) -> Any:
        port = self._ports.get(row.physical)
        if port is None:
            return None
        if name == "fixed_ips":
            return [{"subnet_id": port.subnet, "ip_address": port.address}] if port.address else []
        told = {
            "name": port.name,
            "mac_address": port.mac,
            "network_id": port.network,
            "security_groups": list(port.groups),
            "status": port.status,
            "device_id": port.device,
            "device_owner": port.device_owner,
        }
        return told.get(name)

    def _network(self, name: str, value: Any) -> str:
        for network in self._natives.core.catalogue.networks:
            if value in (network.id, network.name):
                return network.id
        text = f"Error validating value '{value}': Unable to find network with name or id '{value}'"
        raise invalid_property(name, "network", text)
