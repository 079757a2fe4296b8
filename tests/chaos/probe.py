"""The in-memory cloud, watched: its calls are places, and what the fault plan did is noted."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from handlers.base import Answer
from handlers.clouds.memory import CloudState, MemoryCloud
from handlers.clouds.memory.asking import Asking
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call, Effect, FaultPlan, Late, Lose, Refuse
from handlers.clouds.memory.lookups import Lookups
from handlers.clouds.memory.stacks import Stacks
from handlers.operation import SECOND, Micros
from handlers.orders import StackUpdate
from handlers.resources import Service
from tests.chaos.crossings import Crossings

T = TypeVar("T")

#: What stands for the step of a call that Heat's engine makes.
BY_HEAT = "by-heat"


class WatchedPlan(FaultPlan):
    """A fault plan that tells of each call and of what it would do to it; the answer decides."""

    def __init__(self, tell: Callable[[Call, Effect | None], Effect | None], seed: int) -> None:
        super().__init__(seed=seed)
        self._tell = tell

    def draw(self, call: Call) -> Effect | None:
        return self._tell(call, super().draw(call))


class ProbedCloud(MemoryCloud):
    """Says what was called for which step, and which fault struck there.

    `calls` and `faults` begin with the step's key: a look-up's own verb, or BY_HEAT.
    """

    def __init__(
        self, state: CloudState, crossings: Crossings, take_time: Callable[[], None], seed: int = 0
    ) -> None:
        super().__init__(state)
        self._asking = _Probe(state, self._project, self._ask)
        self._lookups = Lookups(self._asking)
        self._stacks = Stacks(self._asking)
        self._crossings = crossings
        self._take_time = take_time
        self.calls: list[tuple[str, str]] = []
        self.faults: list[tuple[str, str, Effect]] = []
        self._lands: Micros = 0
        self._under_way: list[tuple[Call, str]] = []
        self.harmful = False  # Heat's preview says so
        state.gate.plan = WatchedPlan(self._drawn, seed)

    def in_flight(self) -> bool:
        """Whether a call of before may still land."""
        return self._lands > self._state.core.now()

    def preview_stack(self, change: StackUpdate) -> Answer:
        answer = super().preview_stack(change)
        told = {"replaced": ["server"]} if self.harmful else {}
        return replace(answer, facts={**answer.facts, **told})

    def _ask(self, call: Call, ask: Callable[[], T]) -> T:
        """One call of a worker's."""
        step = self._crossings.step if call.mutates else call.verb
        self._take_time()
        self._under_way.append((call, step))
        try:
            return ask()
        finally:
            if (call, step) in self._under_way:
                self._under_way.remove((call, step))
            self._answer(call)

    def _drawn(self, call: Call, effect: Effect | None) -> Effect | None:
        """Ours, if it is one that was just begun; otherwise Heat's engine makes it."""
        mine = next((each for each in reversed(self._under_way) if each[0] == call), None)
        if mine is not None:
            self._under_way.remove(mine)
        step = mine[1] if mine else BY_HEAT
        if mine is None:
            effect = _on_heat(call, effect, twins=self._state.core.abilities.twins)
        self.calls.append((step, call.verb))
        if effect is not None:
            self.faults.append((step, call.verb, effect))
        if isinstance(effect, Late):
            lands = self._state.core.now() + int(effect.seconds * SECOND)
            self._lands = max(self._lands, lands)
        if mine is None:
            self._crossings.cross(BY_HEAT, call.verb)
        return effect

    def _answer(self, call: Call) -> None:
        if call.mutates:
            self._crossings.in_call()
        else:
            self._crossings.cross("in-look", call.verb)


def _on_heat(call: Call, effect: Effect | None, *, twins: bool) -> Effect | None:
    """What nobody could find out from outside is not done to Heat's own calls: none lands after
    Heat said that it failed, no service says of a thing that lives that it is gone, and of a second
    set Heat knows what it made."""
    if twins and isinstance(effect, Late | Lose) and call.verb.startswith("create_"):
        return Refuse(status=500)
    if isinstance(effect, Late):
        return Lose(status=effect.status)
    if isinstance(effect, Refuse) and effect.status == 404 and call.verb.startswith("delete_"):
        return replace(effect, status=500)
    return effect


class _Probe(Asking):
    """Asks as ever, `through` somebody who watches."""

    def __init__(
        self, state: CloudState, project: str, through: Callable[[Call, Callable[[], Any]], Any]
    ) -> None:
        super().__init__(state, project)
        self._through = through

    def call(
        self,
        service: Service,
        verb: str,
        effect: Callable[[Doing], T],
        subject: str | None = None,
        role: str | None = None,
    ) -> T:
        ask = partial(super().call, service, verb, effect, subject, role)
        answer: T = self._through(Call(service, verb, subject, role), ask)
        return answer
