"""What the tests of the ways out stand on: a project of their own, and hands in it that are not
the worker's."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from openstack.connection import Connection

from tests.contract.managers.inventory import SeenStack
from tests.contract.managers.place import Site
from tests.contract.managers.project import MORE, HttpProject
from tests.contract.managers.real import Fakes, site_of
from tests.contract.managers.somebody import HttpSomebody
from tests.support.projects import own_projects

ENTRY = "ways-out"

#: Seconds that anything by hand may take.
_PATIENCE = 120.0


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """`file` is a clouds.yaml whose entry ENTRY is the project."""

    file: str
    admin: Connection
    project: HttpProject
    site: Site
    faults: Fakes
    operator: "Operator"

    @property
    def heat(self) -> tuple[str, int]:
        """Host and port of Heat's API."""
        url = urlsplit(str(self.project.connection.orchestration.get_endpoint()))
        return url.hostname or "", url.port or 80


@contextmanager
def ground(cloud: str) -> Iterator[Ground]:
    """Make the project; at the end it must be empty, and is removed."""
    admin = Connection(cloud=cloud)
    with own_projects(admin, (ENTRY,)) as file:
        project = HttpProject(str(file), ENTRY, MORE)
        yield Ground(
            file=str(file),
            admin=admin,
            project=project,
            site=site_of(project),
            faults=Fakes(admin, project, ""),
            operator=Operator(admin, project),
        )
        left = project.look()
        project.sweep()
        assert not left.ids, f"left in the cloud: {left}"


class Operator:
    """An operator's hands: what `Somebody` of the conformance suite has, and more."""

    def __init__(self, admin: Connection, project: HttpProject) -> None:
        self._admin = admin
        self._project = project
        self.somebody = HttpSomebody(project)

    # -- servers --------------------------------------------------------------------------------

    def marks(self, server: str, **marks: str) -> None:
        """Metadata that the fakes heed: `fail` and `delay`."""
        metadata = {f"cloudfake:{key}": value for key, value in marks.items()}
        self._project.post("compute", f"/servers/{server}/metadata", {"metadata": metadata})

    def unmarks(self, server: str, *marks: str) -> None:
        for mark in marks:
            self._project.delete("compute", f"/servers/{server}/metadata/cloudfake:{mark}")

    def heals(self) -> None:
        """Nothing fails any more. In ERROR metadata cannot be changed, and what fails goes there
        again: as often as it takes."""
        for server in self._project.look().servers:
            for mark in {"cloudfake:fail", "cloudfake:delay"} & set(server.metadata):
                path = f"/servers/{server.id}/metadata/{mark}"
                self.waits(partial(self._heals, server.id, path))

    def _heals(self, server: str, path: str) -> bool:
        compute = self._project.connection.compute
        if compute.delete(path).status_code in (204, 404):
            return True
        compute.post(f"/servers/{server}/action", json={"os-resetState": {"state": "active"}})
        return False

    def sets_state(self, server: str, state: str) -> None:
        self._act(server, {"os-resetState": {"state": state}})

    def stops(self, server: str) -> None:
        self._act(server, {"os-stop": None})
        self.waits(lambda: self._server(server)["status"] == "SHUTOFF")

    def starts(self, server: str) -> None:
        self._act(server, {"os-start": None})
        self.waits(lambda: self._server(server)["status"] == "ACTIVE")

    def begun(self, server: str, action: str) -> bool:
        """Whether somebody has begun this with the server."""
        return action in self.actions(server)

    def actions(self, server: str) -> list[str]:
        """All that was ever begun with the server."""
        path = f"/servers/{server}/os-instance-actions"
        found = self._project.get("compute", path)["instanceActions"]
        return [str(each["action"]) for each in found]

    # -- stacks ---------------------------------------------------------------------------------

    def status(self, stack: SeenStack) -> str:
        found = self._project.get("orchestration", f"/stacks/{stack.name}/{stack.id}")["stack"]
        return str(found["stack_status"])

    def rolls_back(self, stack: SeenStack) -> None:
        """Cancel the update that runs; Heat goes back by itself."""
        self._project.post(*_actions(stack), {"cancel_update": None})

    def checks(self, stack: SeenStack) -> str:
        """Have Heat look at what it made; the status after that."""
        self._project.post(*_actions(stack), {"check": None})
        self.waits(lambda: not self.status(stack).endswith("IN_PROGRESS"))
        return self.status(stack)

    def trusts(self) -> frozenset[str]:
        """The ids of the project's trusts."""
        found = self._admin.identity.get("/OS-TRUST/trusts").json()["trusts"]
        return frozenset(one["id"] for one in found if one["project_id"] == self._project.id)

    def loses_trusts(self) -> None:
        """Keystone forgets the project's."""
        for trust in self.trusts():
            answer = self._admin.identity.delete(f"/OS-TRUST/trusts/{trust}")
            assert answer.status_code == 204, answer.text

    # -- network --------------------------------------------------------------------------------

    def makes_port(self, network: str, group: str) -> str:
        """A port that is nobody's business, in a group that is."""
        port = {"name": "foreign", "network_id": network, "security_groups": [group]}
        return str(self._project.post("network", "/ports", {"port": port})["port"]["id"])

    def removes_port(self, port: str) -> None:
        self._project.delete("network", f"/ports/{port}")

    def removes_rule(self, rule: str) -> None:
        self._project.delete("network", f"/security-group-rules/{rule}")

    def waits(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.25)

    def _act(self, server: str, body: dict[str, Any]) -> None:
        self._project.post("compute", f"/servers/{server}/action", body)

    def _server(self, server: str) -> dict[str, Any]:
        found: dict[str, Any] = self._project.get("compute", f"/servers/{server}")["server"]
        return found


def _actions(stack: SeenStack) -> tuple[str, str]:
    return "orchestration", f"/stacks/{stack.name}/{stack.id}/actions"
