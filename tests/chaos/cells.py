"""Everything that can be enumerated of a scenario, as schedules."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from msgspec.structs import replace

from handlers.clouds.memory.faults import FaultRule, Refuse
from handlers.resources import Service
from tests.chaos.crossings import LEDGER_CALLS, Crossing
from tests.chaos.faultkinds import FAULTS, faults_for
from tests.chaos.play import play
from tests.chaos.schedule import Do, Schedule, Strike

#: Longer than a lease: the others take over, and then the paused one wakes up.
PAUSE = 50.0

#: Answers that were lost while the call lands: at once, or a good while later.
_UNHEARD = ("late", "lose")


@dataclass(frozen=True, slots=True)
class Run:
    """What an undisturbed run of a scenario came to and called: pairs of step and verb."""

    places: tuple[Crossing, ...]
    calls: tuple[tuple[str, str], ...]

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """The calls that change something, each once."""
        distinct = dict.fromkeys(self.calls)
        return tuple(each for each in distinct if not each[1].startswith(_LOOKS))


_LOOKS = ("get_", "find_", "changed_")


@cache
def undisturbed(scenario: str) -> Run:
    stage = play(Schedule(scenario=scenario)).stage
    return Run(tuple(stage.crossings.trace), tuple(stage.cloud.calls))


def at_all_places(scenario: str, *dos: Do) -> Iterator[Schedule]:
    """Each place of an undisturbed run, and each thing that may happen there."""
    seen: Counter[Crossing] = Counter()
    for crossing in undisturbed(scenario).places:
        seen[crossing] += 1
        for do in dos:
            if do is Do.UNAVAILABLE and crossing.at.partition("-")[2] not in LEDGER_CALLS:
                continue
            seconds = PAUSE if do is Do.PAUSE else 0.0
            nth = seen[crossing]
            strike = Strike(at=crossing.at, step=crossing.step, nth=nth, do=do, seconds=seconds)
            for workers in (1, 2) if do in (Do.CRASH, Do.PAUSE) else (2,):
                yield Schedule(scenario=scenario, workers=workers, strikes=(strike,))


def with_each_fault(scenario: str, *, lag: float = 0.0) -> Iterator[Schedule]:
    """Each fault of each call of each step, once."""
    for step, verb in dict.fromkeys(undisturbed(scenario).calls):
        for fault in faults_for(verb):
            yield Schedule(
                scenario=scenario, faults=(fault_at(scenario, step, verb, fault),), lag=lag
            )


def with_lasting_faults(scenario: str) -> Iterator[Schedule]:
    """Each fault of each verb, for ever."""
    for verb in dict.fromkeys(verb for _, verb in undisturbed(scenario).calls):
        for fault in faults_for(verb):
            yield Schedule(scenario=scenario, faults=(FaultRule(effect=FAULTS[fault], verb=verb),))


def with_calls_under_way(scenario: str) -> Iterator[Schedule]:
    """A delete comes, or the worker dies, while a call is under way that nobody hears of again."""
    for step, verb in undisturbed(scenario).changes:
        for fault in _UNHEARD:
            rule = fault_at(scenario, step, verb, fault)
            for at, do, nth in (
                ("after-save", Do.DELETE, 1),
                ("after-cancelled", Do.DELETE, 2),
                ("in-look", Do.DELETE, 1),
                ("in-look", Do.DELETE, 2),
                ("in-look", Do.CRASH, 1),
                ("in-look", Do.PAUSE, 1),
            ):
                seconds = 7.0 if do is Do.PAUSE else 0.0
                strike = Strike(at=at, since=step, do=do, nth=nth, seconds=seconds)
                yield Schedule(scenario=scenario, workers=2, strikes=(strike,), faults=(rule,))


def with_an_outage(scenario: str) -> Iterator[Schedule]:
    """A service that answers no look-up must not keep the others from finding a lost call."""
    for down in Service:
        outage = tuple(
            FaultRule(service=down, verb=f"{look}*", effect=Refuse(status=500)) for look in _LOOKS
        )
        for step, verb in undisturbed(scenario).changes:
            for fault in _UNHEARD:
                rule = fault_at(scenario, step, verb, fault)
                yield Schedule(scenario=scenario, faults=(rule, *outage))


def fault_at(scenario: str, step: str, verb: str, fault: str) -> FaultRule:
    """A rule for the first call of a verb that a step makes; roles tell ports apart."""
    rule = FaultRule(effect=FAULTS[fault], verb=verb, nth=1)
    if step.startswith("port/"):
        return replace(rule, role=step)
    same = [by for by, each in undisturbed(scenario).calls if each == verb]
    return replace(rule, nth=same.index(step) + 1)
