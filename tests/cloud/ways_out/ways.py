"""What one test of a way out works with."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec.structs import replace

from consumer import wiring
from consumer.config import Settings
from consumer.config.settings import Limits
from consumer.ledger.base import Ledger
from consumer.ledger.memory import MemoryLedger
from handlers.base import Clouds
from handlers.clouds.openstack import OpenStackClouds
from handlers.clouds.openstack import Place as Entry
from handlers.commands import CreateInstance, ResizeInstance
from handlers.identity import SUBJECT_KEY, group_name, resource_name
from handlers.instance import Instance, Scope
from handlers.natives import NAME as NATIVES
from handlers.operation import SECOND
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

#: Calls to one service at once: more than the commands that a scene holds at their calls.
_THREADS = 8


class Workers:
    """The ground as a place of the conformance suite, with workers of the test's own.

    One runs at a time, all on one ledger: `deployment` stops one that has another manager for new
    instances, and starts one in its place.
    """

    name = "openstack"
    patience = 300.0

    def __init__(
        self,
        ground: Ground,
        limits: Limits,
        file: str,
        heat_timeout: float,
        through: Callable[[Clouds], Clouds],
    ) -> None:
        """`through`: what the workers' calls go through on their way to the cloud."""
        self._ground = ground
        self._limits = limits
        self._file = file
        self._heat_timeout = heat_timeout
        self._through = through
        self._manager = ""
        self._worker: LiveDeployment | None = None
        self._ledger: Ledger | None = None
        self.site = ground.site
        self.faults = ground.faults
        self.somebody = ground.operator.somebody
        self.trove = HttpTrove(ground.project, ground.project, ground.site)

    def deployment(self, manager: str) -> Deployment:
        if self._worker is None or manager != self._manager:
            self.close()
            self._manager, self._worker = manager, self._start(manager)
        return self._worker

    def look(self) -> Inventory:
        return self._ground.project.look()

    def done_to(self, server: str) -> tuple[str, ...]:
        return self._ground.project.done_to(server)

    def stored(self, stack: SeenStack) -> Stored:
        return stored_of(self._ground.project, stack)

    def watch(self, group: str) -> AbstractContextManager[Samples]:
        return sampled(self._ground.project, group)

    def sweep(self) -> None:
        self._ground.project.sweep()

    def record_only(self, *records: Instance) -> None:
        """The worker goes on with a ledger that has these records and nothing else."""
        self.close()
        self._ledger = MemoryLedger(lambda: time.time_ns() // 1000)
        assert all(self._ledger.import_records(records))
        self._worker = self._start(self._manager)

    def close(self) -> None:
        if self._worker:
            self._worker.stop()

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
        clouds.connect()
        scope, reached = Scope(ENTRY, region, TENANT), self._through(clouds)
        worker = LiveDeployment(reached, scope, manager, tally, TICK, self._adjust, self._ledger)
        self._ledger = worker.ledger
        worker.start()
        return worker

    def _adjust(self, settings: Settings) -> Settings:
        clouds = replace(
            settings.clouds,
            connect_timeout=1,
            list_lag=2,
            orchestration_timeout=self._heat_timeout,
        )
        worker = replace(settings.worker, threads=_THREADS)
        return replace(settings, limits=self._limits, clouds=clouds, worker=worker)


class Ways:
    """A bench with ORCHESTRATOR, or another default; `natives` is an instance that belongs to
    NATIVES, where the test wants one; `note` is told how long the way out was."""

    def __init__(
        self,
        ground: Ground,
        workers: Workers,
        note: Callable[[str], None],
        natives: bool = False,
        manager: str = ORCHESTRATOR,
    ) -> None:
        self.ground = ground
        self.site = ground.site
        self.operator = ground.operator
        self.faults = ground.faults
        self.note = note
        self._trusts = ground.operator.trusts()
        self.natives = ""
        if natives:
            before = Bench(workers, MANAGERS[NATIVES])
            self.natives = before.subject()
            before.succeed(self.natives, self.instance())
        self._workers, self._manager = workers, manager
        # in bad states Heat is asked more often than the manager promises for good ones
        self.bench = Bench(workers, MANAGERS[manager], frugal=False)

    def record_only(self, *records: Instance) -> None:
        """From now on these are recorded, and nothing else is."""
        self._workers.record_only(*records)
        self.bench = Bench(self._workers, MANAGERS[self._manager], frugal=False)

    def create(self) -> tuple[str, Inventory]:
        """An instance of the bench's manager, and what there is of it."""
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
        self.note(seconds_of(done))
        return done

    def is_as_before(self, subject: str, before: Inventory) -> None:
        """Server, volume, ports and group are those that were there, and in the same state."""
        assert self.of(subject).server == before.server
        self.is_resized_back(subject, before)

    def is_resized_back(self, subject: str, before: Inventory) -> None:
        """As before, but for the time at which the server was launched: a resize that is taken
        back changes it."""
        there = self.of(subject)
        assert replace(there.server, launched="") == replace(before.server, launched="")
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
        assert wait_until(lambda: trusts() <= self._trusts, 60), trusts() - self._trusts


def seconds_of(done: Done) -> str:
    """From a command's opening to its end."""
    return f"{(done.operation.finished - done.operation.opened) / SECOND:.0f}"
