"""Each safety idea taken out once, and what the same schedules then come to."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import asdict, replace

from tests.chaos import variants
from tests.chaos.cells import at_all_places, with_calls_under_way, with_each_fault
from tests.chaos.dice import roll, roll_late
from tests.chaos.play import Outcome, play
from tests.chaos.scenarios import Case
from tests.chaos.schedule import Do, Schedule
from tests.chaos.stage import CORE, Variant
from tests.support.world import Parts

_POLICY = asdict(CORE.policy)
_UNHURRIED = variants.Unhurried(**{**_POLICY, "slack": 10 * _POLICY["limit"]})

#: The idea -> the deployment without it.
ABLATIONS: Mapping[str, Variant] = {
    "absence is believed only after the quiet time": Variant(
        policy=replace(CORE.policy, slack=0, call_timeout=0, lag=0)
    ),
    "a delta listing proves presence only": Variant(
        parts=Parts(observer=variants.BelievesListings)
    ),
    "nothing is checked against what was seen before the last act": Variant(
        parts=Parts(observer=variants.LooksBack)
    ),
    "the intent is saved before the call": Variant(ledger=variants.NoIntent),
    "after an unanswered call, look before anything else": Variant(cloud=variants.Hasty),
    "an operation in doubt ends with an audit": Variant(
        parts=Parts(managers=lambda: (variants.Unaudited(),))
    ),
    "what was taken over is in doubt": Variant(parts=Parts(reconciler=variants.Trusting)),
    "owner and version fence every save": Variant(ledger=variants.NoCompare),
    "one open operation per subject (lock rows)": Variant(ledger=variants.NoLocks),
    "outcome and event in one transaction": Variant(ledger=variants.SplitOutbox),
    "a delivery is settled after the ledger has it": Variant(parts=Parts(acks_first=True)),
    "a paused worker asks its lease and its intent's age before it calls": Variant(
        parts=Parts(asks_lease=False), policy=_UNHURRIED
    ),
    "a delete marks what is open as cancelled": Variant(ledger=variants.NoMark),
    "tombstones and records admit commands": Variant(parts=Parts(registry=variants.AdmitsAll)),
    "new rules come before old ones go": Variant(
        parts=Parts(managers=lambda: (variants.RemovesFirst(),))
    ),
    "an operation has a deadline": Variant(parts=Parts(reconciler=variants.Unlimited)),
}


#: What is played under every variant before the dice are thrown.
_DIRECTED = (
    Case("natives", "rules-update"),
    Case("natives", "create"),
    Case("natives", "resize-up"),
)


def schedules(count: int) -> Iterator[Schedule]:
    """What is most telling of a few scenarios, then `count` random ones; every tenth of these has
    calls that land after everybody stopped waiting."""
    yield from map(roll_late, range(10))
    for case in _DIRECTED:
        yield from with_calls_under_way(case)
        yield from at_all_places(case, Do.PAUSE, Do.CRASH, Do.DELETE)
        yield from with_each_fault(case, lag=3.0)
    for seed in range(count):
        yield roll_late(seed) if seed % 10 == 9 else roll(seed)


def wrong_ones(variant: Variant, plan: Iterable[Schedule]) -> Iterator[Outcome]:
    """The schedules that go wrong under a variant."""
    for schedule in plan:
        outcome = play(schedule, variant)
        if outcome.problems:
            yield outcome
