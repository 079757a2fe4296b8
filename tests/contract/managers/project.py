"""A project of an OpenStack over HTTP, seen by plain calls of openstacksdk, not by our adapter."""

import time
from base64 import b64decode
from typing import Any

from openstack.config import OpenStackConfig
from openstack.connection import Connection

from tests.contract.managers.inventory import (
    Inventory,
    RuleKey,
    SeenGroup,
    SeenPort,
    SeenServer,
    SeenStack,
    SeenVolume,
)

#: flavor.id needs < 2.47, tags >= 2.26.
_READ = "2.46"


#: Service, path and JSON name of more that a manager could make.
MORE = (("compute", "/os-server-groups", "server_groups"),)


class HttpProject:
    """The project of an entry of clouds.yaml; `more` are listings that count as others."""

    def __init__(self, file: str, name: str, more: tuple[tuple[str, str, str], ...] = ()) -> None:
        self._more = more
        config = OpenStackConfig(config_files=[file], load_envvars=False).get_one(cloud=name)
        self.connection = Connection(config=config)
        self.id = str(self.connection.session.get_project_id())
        self._has_heat = bool(self.connection.orchestration.get_endpoint())

    def get(self, service: str, path: str, **more: Any) -> Any:
        answer = getattr(self.connection, service).get(path, **more)
        answer.raise_for_status()
        return answer.json()

    def post(self, service: str, path: str, body: dict[str, Any], **more: Any) -> Any:
        return self._write("POST", service, path, json=body, **more)

    def patch(self, service: str, path: str, body: dict[str, Any]) -> Any:
        return self._write("PATCH", service, path, json=body)

    def delete(self, service: str, path: str) -> None:
        self._write("DELETE", service, path)

    def is_gone(self, service: str, path: str) -> bool:
        """Whether the thing cannot be had any more."""
        return bool(getattr(self.connection, service).get(path).status_code == 404)

    def _write(self, method: str, service: str, path: str, **more: Any) -> Any:
        answer = getattr(self.connection, service).request(path, method, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content.startswith(b"{") else None  # Heat's 202 has text

    def look(self) -> Inventory:
        """Everything in the project but its default security group."""
        servers = self.get("compute", "/servers/detail", microversion=_READ)["servers"]
        volumes = self.get("block_storage", "/volumes/detail")["volumes"]
        mine = f"?project_id={self.id}"
        ports = self.get("network", f"/ports{mine}")["ports"]
        groups = self.get("network", f"/security-groups{mine}")["security_groups"]
        return Inventory(
            servers=tuple(_server(one) for one in servers if one["status"] != "DELETED"),
            volumes=tuple(map(_volume, volumes)),
            ports=tuple(map(_port, ports)),
            groups=tuple(_group(one) for one in groups if one["name"] != "default"),
            stacks=self.stacks() if self._has_heat else (),
            others=tuple(
                one["id"]
                for service, path, key in self._more
                for one in self.get(service, path)[key]
            ),
        )

    def sweep(self, patience: float = 60.0) -> None:
        """Delete until nothing is left; Heat first, for it may still be making things."""
        end = time.monotonic() + patience
        while (there := self.look()).ids and time.monotonic() < end:
            paths = (
                *(("orchestration", f"/stacks/{one.name}/{one.id}") for one in there.stacks),
                *(("compute", f"/servers/{one.id}") for one in there.servers),
                *(("block_storage", f"/volumes/{one.id}") for one in there.volumes),
                *(("network", f"/ports/{one.id}") for one in there.ports),
                *(("network", f"/security-groups/{one.id}") for one in there.groups),
            )
            for service, path in paths:
                getattr(self.connection, service).delete(path)
            time.sleep(0.5)

    def stacks(self) -> tuple[SeenStack, ...]:
        """Without those of other projects: Heat shows an administrator all of them."""
        found = self.get("orchestration", "/stacks")["stacks"]
        return tuple(_stack(one) for one in found if one["project"] == self.id)

    def done_to(self, server: str) -> tuple[str, ...]:
        """The server's instance actions, the oldest first."""
        found = self.get("compute", f"/servers/{server}/os-instance-actions")
        return tuple(reversed([each["action"] for each in found["instanceActions"]]))

    def rules(self, group: str) -> dict[RuleKey, str]:
        found = self.get("network", f"/security-groups/{group}")["security_group"]
        return _group(found).rules


def _server(one: dict[str, Any]) -> SeenServer:
    volumes = one["os-extended-volumes:volumes_attached"]
    data = one.get("OS-EXT-SRV-ATTR:user_data")
    return SeenServer(
        id=one["id"],
        name=one["name"],
        status=one["status"],
        launched=one["OS-SRV-USG:launched_at"] or "",
        flavor=one["flavor"]["id"],
        image=one["image"]["id"],
        zone=one["OS-EXT-AZ:availability_zone"],
        metadata=one["metadata"],
        tags=frozenset(one["tags"]),
        volumes=frozenset(each["id"] for each in volumes),
        kept=frozenset(each["id"] for each in volumes if not each["delete_on_termination"]),
        user_data=b64decode(data).decode() if data else None,
        config_drive=one["config_drive"] == "True",
    )


def _volume(one: dict[str, Any]) -> SeenVolume:
    return SeenVolume(
        id=one["id"],
        name=one["name"] or "",
        status=one["status"],
        size=one["size"],
        type=one["volume_type"],
        zone=one["availability_zone"],
        servers=frozenset(each["server_id"] for each in one["attachments"]),
    )


def _port(one: dict[str, Any]) -> SeenPort:
    return SeenPort(
        id=one["id"],
        name=one["name"],
        network=one["network_id"],
        device=one["device_id"],
        addresses=tuple(each["ip_address"] for each in one["fixed_ips"]),
        groups=frozenset(one["security_groups"]),
    )


def _stack(one: dict[str, Any]) -> SeenStack:
    return SeenStack(
        id=one["id"],
        name=one["stack_name"],
        status=one["stack_status"],
        tags=frozenset(one["tags"] or ()),
    )


def _group(one: dict[str, Any]) -> SeenGroup:
    return SeenGroup(
        id=one["id"],
        name=one["name"],
        rules={
            (
                each["protocol"],
                each["port_range_min"],
                each["port_range_max"],
                each["remote_ip_prefix"],
            ): each["id"]
            for each in one["security_group_rules"]
            if each["direction"] == "ingress"
        },
    )
