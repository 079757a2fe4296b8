"""The in-memory cloud in virtual time as a place."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from consumer.ledger.base import Ledger
from handlers import registry
from handlers.base import Cloud, ResourceManager
from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.commands import Command
from handlers.instance import Scope
from handlers.operation import SECOND
from handlers.resources import Service
from tests.contract.managers.bench import TENANT
from tests.contract.managers.inventory import Inventory, SeenStack, Stored
from tests.contract.managers.place import Faults, Site, Somebody, Trove
from tests.contract.managers.state import StateFaults, StateTrove, gaps_of, inventory_of, site_of
from tests.contract.managers.state_somebody import StateSomebody, stored_of
from tests.support.traffic import Sort, Traffic
from tests.support.world import Parts, VirtualClock, World


class MemoryPlace:
    """A new cloud; time passes only while somebody waits.

    `managers` are those of the release, unless a test brings broken ones; `cloud` is what they see
    of the state.
    """

    name = "memory"
    patience = 900.0

    def __init__(
        self,
        managers: Callable[[], Iterable[ResourceManager]] = registry.managers,
        cloud: Callable[[CloudState], MemoryCloud] = MemoryCloud,
    ) -> None:
        self._cloud = cloud
        self._parts = Parts(managers=managers)
        self.clock = VirtualClock()
        self.state = CloudState(now=self.clock.now, sleep=self.clock.sleep)
        self.site: Site = site_of(self.state)
        self.faults: Faults = StateFaults(self.state)
        self.trove: Trove = StateTrove(self.state, self.site, self.clock.sleep)
        self.somebody: Somebody = StateSomebody(self.state, self.clock.sleep)

    def deployment(self, manager: str) -> "VirtualDeployment":
        clouds = MemoryClouds({"": self._cloud(self.state)})
        world = World(clouds, self.clock, manager=manager, parts=self._parts)
        world.worker()
        return VirtualDeployment(world, self.state)

    def look(self) -> Inventory:
        return inventory_of(self.state)

    def done_to(self, server: str) -> tuple[str, ...]:
        return tuple(action.name for action in self.state.core.servers[server].actions)

    def stored(self, stack: SeenStack) -> Stored:
        return stored_of(self.state, stack)

    @contextmanager
    def watch(self, group: str) -> Iterator["_Watch"]:
        yield _Watch(lambda: gaps_of(self.state, group))

    def sweep(self) -> None:
        """Every test has a cloud of its own: nothing is left for the next one."""


class VirtualDeployment:
    """A world with one worker."""

    def __init__(self, world: World, state: CloudState) -> None:
        self._world = world
        self._state = state
        self.scope = Scope(cloud="cloud", region="region", project=TENANT)
        self.ledger: Ledger = world.ledger
        self.cloud: Cloud = MemoryCloud(state)

    def seconds(self) -> float:
        return self._world.clock.now() / SECOND

    def traffic(self) -> Traffic:
        counts: Counter[tuple[Service, Sort]] = Counter()
        for (service, verb), count in self._state.counts.items():
            counts[Service(service), _sort(verb)] += count
        return Traffic(dict(counts))

    def deliver(self, command: Command) -> None:
        """A command takes a moment to arrive, so that it opens later than what was seen before."""
        self._world.clock.sleep(0.01)
        self._world.deliver(command)

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        self._world.run(seconds, until)
        return until()


def _sort(verb: str) -> Sort:
    if verb.endswith("_in_full") or verb in ("get_stack_template", "get_stack_resources"):
        return Sort.LOOK
    if verb.startswith(("get_", "find_", "changed_")):
        return Sort.LISTING
    return Sort.CHANGE


class _Watch:
    def __init__(self, gaps: Callable[[], tuple[str, ...]]) -> None:
        self.gaps = gaps
