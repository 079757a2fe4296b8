"""The in-memory cloud, watched: its calls are places, and what the fault plan did is noted."""

from collections.abc import Callable
from typing import TypeVar

from handlers.clouds.memory import CloudState, MemoryCloud
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Effect, Late
from handlers.operation import SECOND, Micros
from handlers.resources import Service
from tests.chaos.crossings import Crossings

T = TypeVar("T")


class ProbedCloud(MemoryCloud):
    """Says what was called for which step, and which fault struck there."""

    def __init__(
        self, state: CloudState, crossings: Crossings, take_time: Callable[[], None]
    ) -> None:
        super().__init__(state)
        self._crossings = crossings
        self._take_time = take_time
        self.calls: list[tuple[str, str]] = []
        self.faults: list[tuple[str, str, Effect]] = []
        self._lands: Micros = 0

    def in_flight(self) -> bool:
        """Whether a call of before may still land."""
        return self._lands > self._state.core.now()

    def _call(
        self,
        service: Service,
        verb: str,
        effect: Callable[[Doing], T],
        subject: str | None = None,
        role: str | None = None,
    ) -> T:
        plan = self._state.gate.plan
        looks = verb.startswith(("get_", "find_", "changed_"))
        step = verb if looks else self._crossings.step
        before = plan.hits
        self._take_time()
        self.calls.append((step, verb))
        try:
            return super()._call(service, verb, effect, subject, role)
        finally:
            for rule, old, new in zip(plan.rules, before, plan.hits, strict=False):
                if new > old:
                    self._struck(step, verb, rule.effect)
            self._answer(looks, verb)

    def _struck(self, step: str, verb: str, effect: Effect) -> None:
        self.faults.append((step, verb, effect))
        if isinstance(effect, Late):
            lands = self._state.core.now() + int(effect.seconds * SECOND)
            self._lands = max(self._lands, lands)

    def _answer(self, looks: bool, verb: str) -> None:
        if looks:
            self._crossings.cross("in-look", verb)
        else:
            self._crossings.in_call()
