"""The HOT template of a stack, built as data: what one instance is made of, in Heat's words.

A template's shape follows the command (which ports, whether there is a volume); every value of the
publisher is a parameter, and what is secret is hidden. Three belts are in each (docs/adr/0014):

* the data volume is retained for ever: our delete removes it after the stack;
* `restricted_actions: replace` on every resource: an update that would replace one fails instead;
* user data never replace a server (`user_data_update_policy: IGNORE`).

The security group has no `rules`: Heat would delete before it adds. They are made on the stack's
group by Neutron's own bulk call. Names, tags, metadata and descriptions are those that NATIVES
gives, so that whoever looks for the subject finds the same things.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from handlers import identity
from handlers.commands import Body, CreateInstance, CreateSecurityGroup
from handlers.instance import Instance
from handlers.keys import GROUP, SERVER, VOLUME, port_keys
from handlers.parts import DataVolume, Network

#: Ocata's: the oldest in which a server has tags.
HOT = "2017-02-24"

#: The parameters that an update may change.
FLAVOR, VOLUME_SIZE = "flavor", "volume_size"

#: What `Document.shown` can be asked for.
PARTS = ("template", "environment")

_ADDRESSES = "-addresses"
_MASK = "********"


class Document(msgspec.Struct, frozen=True):
    """A template with its environment and the values of its parameters."""

    template: Mapping[str, Any]
    environment: Mapping[str, Any]
    parameters: Mapping[str, Any]

    def shown(self, only: str = "") -> str:
        """As YAML, in the form in which Heat's own client takes the files: both of PARTS, or the
        one that is named. Hidden values are masked."""
        schema = self.template["parameters"]
        values = {
            name: _MASK if schema[name].get("hidden") else value
            for name, value in self.parameters.items()
        }
        parts = {
            "template": self.template,
            "environment": {**self.environment, "parameters": values},
        }
        shown = [parts[only]] if only else parts.values()
        return str(yaml.safe_dump_all(shown, sort_keys=False, width=100))


def document_of(subject: str, body: Body) -> Document | None:
    """The stack that a command makes; None for one that makes none."""
    if isinstance(body, CreateInstance):
        return instance_document(subject, body)
    return group_document(subject, body) if isinstance(body, CreateSecurityGroup) else None


def instance_document(subject: str, body: CreateInstance) -> Document:
    """Group, ports, volume and server of an instance."""
    draft = Draft()
    _add_group(draft, subject, body.name)
    ports = port_keys(body.networks)
    for key, network in zip(ports, body.networks, strict=True):
        _add_port(draft, subject, key, network)
    if body.volume:
        _add_volume(draft, subject, body.volume)
    _add_server(draft, subject, body, ports)
    return draft.document()


def group_document(subject: str, body: CreateSecurityGroup) -> Document:
    """A security group of its own."""
    draft = Draft()
    _add_group(draft, subject, f"{body.name} {body.description}".strip())
    return draft.document()


def values_of(basis: Instance | None) -> dict[str, Any]:
    """Every parameter that an update may change, as recorded."""
    if basis is None:
        return {}
    values: dict[str, Any] = {FLAVOR: basis.flavor} if SERVER in basis.resources else {}
    return {**values, VOLUME_SIZE: basis.volume_size} if VOLUME in basis.resources else values


def name_of(key: str) -> str:
    """What the resource with a step's key is called in the template."""
    return key.replace("/", "_")


