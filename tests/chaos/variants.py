"""The core with one safety idea taken out: the suite has to notice each of them.

Nothing is patched: a variant is a deployment with one part replaced, as Stage takes it.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from consumer.holdings import Held
from consumer.ledger.base import Ending, Offer, Verdict
from consumer.ledger.memory import MemoryLedger
from consumer.ledger.memory_rows import Letter, Row, Tables
from consumer.observer import Observer
from consumer.policy import Policy
from consumer.reconciler import Reconciler
from consumer.secrets import Vault
from handlers.base import Step
from handlers.clouds.memory.faults import Call
from handlers.commands import Command, UpdateSecurityGroupRules
from handlers.errors import Ambiguous, Retryable
from handlers.instance import Instance, Scope
from handlers.natives import Natives
from handlers.operation import SECOND, Micros, Operation, Phase
from handlers.registry import Registry
from handlers.resources import Absent, Present, Query, Service, Unknown
from handlers.steps.audit import Audit
from handlers.steps.security_groups import AddRules, RemoveRules
from tests.chaos.probe import ProbedCloud
from tests.chaos.stage import CORE

T = TypeVar("T")

# -- eyes -----------------------------------------------------------------------------------------


class BelievesListings(Observer):
    """What a delta listing does not show is not there."""

    def _listen(self, cloud, kind, waiting, began):  # type: ignore[no-untyped-def]
        before = {name: entry.seen for name, entry in waiting.items()}
        super()._listen(cloud, kind, waiting, began)
        for name, entry in waiting.items():
            if entry.seen is before[name]:
                entry.seen = Absent(began)


class LooksBack(Observer):
    """Takes observations that are up to a second older than the operation's last act."""

    def see(
        self, scope: Scope, query: Query, after: Micros, quiet: Micros = 0
    ) -> Absent | Present | Unknown:
        return super().see(scope, query, after - SECOND, quiet)


# -- the ledger -----------------------------------------------------------------------------------


class _AnyOwner(Tables):
    """Writes whatever it is given, whoever owns the row by now."""

    def owned(self, op: Operation) -> Row | None:
        return self.named(op.id)

    def written(self, after: Operation) -> Operation:
        return after


class _NoLocks(Tables):
    """An operation opens whether or not another one of its subject is open."""

    def take_locks(self, op: Operation) -> None:
        self.locks[op.id] = op.id


class NoCompare(MemoryLedger):
    """Saves without a look at owner and version."""

    def __init__(self, now: Callable[[], Micros], vault: Vault | None = None) -> None:
        super().__init__(now, vault)
        self._tables = _AnyOwner()


class NoLocks(MemoryLedger):
    """Opens without a look at locks."""

    def __init__(self, now: Callable[[], Micros], vault: Vault | None = None) -> None:
        super().__init__(now, vault)
        self._tables = _NoLocks()


class NoIntent(MemoryLedger):
    """What a call may do is not written down before it is made."""

    def save(self, op: Operation) -> Operation:
        return replace(super().save(replace(op, quiet={})), quiet=op.quiet)


class SplitOutbox(MemoryLedger):
    """The event follows its operation in a transaction of its own."""

    def finish(self, ending: Ending) -> Operation:
        after = super().finish(ending)
        letter = self._tables.outbox.pop(ending.event.id)
        self._later().setdefault(ending.op.owner, []).append(letter)
        return after

    def heartbeat(self, worker: str) -> Micros:
        for letter in self._later().pop(worker, []):
            self._tables.outbox[letter.event.id] = letter
        return super().heartbeat(worker)

    def _later(self) -> dict[str, list[Letter]]:
        kept: dict[str, list[Letter]] = self.__dict__.setdefault("kept", {})
        return kept


class NoMark(MemoryLedger):
    """A delete only queues behind what is open."""

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        return super().accept([replace(offer, cancels=False) for offer in offers], worker)


# -- managers, reconciler, registry ---------------------------------------------------------------


class Unaudited(Natives):
    """Ends without looking for doubles."""

    def plan(self, command: Command, basis: Instance | None) -> tuple[Step, ...]:
        return tuple(step for step in super().plan(command, basis) if not isinstance(step, Audit))


class RemovesFirst(Natives):
    """Takes the old rules away before it adds the new ones."""

    def plan(self, command: Command, basis: Instance | None) -> tuple[Step, ...]:
        steps = super().plan(command, basis)
        if not isinstance(command.body, UpdateSecurityGroupRules):
            return steps
        return tuple(self._turned(step, steps) for step in steps)

    def _turned(self, step: Step, steps: tuple[Step, ...]) -> Step:
        others = frozenset(
            each.key for each in steps if not isinstance(each, AddRules | RemoveRules)
        )
        if isinstance(step, RemoveRules):
            return dataclasses.replace(step, needs=others)
        if isinstance(step, AddRules):
            return dataclasses.replace(step, needs=others | {"old-rules"})
        return step


class Trusting(Reconciler):
    """Takes an operation over as if its last owner had told everything."""

    def advance(self, held: Held, lane: Service) -> Service | None:
        if held.op.doubt and all(entry.what != "ambiguous" for entry in held.op.timeline):
            held.op = replace(held.op, doubt=False)
        return super().advance(held, lane)


class Unlimited(Reconciler):
    """Knows no deadline."""

    def _stop(self, held: Held) -> None:
        held.op = replace(held.op, deadline=held.op.deadline + 3600 * SECOND)
        super()._stop(held)


class AdmitsAll(Registry):
    """Asks neither tombstones nor records whether a command makes sense."""

    def steps(self, op: Operation) -> tuple[Step, ...]:
        if op.phase is Phase.UNDO:
            return super().steps(op)
        return self._of(op).plan(op.command, op.basis)


# -- the rest -------------------------------------------------------------------------------------


class Hasty(ProbedCloud):
    """A call without an answer had no effect: make it again."""

    def _ask(self, call: Call, ask: Callable[[], T]) -> T:
        try:
            return super()._ask(call, ask)
        except Ambiguous as fault:
            raise Retryable(fault.message, fault.reason, service=fault.service) from None


class Unhurried(Policy, frozen=True, kw_only=True):
    """Any time may pass between an intent and its call."""

    def quiet(self, service: Service) -> Micros:
        return CORE.policy.quiet(service)
