"""Everything that can be enumerated of a case, as schedules."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec.structs import replace

from handlers.clouds.memory.faults import FaultRule, Lose, Refuse
from handlers.migration import NAME as MIGRATION
from handlers.resources import Service
from tests.chaos.crossings import LEDGER_CALLS, Crossing
from tests.chaos.faultkinds import FAULTS, LOOKS, faults_for, is_look, unheard
from tests.chaos.play import play
from tests.chaos.probe import BY_HEAT
from tests.chaos.scenario import Start
from tests.chaos.scenarios import SCENARIOS, Case
from tests.chaos.schedule import Do, Schedule, Strike

#: Longer than a lease: the others take over, and then the paused one wakes up.
PAUSE = 50.0

#: How long there is no engine of Heat: what was asked for meanwhile is done afterwards.
NO_ENGINE = 12.0

_SECONDS = {Do.PAUSE: PAUSE, Do.ENGINE: NO_ENGINE}

#: What there is only where Heat is at work.
_HEATS_OWN = frozenset({Do.ENGINE, Do.MEDDLE, Do.VANISH})


@dataclass(frozen=True, slots=True)
class Run:
    """What an undisturbed run of a case came to and called: pairs of step and verb."""

    manager: str
    places: tuple[Crossing, ...]
    calls: tuple[tuple[str, str], ...]

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """The calls of steps that change something, each once."""
        distinct = dict.fromkeys(self.calls)
        return tuple(each for each in distinct if each[0] != BY_HEAT and not is_look(each[1]))

    @property
    def moves(self) -> bool:
        """Whether an instance changes hands."""
        return self.manager == MIGRATION

    @property
    def has_heat(self) -> bool:
        return any("stack" in verb for _, verb in self.calls)


@cache
def undisturbed(case: Case) -> Run:
    stage = play(on(case)).stage
    return Run(case.manager, tuple(stage.crossings.trace), tuple(stage.cloud.calls))


def on(case: Case, **more: Any) -> Schedule:
    """A schedule of a case."""
    return Schedule(manager=case.manager, scenario=case.scenario, **more)


def at_all_places(case: Case, *dos: Do) -> Iterator[Schedule]:
    """Each place of an undisturbed run, and each thing that may happen there."""
    seen: Counter[Crossing] = Counter()
    run = undisturbed(case)
    for crossing in run.places:
        seen[crossing] += 1
        for do in dos:
            if not _may_be(do, crossing, run) or (do is Do.MEDDLE and not _is_at_peace(case, run)):
                continue
            nth, seconds = seen[crossing], _SECONDS.get(do, 0.0)
            strike = Strike(at=crossing.at, step=crossing.step, nth=nth, do=do, seconds=seconds)
            for workers in (1, 2) if do in (Do.CRASH, Do.PAUSE) else (2,):
                yield on(case, workers=workers, strikes=(strike,))


def _may_be(do: Do, crossing: Crossing, run: Run) -> bool:
    if do in _HEATS_OWN:
        return run.has_heat
    if crossing.at == BY_HEAT:
        return False
    if do is Do.CANCEL:
        return run.moves
    return do is not Do.UNAVAILABLE or crossing.at.partition("-")[2] in LEDGER_CALLS


def each_fault(case: Case) -> Iterator[tuple[str, str, str]]:
    """Step, verb and fault: whatever may go wrong with a call of an undisturbed run."""
    for step, verb in dict.fromkeys(undisturbed(case).calls):
        makes_twins = SCENARIOS[case.scenario].abilities.twins and verb.startswith("create_")
        for fault in faults_for(verb, by_heat=step == BY_HEAT):
            if step == BY_HEAT and makes_twins and isinstance(FAULTS[fault], Lose):
                continue  # of a second set Heat knows what it made (probe.py)
            yield step, verb, fault


def with_each_fault(case: Case, *, lag: float = 0.0) -> Iterator[Schedule]:
    """Each fault of each call of each step, once."""
    for what in each_fault(case):
        yield on(case, faults=(fault_at(case, *what),), lag=lag)


def with_lasting_faults(case: Case) -> Iterator[Schedule]:
    """Each fault of each verb, for ever."""
    callers: dict[str, set[str]] = {}
    for step, verb in undisturbed(case).calls:
        callers.setdefault(verb, set()).add(step)
    for verb, steps in callers.items():
        for fault in faults_for(verb, by_heat=steps == {BY_HEAT}):
            yield on(case, faults=(FaultRule(effect=FAULTS[fault], verb=verb),))


def with_calls_under_way(case: Case) -> Iterator[Schedule]:
    """A delete comes, or the worker dies, while a call is under way that nobody hears of again."""
    for step, verb in undisturbed(case).changes:
        for fault in unheard(verb):
            rule = fault_at(case, step, verb, fault)
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
                yield on(case, workers=2, strikes=(strike,), faults=(rule,))


def with_an_outage(case: Case) -> Iterator[Schedule]:
    """A service that answers no look-up must not keep the others from finding a lost call."""
    for down in Service:
        outage = tuple(
            FaultRule(service=down, verb=f"{look}*", effect=Refuse(status=500)) for look in LOOKS
        )
        for step, verb in undisturbed(case).changes:
            for fault in unheard(verb):
                rule = fault_at(case, step, verb, fault)
                yield on(case, faults=(rule, *outage))


def with_meddling(case: Case) -> Iterator[Schedule]:
    """Somebody updates the stack when something of it could not be done or put right."""
    run = undisturbed(case)
    for _, verb in run.changes if _is_at_peace(case, run) else ():
        rule = FaultRule(effect=FAULTS["refuse-403"], verb=verb)
        for at in ("before-finish", "after-finish"):
            strike = Strike(at=at, do=Do.MEDDLE)
            yield on(case, workers=2, strikes=(strike,), faults=(rule,))


def _is_at_peace(case: Case, run: Run) -> bool:
    """Whether an update of the stack without a change would change nothing."""
    return run.has_heat and SCENARIOS[case.scenario].start is not Start.MISLED


def fault_at(case: Case, step: str, verb: str, fault: str) -> FaultRule:
    """A rule for the first call of a verb that a step makes; roles tell ports apart."""
    rule = FaultRule(effect=FAULTS[fault], verb=verb, nth=1)
    if step.startswith("port/"):
        return replace(rule, role=step)
    same = [by for by, each in undisturbed(case).calls if each == verb]
    return replace(rule, nth=same.index(step) + 1)
