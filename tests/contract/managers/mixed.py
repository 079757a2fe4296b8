"""A place in which a fleet migration runs beside whatever a scenario does: in the scenario's own
project, with its workers and its ledger. The scenario is shown what it made itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from consumer.ledger.base import Ledger
from handlers.base import Cloud
from handlers.commands import Command
from handlers.instance import Scope
from handlers.operation import Micros
from tests.contract.managers.bench import Bench
from tests.contract.managers.fleet import Fleet
from tests.contract.managers.inventory import Inventory, SeenStack, Stored
from tests.contract.managers.place import Deployment, Faults, Place, Site, Somebody, Trove, Watch
from tests.contract.managers.table import MANAGERS, MOVER
from tests.support.traffic import Traffic


class MixedPlace:
    """`place` without the fleet that lives there too; `deployment` is the only one there is."""

    def __init__(self, place: Place, deployment: Deployment, fleet: Fleet) -> None:
        self._place = place
        self._deployment = deployment
        self._fleet = fleet
        self.name = place.name
        self.site: Site = place.site
        self.patience = place.patience
        self.trove: Trove = place.trove
        self.faults: Faults = place.faults
        self.somebody: Somebody = place.somebody

    def deployment(self, manager: str) -> Deployment:
        return self._deployment

    def look(self) -> Inventory:
        return self._fleet.without(self._place.look())

    def done_to(self, server: str) -> tuple[str, ...]:
        return self._place.done_to(server)

    def stored(self, stack: SeenStack) -> Stored:
        return self._place.stored(stack)

    def watch(self, group: str) -> AbstractContextManager[Watch]:
        return self._place.watch(group)

    def sweep(self) -> None:
        self._place.sweep()


class Beside:
    """A deployment that does something else too, at every look; nobody can tell then which requests
    a command took, so that it tells of none."""

    def __init__(self, deployment: Deployment, also: Callable[[], object]) -> None:
        self._deployment = deployment
        self._also = also

    @property
    def ledger(self) -> Ledger:
        return self._deployment.ledger

    @property
    def scope(self) -> Scope:
        return self._deployment.scope

    @property
    def cloud(self) -> Cloud:
        return self._deployment.cloud

    def seconds(self) -> float:
        return self._deployment.seconds()

    def traffic(self) -> Traffic:
        return Traffic()

    def deliver(self, command: Command) -> None:
        self._deployment.deliver(command)

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """What was true once counts: a later look may change it."""
        over = False

        def look() -> bool:
            nonlocal over
            self._also()
            over = over or until()
            return over

        return self._deployment.wait(look, seconds)


@contextmanager
def mixed(
    place: Place,
    now: Callable[[], Micros],
    conductor: Callable[[Ledger], Callable[[], object]] = lambda ledger: lambda: None,
    size: int = 4,
) -> Iterator[Bench]:
    """A bench of MIGRATION with a fleet on its way. `conductor` makes what is called at every look,
    where the workers have no conductor of their own.

    At the end the fleet has moved, unharmed, is stopped where it is, and deleted.
    """
    deployment = place.deployment(MOVER)
    conducting = Beside(deployment, conductor(deployment.ledger))
    fleet = Fleet(place, conducting, now, size)
    carried = Beside(conducting, fleet.carry)
    try:
        assert carried.wait(fleet.is_moving, place.patience), "no migration ran"
        yield Bench(MixedPlace(place, carried, fleet), MANAGERS[MOVER])
        assert carried.wait(lambda: fleet.moves() >= size, place.patience), "the fleet stood still"
        assert fleet.is_unharmed()
        assert carried.wait(fleet.is_moving, place.patience), "no migration ran any more"
    finally:
        fleet.end()
    left = place.look()
    assert not left.ids, f"left in the cloud: {left}"
