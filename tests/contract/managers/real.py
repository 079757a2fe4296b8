"""A real OpenStack as a place: two new projects for every run, removed at its end."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from msgspec.structs import replace
from openstack.connection import Connection

from handlers.commands import CreateInstance
from handlers.parts import DataVolume
from tests.contract.managers.http import HttpPlace
from tests.contract.managers.place import Site
from tests.contract.managers.project import MORE, HttpProject
from tests.contract.managers.trove import HttpTrove
from tests.support.projects import own_projects

_NEUTRON = {
    "ports": "port",
    "security_groups": "security_group",
    "rules": "security_group_rule",
}

WORK, ELSEWHERE = "work", "elsewhere"


class Fakes:
    """`Faults` by the test cloud's fakes (tests/cloud/plugins) and by quotas.

    Its Nova counts no quota, so instances are never too many there.
    """

    quotas = ("volumes", "ports", "security_groups")

    def __init__(self, admin: Connection, project: HttpProject, broken_type: str) -> None:
        self._admin = admin
        self._project = project
        self._broken_type = broken_type

    def spawn(self, body: CreateInstance) -> tuple[CreateInstance, str]:
        metadata = {**body.metadata, "cloudfake:fail": "spawn"}
        return replace(body, metadata=metadata), "exceeded maximum number of retries"

    def volume(self, body: CreateInstance) -> CreateInstance:
        return replace(body, volume=DataVolume(size=1, type=self._broken_type))

    def resize(self, server: str) -> str:
        self._mark("compute", f"/servers/{server}/metadata", "resize")
        return "cloudfake: resize asked to fail"

    def extend(self, volume: str) -> None:
        self._mark("block_storage", f"/volumes/{volume}/metadata", "extend")

    def delete(self, volume: str) -> None:
        self._mark("block_storage", f"/volumes/{volume}/metadata", "delete")

    def heal(self, *things: str) -> None:
        """The operator also sets back what is in error_deleting."""
        compute, storage = self._project.connection.compute, self._project.connection.block_storage
        for thing in things:
            compute.delete(f"/servers/{thing}/metadata/cloudfake:fail")
            storage.delete(f"/volumes/{thing}/metadata/cloudfake:fail")
        for volume in self._project.look().volumes:
            if volume.status == "error_deleting":
                body = {"os-reset_status": {"status": "available"}}
                self._project.post("block_storage", f"/volumes/{volume.id}/action", body)

    def quota(self, kind: str) -> None:
        """As many as there are now; Neutron refuses a quota below that."""
        if kind in _NEUTRON:
            name = _NEUTRON[kind]
            used = self._project.get("network", f"/quotas/{self._project.id}/details")
            limit = used["quota"][name]["used"]
            self._put("network", f"/quotas/{self._project.id}", {"quota": {name: limit}})
        else:
            body = {"quota_set": {kind: 0}}
            self._put("block_storage", f"/os-quota-sets/{self._project.id}", body)

    def lift(self) -> None:
        self._admin.network.delete(f"/quotas/{self._project.id}")
        self._admin.block_storage.delete(f"/os-quota-sets/{self._project.id}")

    def _mark(self, service: str, path: str, operation: str) -> None:
        self._project.post(service, path, {"metadata": {"cloudfake:fail": operation}})

    def _put(self, service: str, path: str, body: Mapping[str, Any]) -> None:
        answer = getattr(self._admin, service).put(path, json=body)
        assert answer.status_code == 200, answer.text


@contextmanager
def openstack(cloud: str) -> Iterator[HttpPlace]:
    """The entry of clouds.yaml with this name; it needs an administrator's rights.

    At the end both projects are proven to be empty, and removed.
    """
    admin = Connection(cloud=cloud)
    with ExitStack() as stack:
        file = str(stack.enter_context(own_projects(admin, (WORK, ELSEWHERE))))
        kind = stack.enter_context(_type_without_backend(admin))
        project, other = (HttpProject(file, name, MORE) for name in (WORK, ELSEWHERE))
        site = site_of(project)
        place = HttpPlace(
            "openstack",
            file=file,
            entry=WORK,
            project=project,
            site=site,
            trove=HttpTrove(project, other, site),
            faults=Fakes(admin, project, kind),
        )
        yield place
        place.close()
        left = project.look()
        other.sweep()
        project.sweep()
        assert not left.ids, f"left in the cloud: {left}"


@contextmanager
def _type_without_backend(admin: Connection) -> Iterator[str]:
    """A volume type that nothing serves: its volumes go to error."""
    name = f"no-backend-{secrets.token_hex(4)}"
    specs = {"volume_backend_name": "nowhere"}
    body = {"volume_type": {"name": name, "extra_specs": specs}}
    made = admin.block_storage.post("/types", json=body).json()["volume_type"]["id"]
    try:
        yield name
    finally:
        admin.block_storage.delete(f"/types/{made}")


def site_of(project: HttpProject) -> Site:
    """The seed data of tests/cloud."""

    def named(service: str, path: str, name: str) -> str:
        (found,) = project.get(service, f"{path}?name={name}").values()
        return str(found[0]["id"])

    images = project.get("image", "/images?name=db-image")["images"]
    return Site(
        image=images[0]["id"],
        small="1",
        large="2",
        huge="3",
        management=named("network", "/networks", "db-mgmt"),
        user=named("network", "/networks", "db-user"),
        volume_type="fake-1",
        zone="nova",
    )
