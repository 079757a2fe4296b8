"""A stack of one instance, as an outsider would write it."""

from typing import Any

from tests.support.small_cloud import SUBJECT

NAME = f"trove-{SUBJECT}"
TAGS = f"trove_instance_id_{SUBJECT},trove_write_1"


def template(network: str) -> dict[str, Any]:
    """Group, port, volume, server; the ids and the port's addresses are outputs."""
    return {
        "heat_template_version": "2021-04-16",
        "description": "one instance",
        "parameters": {
            "name": {"type": "string"},
            "flavor": {"type": "string", "default": "db.small"},
            "size": {"type": "number"},
            "secret": {"type": "string", "hidden": True},
            "tags": {"type": "json"},
            "nets": {"type": "comma_delimited_list", "default": ["a", "b"]},
            "yes": {"type": "boolean", "default": True},
        },
        "resources": {
            "group": {
                "type": "OS::Neutron::SecurityGroup",
                "properties": {"name": {"get_param": "name"}},
            },
            "port": {
                "type": "OS::Neutron::Port",
                "properties": {
                    "name": {"get_param": "name"},
                    "network": network,
                    "security_groups": [{"get_resource": "group"}],
                },
            },
            "volume": {
                "type": "OS::Cinder::Volume",
                "properties": {"name": {"get_param": "name"}, "size": {"get_param": "size"}},
            },
            "server": {
                "type": "OS::Nova::Server",
                "properties": {
                    "name": {"get_param": "name"},
                    "flavor": {"get_param": "flavor"},
                    "image": "db-image",
                    "networks": [{"port": {"get_resource": "port"}}],
                    "block_device_mapping_v2": [
                        {
                            "volume_id": {"get_resource": "volume"},
                            "boot_index": -1,
                            "delete_on_termination": False,
                        }
                    ],
                    "tags": {"get_param": "tags"},
                    "user_data": {"get_param": "secret"},
                    "user_data_format": "RAW",
                    "user_data_update_policy": "IGNORE",
                },
            },
        },
        "outputs": {
            "server": {"description": "the server", "value": {"get_resource": "server"}},
            "addresses": {"value": {"get_attr": ["port", "fixed_ips"]}},
        },
    }


def order(network: str, **more: Any) -> dict[str, Any]:
    """The body of a POST."""
    return {
        "stack_name": NAME,
        "template": template(network),
        "environment": {
            "resource_registry": {"resources": {"server": {"restricted_actions": "replace"}}}
        },
        "parameters": {"name": NAME, "size": 1, "secret": "xyzzy", "tags": ["red"]},
        "tags": TAGS,
        "timeout_mins": 10,
        "disable_rollback": True,
        **more,
    }
