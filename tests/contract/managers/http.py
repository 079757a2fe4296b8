"""A project behind our adapter as a place, whatever OpenStack serves it."""

from contextlib import AbstractContextManager

from handlers.clouds.openstack import OpenStackClouds
from handlers.clouds.openstack import Place as Entry
from handlers.instance import Scope
from tests.contract.managers.bench import TENANT
from tests.contract.managers.inventory import Inventory, SeenStack, Stored
from tests.contract.managers.place import Deployment, Faults, Site, Somebody, Trove
from tests.contract.managers.project import HttpProject
from tests.contract.managers.sampling import Samples, sampled
from tests.contract.managers.somebody import HttpSomebody, stored_of
from tests.support.live import Adjust, LiveDeployment, Tally


class HttpPlace:
    """`file` is a clouds.yaml in which `entry` is the project; `tick` is the workers', `adjust`
    changes their settings."""

    patience = 400.0

    def __init__(
        self,
        name: str,
        *,
        file: str,
        entry: str,
        project: HttpProject,
        site: Site,
        trove: Trove,
        faults: Faults,
        tick: float = 1.0,
        adjust: Adjust = lambda settings: settings,
    ) -> None:
        self.name = name
        self._entry = entry
        self._tick = tick
        self._adjust = adjust
        self.site = site
        self.trove = trove
        self.faults = faults
        self.somebody: Somebody = HttpSomebody(project)
        self._file = file
        self._project = project
        self._running: dict[str, LiveDeployment] = {}

    def deployment(self, manager: str) -> Deployment:
        if manager not in self._running:
            tally = Tally()
            region = self._project.connection.config.region_name
            clouds = OpenStackClouds([Entry(self._entry, region)], probe=tally, files=[self._file])
            scope = Scope(self._entry, region, TENANT)
            self._running[manager] = LiveDeployment(
                clouds, scope, manager, tally, self._tick, self._adjust
            )
            self._running[manager].start()
        return self._running[manager]

    def look(self) -> Inventory:
        return self._project.look()

    def done_to(self, server: str) -> tuple[str, ...]:
        return self._project.done_to(server)

    def stored(self, stack: SeenStack) -> Stored:
        return stored_of(self._project, stack)

    def watch(self, group: str) -> AbstractContextManager[Samples]:
        return sampled(self._project, group)

    def sweep(self) -> None:
        self._project.sweep()

    def close(self) -> None:
        for deployment in self._running.values():
            deployment.stop()
