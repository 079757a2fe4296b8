"""The HOT template: its shape follows the command, its values never do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handlers.commands import CreateInstance, CreateSecurityGroup
from handlers.parts import DataVolume, Network
from handlers.secret import Secret
from handlers.template import (
    FLAVOR,
    VOLUME_SIZE,
    Document,
    document_of,
    group_document,
    instance_document,
    told_addresses,
    told_ids,
)

SUBJECT = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"
LEAST = CreateInstance(
    project="p", name="db", flavor="small", image="debian", networks=(Network(network="net"),)
)
MOST = replace(
    LEAST,
    networks=(
        Network(network="mgmt", role="management"),
        Network(network="net", subnet="sub", ip_address="192.0.2.5", security_groups=("g1", "g2")),
        Network(network="other"),
    ),
    volume=DataVolume(size=5, type="ssd", zone="az1"),
    zone="az2",
    user_data=Secret("#cloud-config\n"),
    metadata={"color": "blue"},
    tags=("orders",),
    key_name="operators",
    config_drive=True,
)
GROUP = CreateSecurityGroup(project="p", name="reporting", description="read-only clients")

#: What a template may say without a parameter.
FIXED = ("RAW", "IGNORE", False, -1)


def one(body: CreateInstance, resource: str) -> dict[str, Any]:
    """The properties of a resource in the body's template."""
    resources = instance_document(SUBJECT, body).template["resources"]
    properties: dict[str, Any] = resources[resource]["properties"]
    return properties


def documents() -> list[Document]:
    return [
        instance_document(SUBJECT, LEAST),
        instance_document(SUBJECT, MOST),
        group_document(SUBJECT, GROUP),
    ]


def param(name: str) -> dict[str, str]:
    return {"get_param": name}


def resource(name: str) -> dict[str, str]:
    return {"get_resource": name}


@pytest.mark.parametrize(
    ("networks", "volume", "expected"),
    [
        (["user"], None, ["security-group", "port_user-0", "server"]),
        (["user"], 5, ["security-group", "port_user-0", "volume_data", "server"]),
        (
            ["management", "user"],
            5,
            ["security-group", "port_management-0", "port_user-0", "volume_data", "server"],
        ),
        (
            ["user", "management", "user"],
            None,
            ["security-group", "port_user-0", "port_management-0", "port_user-1", "server"],
        ),
        (["management"], None, ["security-group", "port_management-0", "server"]),
    ],
)
def test_a_template_has_what_the_command_names(
    networks: list[str], volume: int | None, expected: list[str]
) -> None:
    body = replace(
        LEAST,
        networks=tuple(Network(network="net", role=role) for role in networks),
        volume=DataVolume(size=volume) if volume else None,
    )

    template = instance_document(SUBJECT, body).template

    assert list(template["resources"]) == expected
    assert template["resources"]["server"]["properties"]["networks"] == [
        {"port": resource(name)} for name in expected if name.startswith("port_")
    ]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (Network(network="n"), {"security_groups": [resource("security-group")]}),
        (Network(network="n", role="management"), {}),
        (
            Network(network="n", security_groups=("g1", "g2")),
            {
                "security_groups": [
                    resource("security-group"),
                    param("port_user-0_group_0"),
                    param("port_user-0_group_1"),
                ]
            },
        ),
        (
            Network(network="n", role="management", security_groups=("g1",)),
            {"security_groups": [param("port_management-0_group_0")]},
        ),
        (
            Network(network="n", role="management", subnet="s"),
            {"fixed_ips": [{"subnet": param("port_management-0_subnet")}]},
        ),
        (
            Network(network="n", role="management", ip_address="192.0.2.5"),
            {"fixed_ips": [{"ip_address": param("port_management-0_ip_address")}]},
        ),
    ],
)
def test_a_port_is_as_its_network_says(network: Network, expected: dict[str, Any]) -> None:
    port = one(replace(LEAST, networks=(network,)), f"port_{network.role}-0")

    assert {key: port[key] for key in port if key in ("security_groups", "fixed_ips")} == expected
    assert port["network"] == param(f"port_{network.role}-0_network")


