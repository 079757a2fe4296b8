"""What an instance is like in the cloud, and what of it may never change when it changes hands."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from tests.contract.managers.project import HttpProject

#: microversion whose server details tell of volumes' delete_on_termination and of tags.
_READ = "2.46"

#: Listings of instance actions that are read at once.
_THREADS = 3

#: What stays the same as long as the instance lives, whatever is done to it.
LASTING = ("server", "ports", "volumes", "groups")


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """One instance, by plain calls to Nova, Cinder and Neutron.

    `launched` is OS-SRV-USG:launched_at, `actions` what Nova ever did to the server with the ids of
    the requests (create, resize, reboot, detach ...), newest first; `ports` have id, MAC address,
    fixed addresses and the server they are plugged into; `attachments` are Cinder's ids of them
    with the device; `doomed` are volumes that Nova deletes with the server; `rules` are ids.
    """

    server: tuple[str, ...]
    status: tuple[str, ...]
    host: tuple[str, ...]
    launched: tuple[str, ...]
    flavor: tuple[str, ...]
    actions: tuple[str, ...]
    ports: tuple[str, ...]
    volumes: tuple[str, ...]
    sizes: tuple[int, ...]
    attachments: tuple[str, ...]
    doomed: tuple[str, ...]
    groups: tuple[str, ...]
    rules: tuple[str, ...]


def look(project: HttpProject, subjects: Collection[str]) -> dict[str, Traits]:
    """The traits of these instances; what is not there has empty ones."""
    servers = project.get("compute", "/servers/detail", microversion=_READ)["servers"]
    mine = f"?project_id={project.id}"
    seen = _Seen(
        servers=_grouped(servers, lambda one: one["metadata"].get("trove_instance_id", "")),
        volumes=_named(project.get("block_storage", "/volumes/detail")["volumes"]),
        ports=_named(project.get("network", f"/ports{mine}")["ports"]),
        groups=_named(project.get("network", f"/security-groups{mine}")["security_groups"]),
    )
    with ThreadPoolExecutor(_THREADS) as threads:
        actions = threads.map(lambda name: _actions(project, seen.servers.get(name, ())), subjects)
        return {name: _traits(seen, name, did) for name, did in zip(subjects, actions, strict=True)}


def changes(before: Traits, now: Traits, fields: Iterable[str] = ()) -> Iterator[str]:
    """What of `fields` (all when none is named) is not what it was."""
    for field in fields or Traits.__struct_fields__:
        was, is_now = getattr(before, field), getattr(now, field)
        if was != is_now:
            yield f"{field} were {was}, are {is_now}"


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the services have, by instance."""

    servers: Mapping[str, list[dict[str, Any]]]
    volumes: Mapping[str, list[dict[str, Any]]]
    ports: Mapping[str, list[dict[str, Any]]]
    groups: Mapping[str, list[dict[str, Any]]]


def _grouped(things: Iterable[dict[str, Any]], key: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(things, key=lambda one: str(one["id"])):
        found.setdefault(key(one), []).append(one)
    return found


def _named(things: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By the instance that the name says."""
    return _grouped(things, lambda one: str(one["name"] or "").partition("-")[2])


def _actions(project: HttpProject, servers: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    did = (
        each
        for one in servers
        for each in project.get("compute", f"/servers/{one['id']}/os-instance-actions")[
            "instanceActions"
        ]
    )
    return tuple(f"{each['action']} {each['request_id']}" for each in did)


def _traits(seen: _Seen, name: str, actions: tuple[str, ...]) -> Traits:
    servers, volumes = seen.servers.get(name, []), seen.volumes.get(name, [])
    ports, groups = seen.ports.get(name, []), seen.groups.get(name, [])
    attached = [each for one in servers for each in one["os-extended-volumes:volumes_attached"]]
    return Traits(
        server=tuple(one["id"] for one in servers),
        status=tuple(one["status"] for one in servers),
        host=tuple(one["OS-EXT-SRV-ATTR:host"] for one in servers),
        launched=tuple(one["OS-SRV-USG:launched_at"] for one in servers),
        flavor=tuple(one["flavor"]["id"] for one in servers),
        actions=actions,
        ports=tuple(_port(one) for one in ports),
        volumes=tuple(one["id"] for one in volumes),
        sizes=tuple(one["size"] for one in volumes),
        attachments=tuple(
            f"{each['attachment_id']} {each['server_id']} {each['device']} {each['attached_at']}"
            for one in volumes
            for each in one["attachments"]
        ),
        doomed=tuple(sorted(each["id"] for each in attached if each["delete_on_termination"])),
        groups=tuple(one["id"] for one in groups),
        rules=tuple(sorted(each["id"] for one in groups for each in one["security_group_rules"])),
    )


def _port(one: dict[str, Any]) -> str:
    addresses = ", ".join(sorted(each["ip_address"] for each in one["fixed_ips"]))
    return f"{one['id']} {one['mac_address']} {addresses} of {one['device_id']}"
