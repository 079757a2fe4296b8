"""Cinder's JSON for volumes and versions."""

import uuid
from typing import Any

from handlers.clouds.memory.things import VolumeThing
from simulator.wire import stamp

AT = "/volume/v3"


def brief(volume: VolumeThing, root: str) -> dict[str, Any]:
    """What `GET /volumes` shows."""
    return {"id": volume.id, "name": volume.name, "links": _links(volume, root)}


def summary(volume: VolumeThing, root: str) -> dict[str, Any]:
    """What the POST answers: without the project, which only later answers name."""
    pattern = "%Y-%m-%dT%H:%M:%S.000000"
    return {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": volume.zone,
        "created_at": stamp(volume.created, pattern),
        "updated_at": stamp(volume.updated, pattern),
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.type,
        "snapshot_id": None,
        "source_volid": None,
        "metadata": volume.metadata,
        "links": _links(volume, root),
        "user_id": "9145026082a84228bc5c422f9b0eb120",
        "bootable": "false",
        "encrypted": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": False,
        "attachments": [
            {
                "id": volume.id,
                "attachment_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, volume.id + server)),
                "volume_id": volume.id,
                "server_id": server,
                "host_name": None,
                "device": "/dev/sdb",
                "attached_at": stamp(volume.attached, pattern),
            }
            for server in volume.servers
        ],
        "migration_status": None,
    }


def detail(volume: VolumeThing, root: str) -> dict[str, Any]:
    return {**summary(volume, root), "os-vol-tenant-attr:tenant_id": volume.project}


def version(root: str) -> dict[str, Any]:
    return {
        "id": "v3.0",
        "status": "CURRENT",
        "version": "3.71",
        "min_version": "3.0",
        "updated": "2023-08-31T00:00:00Z",
        "links": [{"rel": "self", "href": f"{root}{AT}/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.volume+json;version=3",
            }
        ],
    }


def _links(volume: VolumeThing, root: str) -> list[dict[str, str]]:
    return [
        {"rel": "self", "href": f"{root}{AT}/volumes/{volume.id}"},
        {"rel": "bookmark", "href": f"{root}/volume/volumes/{volume.id}"},
    ]
