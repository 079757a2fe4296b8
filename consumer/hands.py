"""The hands: make the one call of a step. Intent first, then the call, then what it told."""

from collections.abc import Callable, Mapping
from random import Random

from consumer.clock import Clock
from consumer.holdings import Held
from consumer.ledger.base import Ledger, Unavailable
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.telemetry.base import Telemetry
from handlers.base import Answer, Clouds, Next, Step
from handlers.errors import Ambiguous, Fault, Reason, Terminal
from handlers.operation import Failure, Micros, Operation
from handlers.resources import Present, Seen, Service

#: Called at the boundaries of a step, with the boundary's name, the operation and the step's key:
#: `before-intent`, `after-intent`, `after-call`, `before-finish`, `after-finish`. Tests crash here.
Checkpoint = Callable[[str, Operation, str], None]


class Hands:
    """Touches the cloud for an operation, once per `act`."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clouds: Clouds,
        eyes: Mapping[Service, Observer],
        policy: Policy,
        clock: Clock,
        telemetry: Telemetry,
        sure: Callable[[], bool],
        checkpoint: Checkpoint,
        random: Random,
    ) -> None:
        """`sure` says whether the worker's lease holds beyond doubt."""
        self._ledger = ledger
        self._clouds = clouds
        self._eyes = eyes
        self._policy = policy
        self._clock = clock
        self._telemetry = telemetry
        self._sure = sure
        self._checkpoint = checkpoint
        self._random = random

    def act(self, held: Held, step: Step, seen: Seen) -> bool:
        """Make the step's call; True when its answer shows the step done.

        Raises Terminal as the call does, Stale and Unavailable as the ledger does, and Unavailable
        too when the worker's lease is in doubt: then so is everything that it holds.
        """
        self._checkpoint("before-intent", held.op, step.key)
        intent = self._intend(held, step)
        self._checkpoint("after-intent", held.op, step.key)
        if not self._sure():
            raise Unavailable("the worker's lease is in doubt")
        if self._clock.now() - intent > self._policy.slack:
            return False  # paused in between: the intent is too old to act on, so look again
        began = self._clock.now()
        try:
            answer = step.act(held.op, seen, self._clouds.of(held.op.scope))
        except Fault as fault:
            self._faulted(held, step, seen, fault)
            return False
        except Exception as error:  # a defect in an adapter: it may have called or not
            self._telemetry.defect(held.op, step.key, error)
            self._faulted(held, step, seen, Ambiguous(type(error).__name__, Reason.INTERNAL))
            return False
        self._checkpoint("after-call", held.op, step.key)
        return self._answered(held, step, answer, began)

    def _intend(self, held: Held, step: Step) -> Micros:
        """Save what a call may do before it is made; returns when that was."""
        now = self._clock.now()
        if step.key in held.op.quiet:  # an earlier call, never answered, may have done its part
            held.keep(held.op.found(step.key, {}))
        if step.unique or step.pivot:
            intent = held.op.hush(step.key, now + self._policy.quiet(step.service))
            held.written(self._ledger.save(intent))
        elif held.sighted:
            held.written(self._ledger.save(held.op))
        return now

    def _answered(self, held: Held, step: Step, answer: Answer, began: Micros) -> bool:
        now = self._clock.now()
        told = Present(answer.resources, now)
        facts = {**answer.facts, **(step.learn(held.op, told) if answer.resources else {})}
        op = held.op.note(now, "acted", step.key, request_id=answer.request_id)
        self._telemetry.acted(op, step.key, (now - began) / 1e6)
        held.keep(op.learn(step.key, facts, now))
        for resource in answer.resources:
            self._eyes[step.service].tell(op.scope, resource, now + 1)
        if "duplicate" in answer.facts:
            self._telemetry.duplicate_removed(answer.facts["duplicate"])
        if answer.settled:
            return True
        return bool(answer.resources) and step.check(held.op, told) is Next.DONE

    def _faulted(self, held: Held, step: Step, seen: Seen, fault: Fault) -> None:
        """A call that did not go through; raises it again when it is Terminal."""
        now = self._clock.now()
        self._telemetry.fault(held.op, step.key, fault)
        if isinstance(fault, Terminal):
            held.keep(held.op.unhush(step.key))
            held.learn(step, seen)
            raise fault
        kind = type(fault).__name__.lower()
        op = held.op.note(now, kind, step.key, fault.message, fault.request_id)
        op = op.tried(now, Failure.of(fault))
        if isinstance(fault, Ambiguous):
            op = op.doubted() if op.touched(step.key) else op.doubted().found(step.key, {})
        else:
            op = op.unhush(step.key)
        held.keep(op)
        held.paused[step.key] = now + self._policy.pause(op.attempts, self._random)
