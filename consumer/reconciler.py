"""The reconciler: takes one operation as far as it goes.

It looks at the steps that are ready, in plan order. DONE: mark it, look at the next. ACT: the hands
make one call (hands.py). WAIT: nothing is written. A Terminal fault turns the
operation back; when nothing is ready and nothing waits, it ends: outcome, record, lock and event in
one transaction.
"""

from collections.abc import Callable, Mapping
from random import Random

from msgspec.structs import replace

from consumer.clock import Clock
from consumer.hands import Checkpoint, Hands
from consumer.holdings import Held
from consumer.ledger.base import Ending, Ledger
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.telemetry.base import Telemetry
from handlers.admission import heed_cancellation
from handlers.base import Clouds, Next, Step
from handlers.errors import Reason, Retryable, Terminal
from handlers.events import EventKind, event_of
from handlers.operation import Failure, Micros, Operation, Phase
from handlers.registry import Registry
from handlers.resources import Absent, Seen, Service, Unknown


class Reconciler:
    """Advances operations; every collaborator is given to it, so tests run it in virtual time."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        registry: Registry,
        clouds: Clouds,
        eyes: Mapping[Service, Observer],
        policy: Policy,
        clock: Clock,
        telemetry: Telemetry,
        sure: Callable[[], bool] = lambda: True,
        checkpoint: Checkpoint = lambda name, op, step: None,
        random: Random | None = None,
    ) -> None:
        """`sure` says whether the worker's lease holds beyond doubt."""
        self._ledger = ledger
        self._registry = registry
        self._clouds = clouds
        self._eyes = eyes
        self._policy = policy
        self._clock = clock
        self._telemetry = telemetry
        self._checkpoint = checkpoint
        self._hands = Hands(
            ledger=ledger,
            clouds=clouds,
            eyes=eyes,
            policy=policy,
            clock=clock,
            telemetry=telemetry,
            sure=sure,
            checkpoint=checkpoint,
            random=random or Random(),  # noqa: S311 -- jitter, not a secret
        )

    def advance(self, held: Held, lane: Service) -> Service | None:
        """Take it as far as it goes in the lane of one service.

        Returns the service in whose lane it must go on, or None when it waits or has ended. Raises
        Stale when the operation belongs to another worker, Unavailable when the ledger is away.
        """
        while held.op.phase.is_open:
            try:
                self._prepare(held)
                self._stop(held)
                moved = self._round(held, lane)
            except Terminal as fault:
                self._turn(held, fault, None)
                continue
            if moved is not None and moved is not lane:
                return moved
            if moved is None and self._rest(held):
                return None
        return None

    # -- looking and deciding -------------------------------------------------------------------

    def _stop(self, held: Held) -> None:
        """Raise Terminal for an operation that was cancelled or ran out of time."""
        op, now = held.op, self._clock.now()
        if op.phase is Phase.FORWARD:
            heed_cancellation(op)
        if now > held.deadline:
            seconds = (now - op.opened) // 1_000_000
            raise Terminal(f"not finished after {seconds} s; {self._why(held)}", Reason.DEADLINE)

    def _why(self, held: Held) -> str:
        """The last trouble, or what cannot be seen now; else what the operation waits for."""
        steps, trouble = tuple(held.ready()), held.op.trouble
        for step in () if trouble else steps:
            query = step.wants(held.op)
            fault = query and self._eyes[step.service].fault(held.op.scope, query)
            trouble = trouble or (Failure.of(fault) if fault else None)
        if trouble:
            return f"the last trouble was: {trouble.told}"
        return "waiting for " + ", ".join(f"{step.service} ({step.key})" for step in steps)

    def _prepare(self, held: Held) -> None:
        """The plan of the phase, made once; for claims, the project in which resources are made."""
        if held.plan is None or held.phase is not held.op.phase:
            held.plan, held.phase = self._registry.steps(held.op), held.op.phase
        if held.op.command.needs_home and not held.op.home:
            try:
                home = self._clouds.of(held.op.scope).project
            except Retryable:
                return  # look-ups will say so too; the operation waits for the cloud
            held.op = replace(held.op, home=home)

    def _round(self, held: Held, lane: Service) -> Service | None:
        """One pass. What waits for another lane is not put off by what this one sees: a lane that
        is looked at every second would starve the others."""
        before, held.waits = held.waits, {}
        moved = self._pass(held, lane)
        if moved is None:
            held.waits = {each: min(at, before.get(each, at)) for each, at in held.waits.items()}
        else:
            held.waits = before
        return moved

    def _pass(self, held: Held, lane: Service) -> Service | None:
        """Look at the ready steps once. The lane to go on in, or None when all of them wait."""
        now = self._clock.now()
        for step in held.ready():
            try:
                verdict, seen = self._decide(held, step, now)
                if verdict is Next.DONE:
                    self._done(held, step, seen)
                    return lane
                if verdict is Next.ACT and seen is not None:
                    if step.service is not lane:
                        return step.service
                    if self._hands.act(held, step, seen):
                        self._done(held, step, None)
                    return lane
            except Terminal as fault:
                self._turn(held, fault, step)
                return lane
        return None

    def _decide(self, held: Held, step: Step, now: Micros) -> tuple[Next, Seen | None]:
        """What the step asks for, and what it saw. WAIT has been noted down when it is returned."""
        seen = self._see(held, step, now)
        if seen is None:
            return Next.WAIT, None
        verdict = self._check(held, step, seen)
        sound = self._is_sound(held, step, seen, verdict)
        if sound and verdict is not Next.WAIT:
            return verdict, seen
        quiet = 0 if sound else held.op.quiet[step.key]
        held.wait(step.service, max(quiet, self._policy.next_look(now)))
        return Next.WAIT, seen

    def _see(self, held: Held, step: Step, now: Micros) -> Seen | None:
        """What the step wants to see, or None (and a wait) when nobody looked late enough, or when
        it shall pause after a fault."""
        if held.paused.get(step.key, 0) > now:
            held.wait(step.service, held.paused[step.key])
            return None
        query = step.wants(held.op)
        if query is None:
            return Absent(now)
        eyes = self._eyes[step.service]
        quiet = held.op.quiet.get(step.key, 0)
        seen = eyes.see(held.op.scope, query, max(held.op.acted, held.since - 1), quiet)
        if not isinstance(seen, Unknown):
            return seen
        if eyes.fresh(held.op.scope, query):
            held.wait(step.service, now)
        else:
            held.wait(step.service, max(quiet, self._policy.next_look(now)))
        return None

    def _check(self, held: Held, step: Step, seen: Seen) -> Next:
        try:
            return step.check(held.op, seen)
        except Terminal:
            held.learn(step, seen)
            raise
        except Exception as error:  # a defect must not stop the worker: the deadline ends it
            self._telemetry.defect(held.op, step.key, error)
            return Next.WAIT

    def _is_sound(self, held: Held, step: Step, seen: Seen, verdict: Next) -> bool:
        """Whether this look began after every call of the step was over, where that matters.

        Something that is there is there; only on the way back DONE means that nothing is.
        """
        if verdict is Next.WAIT or (verdict is Next.DONE and held.op.phase is Phase.FORWARD):
            return True
        quiet = held.op.quiet.get(step.key, 0)
        return seen.at >= quiet and self._clock.now() >= quiet

    def _rest(self, held: Held) -> bool:
        """Wait, or end when nothing is left to wait for. True when the operation waits."""
        if not held.waits:
            self._finish(held)
            return False
        if held.dirty:
            self._save(held, held.op)
        return True

    def _done(self, held: Held, step: Step, seen: Seen | None) -> None:
        facts = step.learn(held.op, seen) if seen is not None else {}
        op = held.op.mark(step.key, facts)
        if op.touched(step.key):
            op = op.note(self._clock.now(), "done", step.key)
        self._telemetry.done(op, step.key, Next.DONE)
        held.keep_sight(op)

    # -- turning and ending ---------------------------------------------------------------------

    def _turn(self, held: Held, fault: Terminal, step: Step | None) -> None:
        """Go back where there is a way back; otherwise leave the step, or end."""
        if step is None:
            self._look_back(held)
        op, now = held.op, self._clock.now()
        key = step.key if step else ""
        op = op.note(now, "terminal", key, fault.message, fault.request_id)
        way_back = () if self._no_return(held) else self._registry.way_back(op)
        if way_back and (op.learned or op.quiet):
            self._save(held, op.to_undo(Failure.of(fault), deadline=now + self._policy.undo_budget))
        elif step is not None and not way_back:
            held.keep(op.give_up(step.key, Failure.of(fault)))
        else:
            held.keep(op.fail(Failure.of(fault)))
            self._finish(held)

    def _look_back(self, held: Held) -> None:
        """It is cut short: how do the things stand that it touched? Perhaps nobody looks again."""
        now = self._clock.now()
        held.paused = {}  # what was held back after a fault is not called again
        for step in held.ready():
            try:
                seen = self._see(held, step, now)
            except Terminal:
                continue
            if seen is not None and seen.at >= held.op.quiet.get(step.key, 0):
                held.learn(step, seen)

    def _no_return(self, held: Held) -> bool:
        """Whether the operation is on its way back already, or past a pivot: its call was made,
        and it was not seen to have come to nothing."""
        op = held.op
        return op.phase is Phase.UNDO or any(
            step.pivot and (step.key in op.done or (op.touched(step.key) and step.left(op)))
            for step in held.plan or ()
        )

    def _finish(self, held: Held) -> None:
        """Outcome, record, lock release and event, in one transaction."""
        now = self._clock.now()
        op = held.op
        left = self._registry.leftovers(op) if op.failure else ()
        kind = EventKind.ERROR if op.failure else EventKind.END
        op = op.note(now, str(kind)).end(now, left)
        record = self._registry.record(op)
        self._checkpoint("before-finish", op, "")
        held.written(self._ledger.finish(Ending(op, event_of(op, kind, now, record), record)))
        self._checkpoint("after-finish", op, "")
        self._telemetry.finished(held.op)

    def _save(self, held: Held, op: Operation) -> None:
        held.written(self._ledger.save(op))