@pytest.mark.parametrize(
    ("change", "resource_name", "name", "expected"),
    [
        ({"zone": "az"}, "server", "availability_zone", param("server_zone")),
        ({"key_name": "k"}, "server", "key_name", param("key_name")),
        ({"user_data": Secret("x")}, "server", "user_data", param("user_data")),
        (
            {"volume": DataVolume(size=1, type="ssd")},
            "volume_data",
            "volume_type",
            param("volume_type"),
        ),
        (
            {"volume": DataVolume(size=1, zone="az")},
            "volume_data",
            "availability_zone",
            param("volume_zone"),
        ),
    ],
)
def test_what_is_not_given_is_not_in_the_template(
    change: dict[str, Any], resource_name: str, name: str, expected: dict[str, str]
) -> None:
    without = replace(LEAST, volume=DataVolume(size=1))

    assert name not in one(without, resource_name)
    assert one(replace(without, **change), resource_name)[name] == expected


def test_the_volume_is_attached_by_the_server_and_survives_it() -> None:
    assert one(MOST, "server")["block_device_mapping_v2"] == [
        {"volume_id": resource("volume_data"), "boot_index": -1, "delete_on_termination": False}
    ]
    assert "block_device_mapping_v2" not in one(LEAST, "server")


def test_only_the_data_volume_is_retained() -> None:
    resources = instance_document(SUBJECT, MOST).template["resources"]

    assert {name: each.get("deletion_policy") for name, each in resources.items()} == {
        **dict.fromkeys(resources),
        "volume_data": "Retain",
    }


@pytest.mark.parametrize("document", documents(), ids=["least", "most", "group"])
def test_no_resource_is_ever_replaced(document: Document) -> None:
    assert document.environment == {
        "resource_registry": {
            "resources": {
                name: {"restricted_actions": "replace"} for name in document.template["resources"]
            }
        }
    }


def test_a_change_of_user_data_does_not_replace_the_server() -> None:
    server = one(MOST, "server")

    assert (server["user_data_format"], server["user_data_update_policy"]) == ("RAW", "IGNORE")


def test_only_user_data_are_hidden() -> None:
    schema = instance_document(SUBJECT, MOST).template["parameters"]

    assert [name for name, each in schema.items() if each.get("hidden")] == ["user_data"]


def test_the_group_has_no_rules_of_heat() -> None:
    assert set(one(MOST, "security-group")) == {"name", "description"}


@pytest.mark.parametrize("document", documents(), ids=["least", "most", "group"])
def test_no_parameter_is_called_like_a_resource(document: Document) -> None:
    """Heat refuses that as a duplicate name."""
    assert not set(document.template["parameters"]) & set(document.template["resources"])


@pytest.mark.parametrize("document", documents(), ids=["least", "most", "group"])
def test_every_parameter_has_a_value_and_is_used(document: Document) -> None:
    used = {leaf for key, leaf in leaves(document.template["resources"]) if key == "get_param"}

    assert set(document.template["parameters"]) == set(document.parameters) == used


@pytest.mark.parametrize(
    ("body", "expected"), [(LEAST, {FLAVOR}), (MOST, {FLAVOR, VOLUME_SIZE}), (GROUP, set())]
)
def test_what_an_update_changes_are_parameters(
    body: CreateInstance | CreateSecurityGroup, expected: set[str]
) -> None:
    document = document_of(SUBJECT, body)

    assert document is not None
    assert {FLAVOR, VOLUME_SIZE} & set(document.parameters) == expected


@pytest.mark.parametrize("document", documents(), ids=["least", "most", "group"])
def test_nothing_but_parameters_and_references_stands_in_a_template(document: Document) -> None:
    told = [
        (key, leaf)
        for resource in document.template["resources"].values()
        for key, leaf in leaves(resource["properties"])
    ]

    assert [leaf for key, leaf in told if not key.startswith("get_") and leaf not in FIXED] == []


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value in a tree, with the key that it stands under."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each, key)
    else:
        yield key, value


# -- values stay values ---------------------------------------------------------------------------

NASTY = (
    "{get_param: user_data}",
    "{get_file: /etc/passwd}",
    '{"get_resource": "server"}',
    "!!python/object/apply:os.system [id]",
    "*alias",
    "&anchor x",
    "- a\n- b",
    "a: b\nresources: {}",
    "---\nx",
    "%TAG ! tag:x",
    "yes",
    "0123",
    "2017-02-24",
    "~",
    "${x} $x %index% {{ x }}",
    "größe \N{SNOWMAN} \x85 '\"",
)


