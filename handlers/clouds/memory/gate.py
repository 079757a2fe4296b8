"""Every call goes through here: it is counted, and the fault plan may spoil it."""

from collections import Counter
from collections.abc import Callable
from typing import NoReturn, TypeVar

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import (
    Call,
    Delay,
    Down,
    Effect,
    FaultPlan,
    Late,
    Lose,
    Refuse,
    Reset,
    Spoil,
)
from handlers.clouds.memory.refusal import Lost, Refusal, over_quota

Answered = TypeVar("Answered")


class Gate:
    """Runs effects under the state's lock, through the fault plan."""

    def __init__(self, core: Core, plan: FaultPlan, sleep: Callable[[float], None]) -> None:
        self.plan = plan
        self.counts: Counter[tuple[str, str]] = Counter()
        self._core = core
        self._sleep = sleep

    def call(self, call: Call, effect: Callable[[Doing], Answered]) -> Answered:
        """Let the call happen; raises Refusal or Lost.

        The fault plan's delays, and an answer that is waited for in vain, are slept outside the
        lock.
        """
        core = self._core
        try:
            with core.lock:
                core.advance()
                self.counts[call.service, call.verb] += 1
                fault, doing = self.begin(call)
                if not isinstance(fault, Delay):
                    return self.finish(fault, doing, effect)
            self._sleep(fault.seconds)
            with core.lock:
                core.advance()
                return self.finish(None, doing, effect)
        except Lost as lost:
            if lost.seconds:
                self._sleep(lost.seconds)
            raise

    def begin(self, call: Call) -> tuple[Effect | None, Doing]:
        """What goes wrong with a call, and what its effect will be told. With the lock held: for a
        service that calls another one, which nobody counts."""
        return self.plan.draw(call), Doing(call, f"req-{self._core.new_id()}")

    def finish(
        self, fault: Effect | None, doing: Doing, effect: Callable[[Doing], Answered]
    ) -> Answered:
        """The call itself, with the lock held; a Delay has been waited out by the caller."""
        try:
            if isinstance(fault, Spoil):
                doing.outcome, doing.text = fault.outcome, fault.text
            elif fault is not None and not isinstance(fault, Delay):
                self._fail(fault, doing, effect)
            return effect(doing)
        except Refusal as refusal:
            refusal.request_id = doing.request_id
            raise

    def _fail(
        self,
        fault: Refuse | Reset | Down | Lose | Late,
        doing: Doing,
        effect: Callable[[Doing], object],
    ) -> NoReturn:
        service = doing.call.service
        if isinstance(fault, Refuse):
            if fault.quota:
                raise over_quota(service, doing.call.verb.partition("_")[2])
            raise Refusal(service, fault.status, fault.message, fault.code)
        if isinstance(fault, Reset | Down):
            raise Lost(service, sent=isinstance(fault, Reset))
        if isinstance(fault, Late):
            if doing.call.mutates:
                moment = self._core.time + int(fault.seconds * 1_000_000)
                self._core.at(moment, lambda: _unheard(effect, doing))
        else:
            _unheard(effect, doing)
        raise Lost(service, fault.status)


def _unheard(effect: Callable[[Doing], object], doing: Doing) -> None:
    """The call lands, and nobody hears what the service says to it."""
    try:
        effect(doing)
    except Refusal:
        return
