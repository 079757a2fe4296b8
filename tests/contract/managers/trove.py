"""Makes resources over HTTP as Trove did before us: its names, and nothing else of ours."""

import time
from typing import Any

from tests.contract.managers.place import Site
from tests.contract.managers.project import HttpProject


class HttpTrove:
    """`Trove` in one project; `other` is nobody's business."""

    def __init__(self, project: HttpProject, other: HttpProject, site: Site) -> None:
        self._project = project
        self._other = other
        self._site = site

    def security_group(self, subject: str, cidr: str) -> str:
        body = {"security_group": {"name": f"trove_sg-{subject}", "description": "made by Trove"}}
        group = self._project.post("network", "/security-groups", body)["security_group"]["id"]
        rule = {
            "security_group_id": group,
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "port_range_min": 3306,
            "port_range_max": 3306,
            "remote_ip_prefix": cidr,
        }
        self._project.post("network", "/security-group-rules", {"security_group_rule": rule})
        return str(group)

    def port(self, subject: str, group: str) -> str:
        port = {
            "name": f"trove-{subject}",
            "network_id": self._site.user,
            "security_groups": [group],
        }
        return str(self._project.post("network", "/ports", {"port": port})["port"]["id"])

    def volume(self, subject: str, size: int) -> str:
        return _volume(self._project, subject, size)

    def elsewhere(self, subject: str) -> str:
        return _volume(self._other, subject, 1)

    def server(self, subject: str, port: str, volume: str, *, doomed: bool = False) -> str:
        mapping = [
            {
                "boot_index": 0,
                "uuid": self._site.image,
                "source_type": "image",
                "destination_type": "local",
                "delete_on_termination": True,
            },
            {
                "boot_index": -1,
                "uuid": volume,
                "source_type": "volume",
                "destination_type": "volume",
                "delete_on_termination": doomed,
            },
        ]
        body = {
            "name": "users-own-name",
            "flavorRef": self._site.small,
            "imageRef": self._site.image,
            "networks": [{"port": port}],
            "metadata": {"trove_instance_id": subject},
            "tags": [f"trove_instance_id_{subject}"],
            "block_device_mapping_v2": mapping,
        }
        made = self._project.post("compute", "/servers", {"server": body}, microversion="2.52")
        return _wait(self._project, "compute", "/servers/", made["server"]["id"], "ACTIVE")


def _volume(project: HttpProject, subject: str, size: int) -> str:
    body = {"volume": {"name": f"trove-{subject}", "size": size}}
    made = project.post("block_storage", "/volumes", body)
    return _wait(project, "block_storage", "/volumes/", made["volume"]["id"], "available")


def _wait(project: HttpProject, service: str, path: str, thing: str, status: str) -> str:
    """Wait until the thing has the status; gives its id back."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        (seen,) = project.get(service, path + thing).values()
        if seen["status"] == status:
            return thing
        time.sleep(0.2)
    raise AssertionError(f"{path}{thing} is not {status}: {_short(seen)}")


def _short(seen: dict[str, Any]) -> dict[str, Any]:
    return {key: seen.get(key) for key in ("status", "fault", "size")}
