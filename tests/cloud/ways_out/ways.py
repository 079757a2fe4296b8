"""What one test of a way out works with."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec.structs import replace

from consumer import wiring
from consumer.config import Settings
from consumer.config.settings import Limits
from consumer.ledger.base import Ledger
from handlers.clouds.openstack import OpenStackClouds
from handlers.clouds.openstack import Place as Entry
from handlers.commands import BODIES, CreateInstance, ResizeInstance
from handlers.identity import SUBJECT_KEY, group_name, resource_name
from handlers.instance import Scope
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.cloud.ways_out.ground import ENTRY, Ground
from tests.contract.managers.bench import TENANT, Bench, Done
from tests.contract.managers.inventory import Inventory, SeenStack, Stored
from tests.contract.managers.orders import DELETE, instance
from tests.contract.managers.place import Deployment
from tests.contract.managers.sampling import Samples, sampled
from tests.contract.managers.somebody import stored_of
from tests.contract.managers.table import MANAGERS
from tests.contract.managers.trove import HttpTrove
from tests.support.live import LiveDeployment, Tally
from tests.support.processes import wait_until

TICK = 0.5

_BODIES = tuple(BODIES.values())


class Workers:
    """The ground as a place of the conformance suite, with workers of the test's own: one for each
    manager that new instances shall have, all on one ledger."""

    name = "openstack"
    patience = 300.0

    def __init__(self, ground: Ground, limits: Limits, file: str, heat_timeout: float) -> None:
        self._ground = ground
        self._limits = limits
        self._file = file
        self._heat_timeout = heat_timeout
        self._running: dict[str, LiveDeployment] = {}
        self.site = ground.site
        self.faults = ground.faults
        self.somebody = ground.operator.somebody
        self.trove = HttpTrove(ground.project, ground.project, ground.site)

    def deployment(self, manager: str) -> Deployment:
        if manager not in self._running:
            self._running[manager] = self._start(manager)
        return self._running[manager]

    def look(self) -> Inventory:
        return self._ground.project.look()

    def stored(self, stack: SeenStack) -> Stored:
        return stored_of(self._ground.project, stack)

    def watch(self, group: str) -> AbstractContextManager[Samples]:
        return sampled(self._ground.project, group)

    def sweep(self) -> None:
        self._ground.project.sweep()

    def close(self) -> None:
        for each in self._running.values():
            each.stop()

    def _start(self, manager: str) -> LiveDeployment:
        tally = Tally()
        region = self._ground.project.connection.config.region_name
        settings = self._adjust(Settings())
        clouds = OpenStackClouds(
            [Entry(ENTRY, region)],
            limits=wiring.cloud_limits_of(settings),
            probe=tally,
            files=[self._file],
        )
        ledger: Ledger | None = next((each.ledger for each in self._running.values()), None)
        scope = Scope(ENTRY, region, TENANT)
        worker = LiveDeployment(clouds, scope, manager, tally, TICK, self._adjust, ledger)
        worker.start()
        return worker

    def _adjust(self, settings: Settings) -> Settings:
        clouds = replace(
            settings.clouds,
            connect_timeout=1,
            list_lag=2,
            orchestration_timeout=self._heat_timeout,
        )
        return replace(settings, limits=self._limits, clouds=clouds)


class Ways:
    """One bench for each manager; `note` is told how long the way out was."""

    def __init__(self, ground: Ground, workers: Workers, note: Callable[[str], None]) -> None:
        self.ground = ground
        self.site = ground.site
        self.operator = ground.operator
        self.faults = ground.faults
        self.note = note
        self._trusts = ground.operator.trusts()
        self._workers = workers
        self.bench = self._bench(ORCHESTRATOR)

    def natives(self) -> Bench:
        """Another worker on the same ledger, which has NATIVES for new instances."""
        return self._bench(NATIVES)

    def _bench(self, manager: str) -> Bench:
        """In bad states Heat is asked more often than the manager promises for good ones."""
        return Bench(self._workers, replace(MANAGERS[manager], heat=dict.fromkeys(_BODIES, 99)))

    def create(self) -> tuple[str, Inventory]:
        """An instance of ORCHESTRATOR, and what there is of it."""
        subject = self.bench.subject()
        self.bench.succeed(subject, self.instance())
        return subject, self.of(subject)

    def instance(self, **metadata: str) -> CreateInstance:
        return instance(self.site, metadata=metadata)

    def of(self, subject: str) -> Inventory:
        """What there is of one subject."""
        there, names = self.bench.look(), (resource_name(subject), group_name(subject))
        return Inventory(
            servers=tuple(s for s in there.servers if s.metadata.get(SUBJECT_KEY) == subject),
            volumes=tuple(each for each in there.volumes if each.name in names),
            ports=tuple(each for each in there.ports if each.name in names),
            groups=tuple(each for each in there.groups if each.name in names),
            stacks=tuple(each for each in there.stacks if each.name in names),
        )

    def took(self, done: Done) -> Done:
        """Note how long the way out was."""
        self.note(f"{done.seconds:.0f}")
        return done

    def is_as_before(self, subject: str, before: Inventory) -> None:
        """Server, volume, ports and group are those that were there, and in the same state."""
        there = self.of(subject)
        assert there.server == before.server
        assert (there.volume, there.ports) == (before.volume, before.ports)
        assert there.groups == before.groups
        assert [each.id for each in there.stacks] == [each.id for each in before.stacks]

    def works(self, subject: str, before: Inventory) -> None:
        """The next resize works, on the same resources."""
        bigger = ResizeInstance(project=TENANT, flavor=self.site.large)
        self.bench.succeed(subject, bigger)
        there = self.of(subject)
        assert (there.server.flavor, there.server.status) == (self.site.large, "ACTIVE")
        assert there.ids == before.ids

    def goes_on(self, subject: str, before: Inventory) -> None:
        """The next resize works, and a delete leaves nothing."""
        self.works(subject, before)
        self.ends(subject)

    def ends(self, subject: str) -> None:
        """A delete leaves nothing."""
        self.bench.succeed(subject, DELETE)
        self.nothing_is_left()

    def nothing_is_left(self) -> None:
        """Neither resources nor stacks, nor trusts: Heat removes those a little after the stack."""
        self.bench.nothing_is_left()
        trusts = self.operator.trusts
        assert wait_until(lambda: trusts() <= self._trusts, 10), trusts() - self._trusts
