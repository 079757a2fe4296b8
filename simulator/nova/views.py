"""Nova's JSON for servers, actions and flavors, in the shape that the microversion asks for."""

from typing import Any

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.settings import Flavor
from handlers.clouds.memory.things import Action, ServerThing
from simulator.nova.bodies import encoded
from simulator.wire import stamp

Version = tuple[int, int]

_VM_STATES = {
    "BUILD": "building",
    "VERIFY_RESIZE": "resized",
    "SHUTOFF": "stopped",
    "ERROR": "error",
    "DELETED": "deleted",
}


def links(root: str, kind: str, thing_id: str) -> list[dict[str, str]]:
    return [
        {"rel": "self", "href": f"{root}/compute/v2.1/{kind}/{thing_id}"},
        {"rel": "bookmark", "href": f"{root}/compute/{kind}/{thing_id}"},
    ]


def server_summary(server: ServerThing, root: str) -> dict[str, Any]:
    """What `GET /servers` shows: no status in it."""
    return {"id": server.id, "name": server.name, "links": links(root, "servers", server.id)}


def server_detail(core: Core, server: ServerThing, root: str, version: Version) -> dict[str, Any]:
    """What `GET /servers/detail` and `GET /servers/{id}` show."""
    shown: dict[str, Any] = {
        **server_summary(server, root),
        "status": server.status,
        "tenant_id": server.project,
        "user_id": "9145026082a84228bc5c422f9b0eb120",
        "metadata": server.metadata,
        "hostId": "2ed08abd4edb56103fbb44130bf65811" if server.hosted else "",
        "image": _image(server, root),
        "flavor": _flavor(core, server.flavor, root, version),
        "created": stamp(server.created),
        "updated": stamp(server.updated),
        "addresses": _addresses(core, server),
        "accessIPv4": "",
        "accessIPv6": "",
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": server.zone if server.hosted else "",
        "config_drive": "True" if server.config_drive else "",
        "key_name": server.key_name,
        "OS-SRV-USG:launched_at": stamp(server.launched, "%Y-%m-%dT%H:%M:%S.000000"),
        "OS-SRV-USG:terminated_at": stamp(server.deleted, "%Y-%m-%dT%H:%M:%S.000000"),
        "OS-EXT-STS:task_state": server.task,
        "OS-EXT-STS:vm_state": _VM_STATES.get(server.status, "active"),
        "OS-EXT-STS:power_state": 1 if server.launched and server.deleted is None else 0,
        "os-extended-volumes:volumes_attached": _volumes(server, version),
    }
    return {**shown, **_at_times(server), **_since(server, version)}


def _at_times(server: ServerThing) -> dict[str, Any]:
    """What is shown in some states only."""
    shown: dict[str, Any] = {}
    if server.status in ("ACTIVE", "BUILD", "RESIZE", "VERIFY_RESIZE", "REBOOT"):
        shown["progress"] = 0
    if server.status in ("ERROR", "DELETED") and server.fault is not None:
        shown["fault"] = {
            "code": 500,
            "created": stamp(server.updated),
            "message": server.fault,
        }
    return shown


def _since(server: ServerThing, version: Version) -> dict[str, Any]:
    """What later microversions added."""
    added: list[tuple[Version, str, Any]] = [
        # Nova: to administrators only
        ((2, 3), "OS-EXT-SRV-ATTR:user_data", encoded(server.user_data)),
        ((2, 9), "locked", False),
        ((2, 19), "description", None),
        ((2, 26), "tags", list(server.tags)),
    ]
    return {name: value for first, name, value in added if version >= first}


def flavor_detail(flavor: Flavor, root: str, version: Version) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "vcpus": flavor.vcpus,
        "swap": 0 if version >= (2, 75) else "",
        "rxtx_factor": 1.0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "links": links(root, "flavors", flavor.id),
    }
    if version >= (2, 55):
        shown["description"] = None
    if version >= (2, 61):
        shown["extra_specs"] = {}
    return shown


def action(server: ServerThing, done: Action, version: Version) -> dict[str, Any]:
    """One line of os-instance-actions."""
    shown = {
        "action": done.name,
        "instance_uuid": server.id,
        "request_id": done.request_id,
        "user_id": "9145026082a84228bc5c422f9b0eb120",
        "project_id": server.project,
        "start_time": stamp(done.started, "%Y-%m-%dT%H:%M:%S.000000"),
        "message": done.message,
    }
    if version >= (2, 58):
        shown["updated_at"] = shown["start_time"]
    return shown


def attachment(server: ServerThing, volume: str, version: Version) -> dict[str, Any]:
    """One line of os-volume_attachments; the attachment's id is the volume's, below 2.89."""
    place = server.volumes.index(volume)
    shown: dict[str, Any] = {
        "volumeId": volume,
        "serverId": server.id,
        "device": f"/dev/sd{chr(ord('b') + place)}",
    }
    if version < (2, 89):
        shown["id"] = volume
    if version >= (2, 70):
        shown["tag"] = None
    if version >= (2, 79):
        shown["delete_on_termination"] = volume in server.delete_with
    return shown


def _flavor(core: Core, flavor_id: str, root: str, version: Version) -> dict[str, Any]:
    """The id below 2.47; from there on what the flavor is, with its name but without its id."""
    if version < (2, 47):
        own = {"rel": "bookmark", "href": f"{root}/compute/flavors/{flavor_id}"}
        return {"id": flavor_id, "links": [own]}
    flavor = next(one for one in core.catalogue.flavors if one.id == flavor_id)
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": 0,
        "swap": 0,
        "original_name": flavor.name,
        "extra_specs": {},
    }


def _image(server: ServerThing, root: str) -> dict[str, Any] | str:
    if not server.image:
        return ""
    own = {"rel": "bookmark", "href": f"{root}/compute/images/{server.image}"}
    return {"id": server.image, "links": [own]}


def _addresses(core: Core, server: ServerThing) -> dict[str, list[dict[str, Any]]]:
    names = {network.id: network.name for network in core.catalogue.networks}
    found: dict[str, list[dict[str, Any]]] = {}
    for port_id in server.ports:
        port = core.ports.get(port_id)
        if port is not None and port.device == server.id:
            found.setdefault(names[port.network], []).append(
                {
                    "version": 4,
                    "addr": port.address,
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": port.mac,
                }
            )
    return found


def _volumes(server: ServerThing, version: Version) -> list[dict[str, Any]]:
    if version < (2, 3):
        return [{"id": volume} for volume in server.volumes]
    return [
        {"id": volume, "delete_on_termination": volume in server.delete_with}
        for volume in server.volumes
    ]
