"""Things as the resources that steps decide on."""

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import msgspec

from handlers.clouds.memory.things import (
    AnyThing,
    GroupThing,
    PortThing,
    ServerThing,
    StackThing,
    VolumeThing,
)
from handlers.clouds.text import clean
from handlers.operation import SECOND, Micros
from handlers.resources import Port, Resource, Rule, SecurityGroup, Server, Stack, Volume


def server_of(thing: ServerThing) -> Server:
    """The server as Nova shows it; a deleted one has no volumes."""
    volumes = tuple(thing.volumes) if thing.deleted is None else ()
    return Server(
        id=thing.id,
        name=thing.name,
        status=thing.status,
        task=thing.task,
        flavor=thing.flavor,
        fault=thing.fault,
        volumes=volumes,
        doomed=tuple(one for one in volumes if one in thing.delete_with),
        launched=_moment(thing.launched),
        subject=thing.subject,
        role=thing.role,
        project=thing.project,
    )


def volume_of(thing: VolumeThing) -> Volume:
    """The volume as Cinder shows it."""
    return Volume(
        id=thing.id,
        name=thing.name,
        status=thing.status,
        size=thing.size,
        servers=tuple(thing.servers),
        subject=thing.subject,
        role=thing.role,
        project=thing.project,
    )


def port_of(thing: PortThing) -> Port:
    """The port as Neutron shows it."""
    return Port(
        id=thing.id,
        name=thing.name,
        status=thing.status,
        device=thing.device,
        addresses=(thing.address,) if thing.address else (),
        groups=thing.groups,
        subject=thing.subject,
        role=thing.role,
        project=thing.project,
    )


def group_of(thing: GroupThing) -> SecurityGroup:
    """The group as Neutron shows it: its rules with host bits cleared."""
    return SecurityGroup(
        id=thing.id,
        name=thing.name,
        rules=tuple(
            Rule(ports=rule.ports, cidr=network_of(rule.cidr), id=rule.id)
            for rule in thing.rules.values()
        ),
        subject=thing.subject,
        role=thing.role,
        project=thing.project,
    )


def stack_of(thing: StackThing, outputs: dict[str, Any] | None = None) -> Stack:
    """The stack as Heat lists it, or with the outputs that only a look-up in full tells."""
    return Stack(
        id=thing.id,
        name=thing.name,
        status=f"{thing.action}_{thing.status}",
        reason=clean(thing.reason),
        tags=thing.tags,
        outputs=outputs,
        subject=thing.subject,
        role=thing.role,
        project=thing.project,
    )


def resource_of(thing: AnyThing) -> Resource:
    """The resource that a thing looks like from outside, now."""
    if isinstance(thing, ServerThing):
        return server_of(thing)
    if isinstance(thing, VolumeThing):
        return volume_of(thing)
    if isinstance(thing, PortThing):
        return port_of(thing)
    if isinstance(thing, StackThing):
        return stack_of(thing)
    return group_of(thing)


def in_full(thing: AnyThing) -> Resource:
    """The resource with what no listing tells; of a stack that is said elsewhere (its outputs)."""
    seen = resource_of(thing)
    if isinstance(seen, Stack):
        return seen
    return msgspec.structs.replace(seen, details=_details(thing))


def _details(thing: AnyThing) -> dict[str, Any]:
    if isinstance(thing, ServerThing):
        return {
            "image": thing.image,
            "config_drive": thing.config_drive,
            "metadata": dict(thing.metadata),
            "tags": list(thing.tags),
        }
    if isinstance(thing, VolumeThing):
        return {"type": thing.type, "metadata": dict(thing.metadata)}
    if isinstance(thing, PortThing):
        fixed = {"subnet_id": thing.subnet, "ip_address": thing.address}
        return {
            "network": thing.network,
            "fixed_ips": [fixed],
            "description": thing.description,
        }
    return {"description": thing.description} if isinstance(thing, GroupThing) else {}


def _moment(at: Micros | None) -> str:
    """As Nova writes it, in whole seconds; empty when it never was."""
    if at is None:
        return ""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000")


def network_of(cidr: str) -> str:
    """The CIDR as Neutron's `normalized_cidr` has it; what is none stays, for Neutron to refuse."""
    try:
        return str(ip_network(cidr, strict=False))
    except ValueError:
        return cidr
