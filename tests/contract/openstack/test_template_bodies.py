"""What NATIVES sends and what the template says are the same things, so that whoever looks for an
instance finds it, whichever manager made it."""

from base64 import b64encode
from typing import Any

import pytest
from msgspec.structs import replace

from handlers.clouds.openstack import OpenStackCloud
from handlers.commands import Body, Command, CreateInstance, CreateSecurityGroup
from handlers.instance import Scope
from handlers.natives import Natives
from handlers.operation import Operation
from handlers.parts import DataVolume, Network
from handlers.resources import Absent
from handlers.secret import Secret
from handlers.steps.ensure import Ensure
from handlers.template import Document, document_of, name_of
from tests.contract.openstack.scripted import Script, answer

SUBJECT = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"

LEAST = CreateInstance(
    project="p", name="db", flavor="small", image="debian", networks=(Network(network="net"),)
)
MOST = replace(
    LEAST,
    networks=(
        Network(network="mgmt", role="management", security_groups=("g1",)),
        Network(network="net", subnet="sub", ip_address="192.0.2.5", security_groups=("g2", "g3")),
        Network(network="plain", role="management"),
    ),
    volume=DataVolume(size=5, type="ssd", zone="az1"),
    zone="az2",
    user_data=Secret("#cloud-config €\n"),
    metadata={"color": "blue", "trove_role": "not for you to say"},
    tags=("orders", "blue"),
    key_name="operators",
    config_drive=True,
)
BODIES = {
    "least": LEAST,
    "most": MOST,
    "volume": replace(LEAST, volume=DataVolume(size=1)),
    "group": CreateSecurityGroup(project="p", name="reporting", description="read-only"),
    "group without text": CreateSecurityGroup(project="p", name="reporting"),
}


@pytest.mark.parametrize("name", BODIES)
def test_both_managers_make_the_same(script: Script, cloud: OpenStackCloud, name: str) -> None:
    body = BODIES[name]
    document = document_of(SUBJECT, body)

    assert document is not None
    assert heat_sends(document) == natives_send(script, cloud, body)


def test_no_value_can_drift_unnoticed() -> None:
    document = document_of(SUBJECT, MOST)

    assert document is not None
    sent = heat_sends(document)
    for name in document.parameters:
        other = replace(document, parameters={**document.parameters, name: "other"})
        assert heat_sends(other) != sent, name


def natives_send(script: Script, cloud: OpenStackCloud, body: Body) -> dict[str, Any]:
    """The body of each POST by step key, where the id of a thing is its name in the template."""
    command = Command(id="c1", subject=SUBJECT, source="test", body=body)
    op = Operation(command=command, scope=Scope("cloud", "region", "p"), accepted=1)
    sent = {}
    for step in Natives().plan(command, None):
        if isinstance(step, Ensure):
            made = {"id": name_of(step.key), "name": "", "network_id": ""}
            script.then(answer(202, {step.kind: made}))
            step.act(op, Absent(1), cloud)
            op = op.learn(step.key, {"id": made["id"]}, 1)
            sent[step.key] = script.sent[-1].json[step.kind]
    return {name_of(key): value for key, value in sent.items()}


def heat_sends(document: Document) -> dict[str, Any]:
    """The body of each POST that Heat 27 makes of the template, by the resource's name in it."""
    return {
        name: MAKERS[each["type"]](said(each["properties"], document.parameters))
        for name, each in document.template["resources"].items()
    }


def said(value: Any, parameters: Any) -> Any:
    """A property as Heat resolves it; the id of a resource is its name."""
    if isinstance(value, list):
        return [said(each, parameters) for each in value]
    if not isinstance(value, dict):
        return value
    if "get_param" in value:
        return parameters[value["get_param"]]
    if "get_resource" in value:
        return value["get_resource"]
    return {key: said(each, parameters) for key, each in value.items()}


def group(properties: dict[str, Any]) -> dict[str, Any]:
    """SecurityGroup.handle_create: as it is."""
    return properties


def port(properties: dict[str, Any]) -> dict[str, Any]:
    """Port.handle_create: networks and subnets by id; what value_specs holds goes in beside."""
    body = {**properties, **properties.pop("value_specs")}
    del body["value_specs"]
    body["network_id"] = body.pop("network")
    if "fixed_ips" in body:
        fixed = body["fixed_ips"]
        body["fixed_ips"] = [
            {"subnet_id" if key == "subnet" else key: each[key] for key in each} for each in fixed
        ]
    return body


def volume(properties: dict[str, Any]) -> dict[str, Any]:
    """CinderVolume.handle_create: as it is."""
    return properties


def server(properties: dict[str, Any]) -> dict[str, Any]:
    """Server.handle_create, and what novaclient makes of it: the image becomes the first disk where
    there is another one, user data are encoded."""
    body = dict(properties)
    assert body.pop("user_data_format") == "RAW"
    assert body.pop("user_data_update_policy") == "IGNORE"
    body["flavorRef"], body["imageRef"] = body.pop("flavor"), body.pop("image")
    if "user_data" in body:
        body["user_data"] = b64encode(body["user_data"].encode()).decode()
    if "block_device_mapping_v2" in body:
        image = {
            "uuid": body["imageRef"],
            "source_type": "image",
            "destination_type": "local",
            "boot_index": 0,
            "delete_on_termination": True,
        }
        body["block_device_mapping_v2"] = [image, *map(disk, body["block_device_mapping_v2"])]
    return body


def disk(mapping: dict[str, Any]) -> dict[str, Any]:
    """One volume of _build_block_device_mapping_v2, with the defaults that it lays under."""
    default = {"boot_index": 0, "delete_on_termination": False}
    given = {key: mapping[key] for key in mapping if key != "volume_id"}
    kind = {"source_type": "volume", "destination_type": "volume"}
    return {"uuid": mapping["volume_id"], **kind, **default, **given}


MAKERS = {
    "OS::Neutron::SecurityGroup": group,
    "OS::Neutron::Port": port,
    "OS::Cinder::Volume": volume,
    "OS::Nova::Server": server,
}
