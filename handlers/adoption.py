"""What handing over a live instance rests on: what its resources are like, and the documents of a
stack that is made of them.

An adopted stack has the shape of one that ORCHESTRATOR makes (template.py), so that every later
command finds the names and parameters that it knows. Its values are those of the live resources.
What an update could only change by a replacement, and what Heat would want to look up in a project
that may not have it any more (key pair, zone, user data), is left out of it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from handlers.instance import Instance, Ref
from handlers.keys import GROUP, VOLUME
from handlers.operation import Facts, Operation
from handlers.resources import Kind, Port, Resource, Server, Volume
from handlers.template import FLAVOR, VOLUME_SIZE, Document, Draft, name_of

_RETAIN = "Retain"
_OBSERVED = "observe/"


def observed_key(key: str) -> str:
    """The key of the step that observes the resource with this key."""
    return _OBSERVED + key


def members_of(basis: Instance | None) -> dict[str, Ref]:
    """What belongs into the stack of an instance, by key: everything recorded but the stack."""
    refs = basis.resources.items() if basis else ()
    return {key: ref for key, ref in refs if ref.kind is not Kind.STACK and ref.id}


def signature(resource: Resource) -> dict[str, Any]:
    """What may not differ before and after the instance changes hands, in JSON's own types."""
    match resource:
        case Server():
            return {
                "launched": resource.launched,
                "flavor": resource.flavor,
                "volumes": sorted(resource.volumes),
            }
        case Volume():
            return {"size": resource.size, "servers": sorted(resource.servers)}
        case Port():
            return {"device": resource.device, "addresses": sorted(resource.addresses)}
        case _:
            return {}


def description_of(resource: Resource) -> Facts:
    """What the template of an adopted stack says of a resource."""
    details: Facts = {**(resource.details or {}), "name": resource.name}  # type: ignore[union-attr]
    if isinstance(resource, Server):
        return {**details, "flavor": resource.flavor}
    if isinstance(resource, Volume):
        return {**details, "size": resource.size}
    if isinstance(resource, Port):
        return {**details, "groups": list(resource.groups)}
    return details


def adopted_document(op: Operation) -> Document:
    """The stack of what was observed: everything retained, nothing replaceable."""
    draft = Draft()
    members = members_of(op.basis)
    for key in members:
        facts: Facts = op.fact(observed_key(key), "like", {})
        _ADD[key.partition("/")[0]](draft, key, facts, members)
    return draft.document()


def adopted_members(basis: Instance | None) -> dict[str, str]:
    """The cloud ids of an instance's resources by their names in the template."""
    return {name_of(key): ref.id for key, ref in members_of(basis).items()}


def retaining(template: Mapping[str, Any], names: Collection[str] | None = None) -> dict[str, Any]:
    """The template with `deletion_policy: Retain` on these resources only; on all for None."""
    resources = {}
    for name, given in (template.get("resources") or {}).items():
        one = {part: value for part, value in given.items() if part != "deletion_policy"}
        if names is None or name in names:
            one["deletion_policy"] = _RETAIN
        resources[name] = one
    return {**template, "resources": resources}


def retains_all(template: Mapping[str, Any]) -> bool:
    """Whether nothing of the stack is deleted with it."""
    resources: Mapping[str, Any] = template.get("resources") or {}
    return all(one.get("deletion_policy") == _RETAIN for one in resources.values())


def resolved(template: Any, members: Mapping[str, str]) -> Any:
    """The template with cloud ids where it names its own resources: Heat's preview cannot look
    them up, and takes each such reference for a change (measured on Heat 27)."""
    if isinstance(template, Mapping):
        if template.keys() == {"get_resource"}:
            return members.get(template["get_resource"], template)
        return {key: resolved(value, members) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [resolved(each, members) for each in template]
    return template


# -- the resources --------------------------------------------------------------------------------


def _add_group(draft: Draft, key: str, like: Facts, members: Mapping[str, Ref]) -> None:
    properties = {"name": draft.value("group_name", like["name"])}
    if like.get("description"):
        properties["description"] = draft.value("group_description", like["description"])
    draft.add(key, "OS::Neutron::SecurityGroup", properties, deletion_policy=_RETAIN)


def _add_port(draft: Draft, key: str, like: Facts, members: Mapping[str, Ref]) -> None:
    name = name_of(key)
    own = members[GROUP].id if GROUP in members else None
    groups: list[Any] = []
    for number, group in enumerate(like.get("groups", ())):
        given = draft.value(f"{name}_group_{number}", group) if group != own else None
        groups.append(given or {"get_resource": name_of(GROUP)})
    properties: dict[str, Any] = {
        "name": draft.value(f"{name}_name", like["name"]),
        "network": draft.value(f"{name}_network", like["network"]),
        "fixed_ips": [
            {"subnet": each["subnet_id"], "ip_address": each["ip_address"]}
            for each in like.get("fixed_ips", ())
        ],
        "security_groups": groups,
    }
    if like.get("description"):
        text = draft.value(f"{name}_description", like["description"])
        properties["value_specs"] = {"description": text}
    kept = {part: value for part, value in properties.items() if value != []}
    draft.add(key, "OS::Neutron::Port", kept, deletion_policy=_RETAIN)
    draft.tell_addresses(key)


def _add_volume(draft: Draft, key: str, like: Facts, members: Mapping[str, Ref]) -> None:
    properties = {
        "name": draft.value("volume_name", like["name"]),
        "size": draft.value(VOLUME_SIZE, like["size"], kind="number"),
        "metadata": draft.value("volume_metadata", like.get("metadata") or {}, kind="json"),
        **draft.given("volume_type", volume_type=like.get("type")),
    }
    draft.add(key, "OS::Cinder::Volume", properties, deletion_policy=_RETAIN)


def _add_server(draft: Draft, key: str, like: Facts, members: Mapping[str, Ref]) -> None:
    ports = [name_of(each) for each, ref in members.items() if ref.kind is Kind.PORT]
    properties: dict[str, Any] = {
        "name": draft.value("server_name", like["name"]),
        "flavor": draft.value(FLAVOR, like["flavor"]),
        "image": draft.value("image", like["image"]),
        "networks": [{"port": {"get_resource": port}} for port in ports],
        "metadata": draft.value("server_metadata", like.get("metadata") or {}, kind="json"),
        "tags": draft.value("server_tags", like.get("tags") or [], kind="json"),
        "config_drive": draft.value("config_drive", bool(like.get("config_drive")), kind="boolean"),
        "user_data_format": "RAW",
        "user_data_update_policy": "IGNORE",
    }
    if VOLUME in members:
        properties["block_device_mapping_v2"] = [
            {
                "volume_id": {"get_resource": name_of(VOLUME)},
                "boot_index": -1,
                "delete_on_termination": False,
            }
        ]
    kept = {part: value for part, value in properties.items() if value != []}
    draft.add(key, "OS::Nova::Server", kept, deletion_policy=_RETAIN)


_ADD = {"server": _add_server, "volume": _add_volume, "port": _add_port, GROUP: _add_group}