@pytest.mark.parametrize("text", NASTY)
def test_what_looks_like_yaml_or_hot_stays_a_value(text: str) -> None:
    body = replace(MOST, name=text, zone=text, key_name=text, metadata={text: text}, tags=(text,))
    plain = instance_document(SUBJECT, replace(MOST, metadata={"a": "b"}))

    document = instance_document(SUBJECT, body)
    template, environment = yaml.safe_load_all(document.shown())

    assert document.template == plain.template
    assert (template, environment["parameters"]["server_name"]) == (plain.template, text)
    assert environment["parameters"]["server_metadata"][text] == text
    assert text in environment["parameters"]["server_tags"]


TEXTS = st.text(min_size=1, max_size=40)
NETWORKS = st.builds(
    Network,
    network=TEXTS,
    subnet=TEXTS,
    ip_address=TEXTS,
    security_groups=st.tuples(TEXTS, TEXTS),
)
BODIES = st.builds(
    CreateInstance,
    project=TEXTS,
    name=TEXTS,
    flavor=TEXTS,
    image=TEXTS,
    networks=st.tuples(NETWORKS),
    volume=st.builds(DataVolume, size=st.integers(1, 99), type=TEXTS, zone=TEXTS),
    zone=TEXTS,
    user_data=st.builds(Secret, TEXTS),
    metadata=st.dictionaries(TEXTS, TEXTS),
    tags=st.lists(TEXTS).map(tuple),
    key_name=TEXTS,
    config_drive=st.booleans(),
)


@settings(deadline=None)
@given(BODIES, BODIES)
def test_commands_of_one_shape_have_one_template(
    first: CreateInstance, other: CreateInstance
) -> None:
    one, another = (instance_document(SUBJECT, body) for body in (first, other))

    assert json.dumps(one.template) == json.dumps(another.template)
    assert one.environment == another.environment


@settings(deadline=None)
@given(BODIES)
def test_whatever_is_shown_reads_back_as_it_was(body: CreateInstance) -> None:
    document = instance_document(SUBJECT, body)

    template, environment = yaml.safe_load_all(document.shown())

    assert template == document.template
    assert environment["parameters"] == {**document.parameters, "user_data": "********"}


# -- what outputs tell ----------------------------------------------------------------------------


def test_outputs_tell_every_id_and_the_addresses_of_ports() -> None:
    outputs = instance_document(SUBJECT, MOST).template["outputs"]

    names = {"security-group", "server", "volume_data"}
    ports = {"port_management-0", "port_user-0", "port_user-1"}
    assert outputs == {
        **{name: {"value": resource(name)} for name in names | ports},
        **{f"{n}-addresses": {"value": {"get_attr": [n, "fixed_ips"]}} for n in ports},
    }


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (
            {"server": "s1", "volume_data": "v1", "port_user-0": "p1"},
            {"server": "s1", "volume/data": "v1"},
        ),
        ({"server": "s1", "volume_data": None}, {"server": "s1"}),
        ({"server": "", "volume_data": "v1"}, {"volume/data": "v1"}),
        ({"server": "server", "volume_data": "volume_data"}, {}),  # not made
        ({}, {}),
    ],
)
def test_ids_are_read_by_step_key(outputs: dict[str, Any], expected: dict[str, str]) -> None:
    assert told_ids(outputs, ("server", "volume/data")) == expected


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"port_user-0-addresses": [{"ip_address": "192.0.2.1", "subnet_id": "s"}]}, ["192.0.2.1"]),
        (
            {
                "port_user-0-addresses": [{"ip_address": "192.0.2.1"}, {"ip_address": "fd00::1"}],
                "port_user-1-addresses": [{"ip_address": "192.0.2.2"}],
            },
            ["192.0.2.1", "fd00::1", "192.0.2.2"],
        ),
        ({"port_user-0-addresses": None}, []),
        ({}, []),
    ],
)
def test_addresses_are_those_of_the_ports(outputs: dict[str, Any], expected: list[str]) -> None:
    assert told_addresses(outputs, ("server", "port/user-0", "port/user-1")) == expected