def told_ids(outputs: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """The cloud ids of the resources with these step keys, as a stack's outputs tell them. Of what
    was never made Heat tells nothing, or the resource's name (measured on Heat 27)."""
    found = {key: outputs.get(name_of(key)) for key in keys}
    return {key: str(one) for key, one in found.items() if one and one != name_of(key)}


def told_addresses(outputs: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """The fixed addresses of the ports among the keys."""
    fixed = (outputs.get(name_of(key) + _ADDRESSES) or () for key in keys)
    return [each["ip_address"] for some in fixed for each in some]


# -- the resources --------------------------------------------------------------------------------


def _add_group(draft: "Draft", subject: str, text: str) -> None:
    draft.add(
        GROUP,
        "OS::Neutron::SecurityGroup",
        {
            "name": draft.value("group_name", identity.group_name(subject)),
            "description": draft.value("group_description", identity.description(GROUP, text)),
        },
    )


def _add_port(draft: "Draft", subject: str, key: str, network: Network) -> None:
    name = name_of(key)
    fixed = {
        each: draft.value(f"{name}_{each}", value)
        for each, value in (("subnet", network.subnet), ("ip_address", network.ip_address))
        if value is not None
    }
    groups = [{"get_resource": GROUP}] if network.role == "user" else []
    for number, group in enumerate(network.security_groups):
        groups.append(draft.value(f"{name}_group_{number}", group))
    description = identity.description(key)
    draft.add(
        key,
        "OS::Neutron::Port",
        {
            "name": draft.value("name", identity.resource_name(subject)),
            "network": draft.value(f"{name}_network", network.network),
            "value_specs": {"description": draft.value(f"{name}_description", description)},
            **({"fixed_ips": [fixed]} if fixed else {}),
            **({"security_groups": groups} if groups else {}),
        },
    )
    draft.tell_addresses(key)


def _add_volume(draft: "Draft", subject: str, volume: DataVolume) -> None:
    draft.add(
        VOLUME,
        "OS::Cinder::Volume",
        {
            "name": draft.value("name", identity.resource_name(subject)),
            "size": draft.value(VOLUME_SIZE, volume.size, kind="number"),
            "metadata": draft.value(
                "volume_metadata", identity.metadata(subject, VOLUME), kind="json"
            ),
            **draft.given("volume_type", volume_type=volume.type),
            **draft.given("availability_zone", volume_zone=volume.zone),
        },
        deletion_policy="Retain",
    )


def _add_server(draft: "Draft", subject: str, body: CreateInstance, ports: tuple[str, ...]) -> None:
    tags = sorted({*body.tags, identity.server_tag(subject)})
    metadata = {**body.metadata, **identity.metadata(subject, SERVER)}
    properties: dict[str, Any] = {
        "name": draft.value("server_name", body.name),
        "flavor": draft.value(FLAVOR, body.flavor),
        "image": draft.value("image", body.image),
        "networks": [{"port": {"get_resource": name_of(key)}} for key in ports],
        "metadata": draft.value("server_metadata", metadata, kind="json"),
        "tags": draft.value("server_tags", tags, kind="json"),
        "config_drive": draft.value("config_drive", body.config_drive, kind="boolean"),
        "user_data_format": "RAW",
        "user_data_update_policy": "IGNORE",
        **draft.given("availability_zone", server_zone=body.zone),
        **draft.given("key_name", key_name=body.key_name),
    }
    if body.volume:
        volume = {"get_resource": name_of(VOLUME)}
        properties["block_device_mapping_v2"] = [
            {"volume_id": volume, "boot_index": -1, "delete_on_termination": False}
        ]
    if body.user_data is not None:
        properties["user_data"] = draft.value("user_data", body.user_data.reveal(), hidden=True)
    draft.add(SERVER, "OS::Nova::Server", properties)


class Draft:
    """A document in the making."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self._schema: dict[str, Any] = {}
        self._values: dict[str, Any] = {}

    def add(self, key: str, kind: str, properties: dict[str, Any], **more: str) -> None:
        name = name_of(key)
        self.resources[name] = {"type": kind, **more, "properties": properties}
        self.outputs[name] = {"value": {"get_resource": name}}

    def tell_addresses(self, key: str) -> None:
        """The fixed addresses of a port, as an output."""
        name = name_of(key)
        self.outputs[name + _ADDRESSES] = {"value": {"get_attr": [name, "fixed_ips"]}}

    def value(
        self, name: str, value: Any, kind: str = "string", hidden: bool = False
    ) -> dict[str, str]:
        """A parameter of this name with this value; how a property refers to it."""
        self._schema[name] = {"type": kind, **({"hidden": True} if hidden else {})}
        self._values[name] = value
        return {"get_param": name}

    def given(self, name: str, **values: str | None) -> dict[str, dict[str, str]]:
        """The property `name` by a parameter, when there is a value for it."""
        ((parameter, value),) = values.items()
        return {} if value is None else {name: self.value(parameter, value)}

    def document(self) -> Document:
        template = {
            "heat_template_version": HOT,
            "parameters": self._schema,
            "resources": self.resources,
            "outputs": self.outputs,
        }
        kept = {name: {"restricted_actions": "replace"} for name in self.resources}
        environment = {"resource_registry": {"resources": kept}}
        return Document(template, environment, self._values)
