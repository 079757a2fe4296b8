"""Everything that can be enumerated: each place of a scenario, each fault of each of its calls."""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from handlers.clouds.memory.faults import FaultRule, Reset
from tests.chaos.crossings import LEDGER_CALLS, Crossing
from tests.chaos.faultkinds import FAULTS, faults_for
from tests.chaos.play import Outcome, play
from tests.chaos.schedule import Do, Schedule, Strike
from tests.chaos.stage import CORE, Variant
from tests.chaos.tally import NONE, Cell, Mark, Tally

#: Where a worker may crash around a call that a fault has struck.
AT_THE_STEP = ("before-intent", "after-intent", "in-call", "after-call")
AFTER_THE_CALL = ("before-save", "after-save")

#: Longer than a lease: the others take over, and then the paused one wakes up.
PAUSE = 50.0


class Explorer:
    """Plays what can be enumerated of one scenario into a tally."""

    def __init__(self, scenario: str, tally: Tally, variant: Variant = CORE) -> None:
        self._scenario = scenario
        self._tally = tally
        self._variant = variant

    def places(self, *dos: Do) -> None:
        """Each place that an undisturbed run comes to, and what may happen there."""
        for crossing, nth in self._crossings():
            for do in dos:
                if do is not Do.UNAVAILABLE or _is_of_ledger(crossing.at):
                    self._strike(crossing, nth, do)

    def faults(self, *, with_crashes: bool) -> None:
        """Each fault of each call of each step: once, for ever, and once with a crash."""
        undisturbed = self._play(Schedule(scenario=self._scenario)).stage
        for at in AT_THE_STEP:
            came_to = {each.step for each in undisturbed.crossings.trace if each.at == at}
            self._tally.wanted |= {Cell(self._scenario, step, at, NONE) for step in came_to}
        for step, verb in dict.fromkeys(undisturbed.cloud.calls):
            once = _strikes_first(step, verb, undisturbed.cloud.calls)
            for fault in faults_for(verb):
                self._tally.wanted.add(Cell(self._scenario, step, NONE, fault))
                rule = replace(once, effect=FAULTS[fault])
                outcome = self._fault(rule)
                self._fault(FaultRule(effect=FAULTS[fault], verb=verb))
                if with_crashes:
                    self._crash_too(rule, step, fault, outcome)

    # -- inner ----------------------------------------------------------------------------------

    def _crossings(self) -> Iterator[tuple[Crossing, int]]:
        trace = self._play(Schedule(scenario=self._scenario)).stage.crossings.trace
        seen: Counter[Crossing] = Counter()
        for crossing in trace:
            seen[crossing] += 1
            yield crossing, seen[crossing]

    def _strike(self, crossing: Crossing, nth: int, do: Do) -> None:
        seconds = PAUSE if do is Do.PAUSE else 0.0
        strike = Strike(at=crossing.at, step=crossing.step, nth=nth, do=do, seconds=seconds)
        for workers in (1, 2) if do in (Do.CRASH, Do.PAUSE) else (2,):
            schedule = Schedule(scenario=self._scenario, workers=workers, strikes=(strike,))
            outcome = self._play(schedule)
            if not outcome.stage.crossings.struck:
                self._tally.wanted.add(Mark(self._scenario, f"{crossing.at} {crossing.step}", do))

    def _fault(self, rule: FaultRule, *strikes: Strike) -> Outcome:
        schedule = Schedule(scenario=self._scenario, faults=(rule,), strikes=strikes)
        return self._play(schedule)

    def _crash_too(self, rule: FaultRule, step: str, fault: str, before: Outcome) -> None:
        """A crash at each place around the struck call that the run without a crash came to."""
        came_to = {each.at for each in before.stage.crossings.trace if each.step == step}
        strikes = [Strike(at=at, step=step, do=Do.CRASH) for at in AT_THE_STEP if at in came_to]
        if step in before.stage.crossings.called:
            strikes += [Strike(at=at, since=step, do=Do.CRASH) for at in AFTER_THE_CALL]
        for strike in strikes:
            outcome = self._fault(rule, strike).stage
            if outcome.crossings.struck and step in {each for each, _, _ in outcome.cloud.faults}:
                self._tally.wanted.add(Cell(self._scenario, step, strike.at, fault))

    def _play(self, schedule: Schedule) -> Outcome:
        outcome = play(schedule, self._variant)
        self._tally.add("faults" if schedule.faults else "places", outcome)
        return outcome


def _is_of_ledger(place: str) -> bool:
    return place.partition("-")[2] in LEDGER_CALLS


def _strikes_first(step: str, verb: str, calls: list[tuple[str, str]]) -> FaultRule:
    """A rule for the first call of a verb that a step makes; roles tell ports apart."""
    if step.startswith("port/"):
        return FaultRule(effect=Reset(), verb=verb, role=step, nth=1)
    same = [by for by, each in calls if each == verb]
    return FaultRule(effect=Reset(), verb=verb, nth=same.index(step) + 1)
