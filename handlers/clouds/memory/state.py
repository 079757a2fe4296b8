"""The whole small OpenStack: one object that the in-memory cloud and the simulator share."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from handlers.clouds.memory.attachments import Attachments
from handlers.clouds.memory.audit import Audit
from handlers.clouds.memory.compute import Compute
from handlers.clouds.memory.core import PROJECT, Core
from handlers.clouds.memory.faults import FaultPlan, FaultRule
from handlers.clouds.memory.gate import Gate
from handlers.clouds.memory.lifecycle import Lifecycle
from handlers.clouds.memory.network import Networking
from handlers.clouds.memory.orchestration import Orchestration
from handlers.clouds.memory.orchestration.kinds import all_kinds
from handlers.clouds.memory.orchestration.natives import Natives
from handlers.clouds.memory.settings import Abilities, Catalogue, Quotas, Times
from handlers.clouds.memory.storage import Storage
from handlers.clouds.memory.things import Micros
from handlers.resources import Kind


def wall_clock() -> Micros:
    """Real time in microseconds since 1970."""
    return time.time_ns() // 1000


class CloudState:
    """A small OpenStack: compute, block storage, network and orchestration of one region.

    `now` is the only clock (microseconds); the state catches up with it whenever it is used.
    `sleep` serves the fault plan's delays (seconds). The same seed and the same calls at the same
    times give the same cloud, ids included. Thread-safe.
    """

    def __init__(
        self,
        now: Callable[[], Micros] = wall_clock,
        seed: int = 0,
        *,
        times: Times = Times(),  # noqa: B008 -- frozen
        catalogue: Catalogue = Catalogue(),  # noqa: B008 -- frozen
        faults: Iterable[FaultRule] = (),
        sleep: Callable[[float], None] = time.sleep,
        project: str = PROJECT,
    ) -> None:
        self.project = project
        self.core = Core(now, seed, times, catalogue)
        self.network = Networking(self.core)
        self.storage = Storage(self.core)
        self.compute = Compute(
            self.core,
            self.network,
            self.storage,
            Lifecycle(self.core, self.network, self.storage),
        )
        self.attachments = Attachments(self.core, self.storage, self.compute)
        self.gate = Gate(self.core, FaultPlan(faults, seed), sleep)
        natives = Natives(
            self.core,
            self.gate,
            network=self.network,
            storage=self.storage,
            compute=self.compute,
            attachments=self.attachments,
        )
        self.orchestration = Orchestration(self.core, all_kinds(natives))

    @property
    def catalogue(self) -> Catalogue:
        return self.core.catalogue

    @property
    def audit(self) -> Audit:
        return self.core.audit

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Calls so far by (service, verb)."""
        return self.gate.counts

    @property
    def next_due(self) -> Micros | None:
        """When something happens by itself next: a virtual clock may jump there."""
        return self.core.next_due

    def set_times(self, times: Times) -> None:
        """From now on things take this long; what is under way is not changed."""
        with self.core.lock:
            self.core.times = times

    def set_quotas(self, quotas: Quotas, project: str = "") -> None:
        """Limit one project, or all that have no quotas of their own."""
        with self.core.lock:
            self.core.quotas[project] = quotas

    def set_abilities(self, abilities: Abilities) -> None:
        """Configure the services anew."""
        with self.core.lock:
            self.core.abilities = abilities

    def inject(self, *rules: FaultRule) -> None:
        """Add rules to the fault plan."""
        with self.core.lock:
            for rule in rules:
                self.gate.plan.add(rule)

    def heal(self) -> None:
        """Forget the fault plan."""
        with self.core.lock:
            self.gate.plan.clear()

    def inventory(self) -> dict[str, dict[Kind, tuple[str, ...]]]:
        """Ids of everything that exists, by subject and kind; "" for what carries no identity.

        A project's own default security group does not count: nobody made it.
        """
        core = self.core
        with core.lock:
            core.advance()
            found: dict[str, dict[Kind, tuple[str, ...]]] = {}
            for store in (core.servers, core.volumes, core.ports, core.groups, core.stacks):
                for thing in store.values():
                    if thing.kind is Kind.SECURITY_GROUP and thing.name == "default":
                        continue
                    of = found.setdefault(thing.subject or "", {})
                    of[thing.kind] = (*of.get(thing.kind, ()), thing.id)
            return found
