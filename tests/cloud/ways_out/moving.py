"""An instance that changes hands, and hands on the worker's calls to the cloud."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from handlers.base import Answer, Cloud, Clouds
from handlers.commands import (
    AdoptInstance,
    Body,
    CreateInstance,
    ReleaseInstance,
    ResizeInstance,
)
from handlers.errors import Reason
from handlers.instance import Instance, Scope, State
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.parts import Network
from tests.cloud.ways_out.ways import Ways
from tests.contract.managers.bench import TENANT, Done
from tests.contract.managers.inventory import Inventory, SeenStack
from tests.contract.managers.orders import ANYBODY, instance
from tests.contract.managers.place import Site

ADOPT = AdoptInstance(project=TENANT)
SOAK = AdoptInstance(project=TENANT, commit=False)
RELEASE = ReleaseInstance(project=TENANT)

#: Takes the place of a call: is given the cloud, and what the call is given.
Instead = Callable[..., Answer]


def one(site: Site) -> CreateInstance:
    """What moves: with a volume, two ports, and a group with rules."""
    networks = (Network(network=site.management, role="management"), Network(network=site.user))
    return instance(site, networks=networks, access=ANYBODY)


def straight(clouds: Clouds) -> Clouds:
    """Calls go to the cloud."""
    return clouds


class Tampered:
    """Calls of a worker that somebody else makes in its place: `calls`, by name."""

    def __init__(self) -> None:
        self.calls: dict[str, Instead] = {}

    def between(self, clouds: Clouds) -> Clouds:
        """The clouds, with us in between."""
        return _Between(clouds, self.calls)

    def once(self, call: str, first: Callable[[], None]) -> None:
        """Something happens right before the first call of this name, which then goes through."""

        def happen(cloud: Cloud, *given: Any) -> Answer:
            self.calls.pop(call)
            first()
            answer: Answer = getattr(cloud, call)(*given)
            return answer

        self.calls[call] = happen


class _Between:
    def __init__(self, clouds: Clouds, calls: dict[str, Instead]) -> None:
        self._clouds = clouds
        self._calls = calls

    def of(self, scope: Scope) -> Cloud:
        return cast(Cloud, _Through(self._clouds.of(scope), self._calls))


class _Through:
    """A cloud, but for the calls that somebody else makes."""

    def __init__(self, cloud: Cloud, calls: dict[str, Instead]) -> None:
        self._cloud = cloud
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        instead = self._calls.get(name)
        return partial(instead, self._cloud) if instead else getattr(self._cloud, name)


class Move:
    """An instance of NATIVES with a volume, two ports and a group, as it is before it moves."""

    def __init__(self, ways: Ways, tampered: Tampered, subject: str = "") -> None:
        """`subject` where there is one already."""
        self.ways = ways
        self.tampered = tampered
        self.operator = ways.operator
        self.somebody = ways.operator.somebody
        self.subject = subject or self.another()
        self.record = self.recorded
        self.before = self._picture()

    @property
    def server(self) -> str:
        return self.before[0].server.id

    @property
    def stack(self) -> SeenStack:
        """The one that there is now."""
        return self.ways.of(self.subject).stack

    @property
    def recorded(self) -> Instance:
        return self.ways.bench.record(self.subject)

    def another(self) -> str:
        """One more instance of its kind; its subject."""
        subject = self.ways.bench.subject()
        self.ways.bench.succeed(subject, one(self.ways.site))
        return subject

    # -- what commands must come to ---------------------------------------------------------------

    def succeeds(self, body: Body) -> Done:
        """It ends well, and the instance is the one that it was."""
        done = self.ways.bench.succeed(self.subject, body)
        self.is_unharmed()
        return done

    def fails(self, body: Body, reason: Reason, text: str = "") -> Done:
        """It fails, says why, leaves nothing, and the instance is as recorded before."""
        record = self.recorded
        done = self.ways.bench.fail(self.subject, body, reason, text)
        assert self.recorded == record
        self.is_unharmed()
        return done

    def stays_native(self, body: Body, reason: Reason, text: str = "") -> None:
        """The same of an adoption of what is native; how long that took is noted."""
        self.ways.took(self.fails(body, reason, text))
        self.is_native()

    def is_native(self) -> None:
        """As if it had never moved; no stack has its name."""
        self.is_unharmed()
        assert self.recorded == self.record
        assert self.ways.of(self.subject).stacks == ()

    def is_adopted(self, *, soaking: bool = False) -> None:
        """The same instance, in one stack."""
        self.is_unharmed()
        record = self.recorded
        assert (record.manager, record.state) == (ORCHESTRATOR, State.ACTIVE)
        assert record.soaking is soaking
        self.ways.bench.promises_are_kept(self.subject)

    def is_unharmed(self) -> None:
        """No id, start, address, attachment or size is another one, and Nova was asked nothing."""
        assert self._picture() == self.before

    def is_ill(self) -> None:
        """Nova says that the server is in ERROR."""
        self.operator.sets_state(self.server, "error")

    def is_well(self) -> None:
        """It is not any more. That somebody said so stands in the server's actions."""
        self.operator.sets_state(self.server, "active")
        there, actions = self._picture()
        assert there == self.before[0]
        self.before = (there, actions)

    def ends(self) -> None:
        """Whoever has it: it can be resized and deleted, and nothing is left."""
        assert self.recorded.manager in (NATIVES, ORCHESTRATOR)
        bench, ids = self.ways.bench, self.ways.of(self.subject).natives.ids
        bench.succeed(self.subject, ResizeInstance(project=TENANT, flavor=self.ways.site.large))
        assert self.ways.of(self.subject).natives.ids == ids
        self.ways.ends(self.subject)

    def _picture(self) -> tuple[Inventory, list[str]]:
        """All of it but the stacks, and what was ever asked of the server."""
        there = self.ways.of(self.subject).natives
        return there, self.operator.actions(there.server.id)
