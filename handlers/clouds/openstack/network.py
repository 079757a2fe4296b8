"""Neutron: security groups, their rules, and ports. It has no filter for what changed."""

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_network
from typing import Any, Protocol, TypeVar

from handlers.base import Answer
from handlers.clouds.openstack import decode, wire
from handlers.clouds.openstack.caller import Caller, Request, chunks
from handlers.clouds.refusals import Effect
from handlers.identity import description, group_name, resource_name
from handlers.orders import NewPort, Rules
from handlers.resources import Port, Rule, SecurityGroup

T = TypeVar("T", wire.Port, wire.Group)

_PAGE = 1000
_PORTS, _GROUPS = "/ports", "/security-groups"


class _Page(Protocol[T]):
    """One page of a listing."""

    items: list[T]
    links: list[Any]


class Network:
    """The calls of `Cloud` that go to Neutron.

    Repeated `id=` and `name=` mean "or". With admin rights Neutron lists every project's, so
    look-ups by name say which project they mean.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get_ports(self, ids: Collection[str]) -> tuple[Port, ...]:
        return tuple(one for one in self._ports("id", ids) if one.id in ids)

    def find_ports(self, subjects: Collection[str]) -> tuple[Port, ...]:
        found = self._ports("name", map(resource_name, subjects), self._caller.project)
        return tuple(one for one in found if one.subject in subjects)

    def get_groups(self, ids: Collection[str]) -> tuple[SecurityGroup, ...]:
        return tuple(one for one in self._groups("id", ids) if one.id in ids)

    def find_groups(self, subjects: Collection[str]) -> tuple[SecurityGroup, ...]:
        found = self._groups("name", map(group_name, subjects), self._caller.project)
        return tuple(one for one in found if one.subject in subjects)

    def port_in_full(self, one: str) -> Port | None:
        request = Request(effect=Effect.LOOK, route=_PORTS + "/{id}", ids=(one,))
        answer = self._caller.look(wire.OnePort, request)
        return decode.port_in_full(answer.port) if answer else None

    def group_in_full(self, one: str) -> SecurityGroup | None:
        request = Request(effect=Effect.LOOK, route=_GROUPS + "/{id}", ids=(one,))
        answer = self._caller.look(wire.OneGroup, request)
        return decode.group_in_full(answer.security_group) if answer else None

    def every_port(self) -> tuple[Port, ...]:
        return tuple(map(decode.port, self._every(wire.Ports, _PORTS)))

    def every_group(self) -> tuple[SecurityGroup, ...]:
        return tuple(map(decode.group, self._every(wire.Groups, _GROUPS)))

    def create_group(self, subject: str, role: str, text: str) -> Answer:
        """Neutron adds its default egress rules, which stay."""
        body = {"name": group_name(subject), "description": description(role, text)}
        request = Request(effect=Effect.MAKE, route=_GROUPS, body={"security_group": body})
        made, request_id = self._caller.make(wire.OneGroup, request)
        return Answer(resources=(decode.group(made.security_group),), request_id=request_id)

    def delete_group(self, group: str) -> Answer:
        return self._delete(_GROUPS, group)

    def create_rules(self, new: Rules) -> Answer:
        """One bulk POST: all of them or none (measured)."""
        body = {"security_group_rules": [_rule(new.group, one) for one in new.rules]}
        request = Request(effect=Effect.MAKE, route="/security-group-rules", body=body)
        return Answer(request_id=self._caller.act(request))

    def delete_rule(self, rule: str) -> Answer:
        return self._delete("/security-group-rules", rule)

    def create_port(self, new: NewPort) -> Answer:
        """Without `groups` the port gets the project's default group, as Neutron does."""
        body: dict[str, Any] = {
            "name": resource_name(new.subject),
            "description": description(new.role),
            "network_id": new.network,
        }
        fixed = {"subnet_id": new.subnet, "ip_address": new.ip_address}
        if given := {name: value for name, value in fixed.items() if value is not None}:
            body["fixed_ips"] = [given]
        if new.groups:
            body["security_groups"] = list(new.groups)
        request = Request(effect=Effect.MAKE, route=_PORTS, body={"port": body})
        made, request_id = self._caller.make(wire.OnePort, request)
        return Answer(resources=(decode.port(made.port),), request_id=request_id)

    def delete_port(self, port: str) -> Answer:
        return self._delete(_PORTS, port)

    def _delete(self, route: str, one: str) -> Answer:
        request = Request(effect=Effect.REMOVE, route=route + "/{id}", ids=(one,))
        return Answer(request_id=self._caller.act(request))

    def _every(self, kind: type[_Page[T]], route: str) -> Iterator[T]:
        """The project's, page by page; the end is where Neutron gives no next link."""
        params: tuple[tuple[str, str], ...] = (
            ("project_id", self._caller.project),
            ("limit", str(_PAGE)),
        )
        marker: tuple[tuple[str, str], ...] = ()
        while True:
            request = Request(effect=Effect.LOOK, route=route, params=(*params, *marker))
            page = self._caller.look(kind, request)
            if page is None or not page.items:
                return
            yield from page.items
            if not page.links:
                return
            marker = (("marker", page.items[-1].id),)

    def _ports(self, name: str, values: Iterable[str], project: str = "") -> list[Port]:
        found: list[Port] = []
        for request in _listings(_PORTS, name, values, project):
            page = self._caller.look(wire.Ports, request)
            found += map(decode.port, page.items if page else ())
        return found

    def _groups(self, name: str, values: Iterable[str], project: str = "") -> list[SecurityGroup]:
        found: list[SecurityGroup] = []
        for request in _listings(_GROUPS, name, values, project):
            page = self._caller.look(wire.Groups, request)
            found += map(decode.group, page.items if page else ())
        return found


def _listings(route: str, name: str, values: Iterable[str], project: str) -> Iterator[Request]:
    """One request per batch of values. Neutron does not cut listings without a `limit`."""
    mine = (("project_id", project),) if project else ()
    for some in chunks(values):
        params = (*((name, value) for value in some), *mine)
        yield Request(effect=Effect.LOOK, route=route, params=params)


def _rule(group: str, new: Rule) -> dict[str, Any]:
    return {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": f"IPv{ip_network(new.cidr, strict=False).version}",
        "protocol": new.ports.protocol,
        "port_range_min": new.ports.first,
        "port_range_max": new.ports.last,
        "remote_ip_prefix": decode.network(new.cidr),
    }
