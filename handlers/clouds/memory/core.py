"""The ground that the services stand on: time, chance, one lock, and what is due when.

Nothing here sleeps or runs by itself. What will happen is a queue of (time, action); whoever calls
brings it up to date first. So the same state works in virtual and in real time.
"""

import random
import uuid
from collections.abc import Callable
from heapq import heappop, heappush
from threading import RLock

from handlers.clouds.memory.audit import Audit, Made
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.settings import Abilities, Catalogue, Quotas, Range, Times
from handlers.clouds.memory.things import (
    AnyThing,
    GroupThing,
    Micros,
    PortThing,
    ServerThing,
    StackThing,
    VolumeThing,
)

Action = Callable[[], None]

#: The project that the credentials of a state belong to, unless it is told otherwise.
PROJECT = "56a81e02757c49a29a387c2ae03f0866"


class Core:
    """Clock, agenda and stores of one cloud. Hold `lock` for every use of it.

    `time` is the moment that is being played: during `advance` the moment at which an action was
    due, afterwards the time of the call.
    """

    def __init__(
        self, now: Callable[[], Micros], seed: int, times: Times, catalogue: Catalogue
    ) -> None:
        self.now = now
        self.random = random.Random(seed)  # noqa: S311 -- a simulation wants to be repeatable
        self.times = times
        self.abilities = Abilities()
        self.quotas: dict[str, Quotas] = {}
        self.catalogue = catalogue
        self.audit = Audit()
        self.lock = RLock()
        self.time: Micros = now()
        self.servers: dict[str, ServerThing] = {}
        self.gone: dict[str, ServerThing] = {}
        self.volumes: dict[str, VolumeThing] = {}
        self.ports: dict[str, PortThing] = {}
        self.groups: dict[str, GroupThing] = {}
        self.stacks: dict[str, StackThing] = {}
        self._agenda: list[tuple[Micros, int, Action]] = []
        self._entries = 0
        self._playing = False
        self._advancing = False

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def quota(self, project: str) -> Quotas:
        """What the project may have; "" in `quotas` stands for those that are not named."""
        return self.quotas.get(project) or self.quotas.get("") or Quotas()

    def draw(self, between: Range) -> Micros:
        """A duration from a range of seconds, in microseconds."""
        first, last = between
        seconds = first if first == last else self.random.uniform(first, last)
        return int(seconds * 1_000_000)

    def at(self, moment: Micros, action: Action) -> None:
        """Do `action` when the time has come."""
        self._entries += 1
        heappush(self._agenda, (moment, self._entries, action))

    def later(self, thing: AnyThing, delay: Micros, action: Action) -> None:
        """Do `action` after `delay` unless something new began with the thing, or it went."""
        epoch = thing.epoch

        def run() -> None:
            if thing.epoch == epoch:
                action()

        self.at(self.time + delay, run)

    def advance(self) -> None:
        """Let everything happen that was due until now, in its order; nothing, when it is an
        action that asks: what is due after it comes after it."""
        if self._advancing:
            return
        self._advancing = True
        try:
            until = self.now()
            while self._agenda and self._agenda[0][0] <= until:
                self.time, _, action = heappop(self._agenda)
                action()
            self.time = max(until, self.time)
        finally:
            self._advancing = False

    @property
    def next_due(self) -> Micros | None:
        """When the next thing happens by itself; None when nothing is under way."""
        return self._agenda[0][0] if self._agenda else None

    def born(self, thing: AnyThing, doing: Doing) -> None:
        """A thing came to be: date it, hide it from listings for a while, write the journal."""
        thing.created = self.time
        thing.visible = self.time + self.draw(self.times.list_lag)
        thing.request_id = doing.request_id
        self.audit.made.append(
            Made(
                at=self.time,
                kind=thing.kind,
                id=thing.id,
                verb=doing.call.verb,
                subject=thing.subject,
                role=thing.role,
            )
        )

    def flap(self, thing: AnyThing, before: str) -> None:
        """Done; half a second later it looks for a second as before, as a lagging replica has it;
        then done again. What has become something else in the meantime stays that."""
        done = thing.status

        def back() -> None:
            if thing.status == done:
                thing.status = before
                self.later(thing, 1_000_000, again)

        def again() -> None:
            if thing.status == before:
                self.touch(thing, done)

        self.later(thing, 500_000, back)

    def touch(self, thing: AnyThing, status: str | None = None) -> None:
        """The thing changed now."""
        if status is not None:
            thing.status = status
        thing.updated = self.time
