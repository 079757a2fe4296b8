"""A real OpenStack as a place, with a guest: a project of its own with next to no quota."""

import secrets
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from openstack.connection import Connection

from handlers.clouds.openstack import OpenStackClouds
from handlers.clouds.openstack import Place as Entry
from tests.contract.cloud.bench import Site
from tests.contract.cloud.places import HttpPlace

_KEPT = ("identity_api_version", "interface", "verify", "cacert", "cert", "key")

#: Neutron counts the default group (4 rules) and the default egress rules of each group (2).
_NETWORK = {"port": 0, "security_group": 2, "security_group_rule": 7}
_STORAGE = {"volumes": 1, "gigabytes": 1}


@contextmanager
def openstack(name: str) -> Iterator[HttpPlace]:
    """The entry of clouds.yaml with this name; it needs an administrator's rights."""
    admin = Connection(cloud=name)
    region = admin.config.region_name or ""
    clouds = OpenStackClouds([Entry(name, region)])
    with _guest(admin) as auth, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clouds.yaml"
        settings = {key: admin.config.config[key] for key in _KEPT if key in admin.config.config}
        entry = {**settings, "region_name": region, "auth": auth}
        file.write_text(yaml.safe_dump({"clouds": {"guest": entry}}))
        guests = OpenStackClouds([Entry("guest", region)], files=[str(file)])
        (cloud,), (guest,) = clouds.all.values(), guests.all.values()
        yield HttpPlace(cloud, guest, _site(admin), beat=0.3)


@contextmanager
def _guest(admin: Connection) -> Iterator[Mapping[str, Any]]:
    """Credentials of a new user without rights, in a new project without quota."""
    name, password = f"contract-{uuid.uuid4()}", secrets.token_hex(16)
    identity: Any = admin.identity
    project = identity.create_project(name=name, domain_id="default")
    user = identity.create_user(name=name, password=password, domain_id="default")
    try:
        role = identity.find_role("member", ignore_missing=False)
        identity.assign_project_role_to_user(project, user, role)
        _put(admin.network, f"/quotas/{project.id}", {"quota": _NETWORK})
        _put(admin.block_storage, f"/os-quota-sets/{project.id}", {"quota_set": _STORAGE})
        yield {
            "auth_url": admin.config.config["auth"]["auth_url"],
            "username": name,
            "password": password,
            "user_domain_id": "default",
            "project_id": project.id,
        }
    finally:
        groups = admin.network.get(f"/security-groups?project_id={project.id}").json()
        for group in groups["security_groups"]:
            admin.network.delete(f"/security-groups/{group['id']}")
        admin.network.delete(f"/quotas/{project.id}")
        admin.block_storage.delete(f"/os-quota-sets/{project.id}")
        identity.delete_user(user)
        identity.delete_project(project)


def _put(service: Any, path: str, body: dict[str, Any]) -> None:
    answer = service.put(path, json=body)
    assert answer.status_code == 200, answer.text


def _site(admin: Connection) -> Site:
    """The seed data of tests/cloud."""
    networks = admin.network.get("/networks?name=db-mgmt").json()["networks"]
    images = admin.image.get("/images?name=db-image").json()["images"]
    unique = secrets.randbelow(200 * 200)
    return Site(
        image=images[0]["id"],
        flavor="1",
        other_flavor="2",
        network=networks[0]["id"],
        address=f"10.31.{unique // 200 + 20}.{unique % 200 + 20}",
    )
