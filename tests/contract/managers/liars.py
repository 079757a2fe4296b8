"""Heats that do something else than an adoption tells them: it must be found out, and harm nothing.

No test cloud has such a Heat. It is told what it did wrong in its adoption, because Heat believes
whatever it is told (measured on Heat 27); and one that is configured with trusts makes everything
anew.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from handlers import registry
from handlers.base import Answer, ResourceManager
from handlers.clouds.memory import CloudState, MemoryCloud
from handlers.clouds.memory.settings import Abilities
from handlers.errors import Reason
from handlers.orders import StackAdoption
from tests.contract.managers.bench import Bench
from tests.contract.managers.memory import MemoryPlace
from tests.contract.managers.orders import DELETE
from tests.contract.managers.scenarios.moves import ADOPT, NATIVES, an_instance
from tests.contract.managers.table import MANAGERS, MOVER

Lie = Callable[[MemoryCloud, StackAdoption], StackAdoption]
Managers = Callable[[], Iterable[ResourceManager]]


class Liar(MemoryCloud):
    """Adopts something else than it is told."""

    def __init__(self, state: CloudState, lie: Lie) -> None:
        super().__init__(state)
        self._lie = lie

    def adopt_stack(self, adoption: StackAdoption) -> Answer:
        return super().adopt_stack(self._lie(self, adoption))


def _mixed_up(cloud: MemoryCloud, told: StackAdoption) -> StackAdoption:
    """Each port under the other one's name."""
    ports = sorted(name for name in told.members if name.startswith("port"))
    ids = [told.members[name] for name in reversed(ports)]
    return replace(told, members={**told.members, **dict(zip(ports, ids, strict=True))})


def _untrue(cloud: MemoryCloud, told: StackAdoption) -> StackAdoption:
    """A server with a config drive, which it has not: the next true update would replace it."""
    resources = dict(told.template["resources"])
    properties = {**resources["server"]["properties"], "config_drive": True}
    resources["server"] = {**resources["server"], "properties": properties}
    return replace(told, template={**told.template, "resources": resources})


def _lost(cloud: MemoryCloud, told: StackAdoption) -> StackAdoption:
    """Without its volume: the adoption fails."""
    members = {name: one for name, one in told.members.items() if name != "volume_data"}
    return replace(told, members=members)


LIES: Mapping[str, Lie] = {"mixed up": _mixed_up, "untrue": _untrue, "lost": _lost}

TWINS = "twins"

#: How such an adoption ends.
ENDINGS: Mapping[str, Reason] = {
    "mixed up": Reason.DRIFT,
    "untrue": Reason.DRIFT,
    "lost": Reason.CLOUD_ERROR,
    TWINS: Reason.UNSUPPORTED,
}


def is_found_out(wrong: str, managers: Managers = registry.managers) -> None:
    """The adoption fails, says why, and leaves the instance as it was, and nothing else."""
    lie = LIES.get(wrong, lambda cloud, told: told)
    place = MemoryPlace(managers, lambda state: Liar(state, lie))
    place.state.core.abilities = Abilities(twins=wrong == TWINS)
    bench = Bench(place, MANAGERS[MOVER])
    subject = an_instance(bench, NATIVES)
    before, record = bench.look(), bench.record(subject)
    bench.fail(subject, ADOPT, ENDINGS[wrong])
    assert (bench.look(), bench.record(subject)) == (before, record)
    bench.promises_are_kept(subject)
    bench.succeed(subject, DELETE)
    bench.nothing_is_left()
