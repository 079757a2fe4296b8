"""The services' JSON as resources, with the identity that they carry."""

from ipaddress import ip_network
from typing import Any

from msgspec.structs import replace

from handlers.clouds.openstack import wire
from handlers.clouds.text import clean
from handlers.identity import STACK, role_of, server_tag, subject_of
from handlers.resources import Port, PortRange, Rule, SecurityGroup, Server, Stack, Volume

_PROTOCOLS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}


def server(seen: wire.Server) -> Server:
    """A Nova server, read at 2.46: flavor.id needs < 2.47, tags need >= 2.26."""
    return Server(
        id=seen.id,
        name=seen.name,
        status=seen.status,
        task=seen.task,
        flavor=seen.flavor.id,
        fault=clean(seen.fault.message) if seen.fault else None,
        volumes=tuple(one.id for one in seen.volumes),
        doomed=tuple(one.id for one in seen.volumes if one.delete_on_termination),
        launched=seen.launched or "",
        subject=subject_of(seen.name, seen.tags, seen.metadata),
        role=role_of(meta=seen.metadata),
        project=seen.tenant_id,
    )


def volume(seen: wire.Volume, project: str = "") -> Volume:
    """A Cinder volume; `project` stands in where the answer does not name it (a POST's)."""
    return Volume(
        id=seen.id,
        name=seen.name or "",
        status=seen.status,
        size=seen.size,
        servers=tuple(one.server_id for one in seen.attachments if one.server_id),
        subject=subject_of(seen.name or "", meta=seen.metadata),
        role=role_of(meta=seen.metadata),
        project=seen.project or project,
    )


def port(seen: wire.Port) -> Port:
    """A Neutron port."""
    return Port(
        id=seen.id,
        name=seen.name,
        status=seen.status,
        device=seen.device_id,
        addresses=tuple(one.ip_address for one in seen.fixed_ips),
        groups=tuple(seen.security_groups),
        subject=subject_of(seen.name),
        role=role_of(seen.description or ""),
        project=seen.project_id,
    )


def group(seen: wire.Group) -> SecurityGroup:
    """A Neutron security group with those of its ingress rules that `rule` can say."""
    return SecurityGroup(
        id=seen.id,
        name=seen.name,
        rules=tuple(found for one in seen.rules if (found := rule(one))),
        subject=subject_of(seen.name),
        role=role_of(seen.description or ""),
        project=seen.project_id,
    )


def rule(seen: wire.GroupRule) -> Rule | None:
    """An ingress rule that names a CIDR and a TCP or UDP port range; None for any other."""
    protocol = _PROTOCOLS.get(seen.protocol or "")
    first, last, cidr = seen.port_range_min, seen.port_range_max, seen.remote_ip_prefix
    if seen.direction != "ingress" or not protocol or not cidr or first is None or last is None:
        return None
    return Rule(PortRange(protocol, first, last), network(cidr), seen.id)


def stack(seen: wire.Stack, project: str) -> Stack:
    """A Heat stack; `project` stands in where the answer does not name it."""
    tags = tuple(seen.tags or ())
    subject = subject_of(seen.stack_name, tags)
    return Stack(
        id=seen.id,
        name=seen.stack_name,
        status=seen.stack_status,
        reason=clean(seen.stack_status_reason or ""),
        tags=tags,
        outputs=_outputs(seen.outputs),
        subject=subject,
        role=STACK if subject and server_tag(subject) in tags else None,
        project=seen.project or project,
    )


def _outputs(seen: list[wire.Output] | None) -> dict[str, Any] | None:
    return None if seen is None else {one.output_key: one.output_value for one in seen}


def server_in_full(seen: wire.Server) -> Server:
    """The server with what no listing tells."""
    details = {
        "image": seen.image.id if isinstance(seen.image, wire.Named) else seen.image,
        "config_drive": seen.config_drive.lower() == "true",
        "metadata": seen.metadata,
        "tags": seen.tags,
    }
    return replace(server(seen), details=details)


def volume_in_full(seen: wire.Volume) -> Volume:
    """The volume with what no listing tells."""
    return replace(volume(seen), details={"type": seen.volume_type, "metadata": seen.metadata})


def port_in_full(seen: wire.Port) -> Port:
    """The port with what no listing tells."""
    fixed = [{"subnet_id": one.subnet_id, "ip_address": one.ip_address} for one in seen.fixed_ips]
    details = {
        "network": seen.network_id,
        "fixed_ips": fixed,
        "description": seen.description or "",
    }
    return replace(port(seen), details=details)


def group_in_full(seen: wire.Group) -> SecurityGroup:
    """The group with what no listing tells."""
    return replace(group(seen), details={"description": seen.description or ""})


def network(cidr: str) -> str:
    """The CIDR as Neutron's `normalized_cidr` has it: host bits cleared, IPv6 compressed."""
    return str(ip_network(cidr, strict=False))
