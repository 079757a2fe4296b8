"""Each safety idea taken out once, and what the same schedules then come to."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from msgspec.structs import asdict, replace

from handlers.base import Step
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.natives import Natives
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.orchestrator import Orchestrator
from tests.chaos import move_variants, stack_variants, variants
from tests.chaos.cells import (
    at_all_places,
    on,
    with_calls_under_way,
    with_each_fault,
    with_meddling,
)
from tests.chaos.dice import roll, roll_late
from tests.chaos.play import Outcome, play
from tests.chaos.scenarios import Case
from tests.chaos.schedule import Do, Schedule
from tests.chaos.stage import CORE, Variant
from tests.support.world import Parts

_POLICY = asdict(CORE.policy)
_UNHURRIED = variants.Unhurried(**{**_POLICY, "slack": 10 * _POLICY["limit"]})


@dataclass(frozen=True, slots=True)
class Ablation:
    """A deployment without an idea, and the scenarios that are played on it before the dice."""

    variant: Variant
    scenarios: tuple[str, ...] = ("rules-update", "create", "resize-up")
    manager: str = NATIVES


def _parts(**parts: object) -> Ablation:
    return Ablation(Variant(parts=Parts(**parts)))  # type: ignore[arg-type]


def _natives(manager: Callable[[], Natives]) -> Ablation:
    return _parts(managers=lambda: (manager(), Orchestrator()))


def _stacks(change: Callable[[Step], Step | None], *scenarios: str) -> Ablation:
    variant = Variant(parts=stack_variants.without(change))
    return Ablation(variant, scenarios, ORCHESTRATOR)


def _moves(change: move_variants.Change, *scenarios: str) -> Ablation:
    return Ablation(Variant(parts=move_variants.without(change)), scenarios, MIGRATION)


#: The idea -> the deployment without it.
ABLATIONS: Mapping[str, Ablation] = {
    "absence is believed only after the quiet time": Ablation(
        Variant(policy=replace(CORE.policy, slack=0, call_timeout=0, lag=0))
    ),
    "a delta listing proves presence only": _parts(observer=variants.BelievesListings),
    "nothing is checked against what was seen before the last act": _parts(
        observer=variants.LooksBack
    ),
    "the intent is saved before the call": Ablation(Variant(ledger=variants.NoIntent)),
    "after an unanswered call, look before anything else": Ablation(Variant(cloud=variants.Hasty)),
    "an operation in doubt ends with an audit": _natives(variants.Unaudited),
    "what was taken over is in doubt": _parts(reconciler=variants.Trusting),
    "owner and version fence every save": Ablation(Variant(ledger=variants.NoCompare)),
    "one open operation per subject (lock rows)": Ablation(Variant(ledger=variants.NoLocks)),
    "outcome and event in one transaction": Ablation(Variant(ledger=variants.SplitOutbox)),
    "a delivery is settled after the ledger has it": _parts(acks_first=True),
    "a paused worker asks its lease and its intent's age before it calls": Ablation(
        Variant(parts=Parts(asks_lease=False), policy=_UNHURRIED)
    ),
    "a delete marks what is open as cancelled": Ablation(Variant(ledger=variants.NoMark)),
    "tombstones and records admit commands": _parts(registry=variants.AdmitsAll),
    "new rules come before old ones go": _natives(variants.RemovesFirst),
    "an operation has a deadline": _parts(reconciler=variants.Unlimited),
    # of stacks
    "each service has a quiet time of its own": Ablation(
        Variant(policy=replace(CORE.policy, call_timeouts={})), ("create",), ORCHESTRATOR
    ),
    "no stack is updated while Heat is at work on it": _stacks(
        stack_variants.hurried, "resize-up", "resize-broken"
    ),
    "an intent is saved before a stack is written": _stacks(
        stack_variants.unintended, "create", "resize-up"
    ),
    "COMPLETE counts with our mark in the stack's tags only": _stacks(
        stack_variants.believing, "resize-up", "volume-resize"
    ),
    "a server is settled before its stack is put back": _stacks(
        stack_variants.unsettled, "resize-broken"
    ),
    "on the way back a stack is told by its mark, not by its name": _stacks(
        stack_variants.taking, "create-occupied"
    ),
    "Heat may not replace anything": _stacks(stack_variants.unprotected, "resize-broken"),
    "a stack retains its volume": _stacks(stack_variants.unretained, "resize-up"),
    "what a stack retains is removed natively": _stacks(stack_variants.abandoning, "delete"),
    "what Heat lost sight of is looked for": _stacks(stack_variants.trusting, "create"),
    # of moves
    "a move compares what is there with the record, before and after": _moves(
        move_variants.unobserved, "adopt-drifted"
    ),
    "a volume that goes with its server is not adopted so": _moves(
        move_variants.dooming, "adopt-imported"
    ),
    "what Nova was told of a volume is given back": _moves(
        move_variants.keeping, "release-adopted"
    ),
    "what Heat made of an adoption is looked at": _moves(move_variants.unproven, "adopt-harmful"),
    "an intent is saved before an adoption, a commit and a word to Nova": _moves(
        move_variants.unintended, "adopt-imported", "adopt-unchecked"
    ),
    "a policy is set when Heat has said so": _moves(
        move_variants.hopeful, "adopt-commit", "release-adopted"
    ),
    "a stack is let go when it is sure to retain everything": _moves(
        move_variants.unsure, "release-adopted"
    ),
    "a stack that would delete something is never let go": _moves(
        move_variants.careless, "adopt-uncommitted", "release-adopted"
    ),
    "of a second set only what is not ours is removed": _moves(move_variants.greedy, "adopt-twins"),
    "what a stack made of its own is removed": _moves(
        move_variants.forgetful, "adopt", "adopt-twins"
    ),
    "an instance changes hands at the end of its move": Ablation(
        Variant(parts=move_variants.early()), ("adopt-unchecked",), MIGRATION
    ),
}


def schedules(count: int, ablation: Ablation) -> Iterator[Schedule]:
    """What is most telling of a few scenarios, then `count` random ones; every tenth of these has
    calls that land after everybody stopped waiting."""
    yield from map(roll_late, range(10))
    for scenario in ablation.scenarios:
        case = Case(ablation.manager, scenario)
        yield on(case)
        yield from with_calls_under_way(case)
        yield from with_meddling(case)
        yield from at_all_places(case, Do.MEDDLE, Do.VANISH)
        yield from at_all_places(case, Do.PAUSE, Do.CRASH, Do.DELETE)
        yield from with_each_fault(case, lag=3.0)
    for seed in range(count):
        yield roll_late(seed) if seed % 10 == 9 else roll(seed)


def wrong_ones(ablation: Ablation, plan: Iterable[Schedule]) -> Iterator[Outcome]:
    """The schedules that go wrong without the idea."""
    for schedule in plan:
        outcome = play(schedule, ablation.variant)
        if outcome.problems:
            yield outcome
