"""The whole campaign: all that can be enumerated, the dice, the ablations, the mutants."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import Pool
from pathlib import Path

from tests.chaos import fleet_checks
from tests.chaos.ablation import ABLATIONS, schedules, wrong_ones
from tests.chaos.dice import roll, roll_late
from tests.chaos.explorer import Explorer
from tests.chaos.mutants import MUTANTS, is_noticed, plant
from tests.chaos.play import play
from tests.chaos.scenarios import CASES, Case
from tests.chaos.schedule import Do
from tests.chaos.tally import Tally

#: Random schedules of one job.
_BATCH = 500

#: Fleets of one job, and of all; each is six instances, and hundreds of writes.
_FLEETS, _ALL_FLEETS = 100, 3000

#: Random schedules under each variant; what is enumerated comes on top.
_UNDER_A_VARIANT = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """One share of the work: a kind, and what it is about."""

    kind: str
    about: str = ""
    case: Case | None = None
    first: int = 0
    one_in: int = 1


@dataclass(slots=True)
class Found:
    """What the schedules came to under one variant: how many went wrong, and by which checks."""

    played: int = 0
    wrong: int = 0
    checks: Counter[str] = field(default_factory=Counter)

    def merge(self, other: "Found") -> None:
        self.played += other.played
        self.wrong += other.wrong
        self.checks += other.checks


@dataclass(slots=True)
class Results:
    """Everything that the report is made of."""

    tally: Tally = field(default_factory=Tally)
    ablations: dict[str, Found] = field(default_factory=dict)
    mutants: dict[str, bool] = field(default_factory=dict)
    fleets: Found = field(default_factory=Found)
    seconds: float = 0.0
    one_in: int = 1

    def complaints(self) -> list[str]:
        """Why the campaign has failed; empty when it has not."""
        lines = [] if self.tally.is_good else [self.tally.explain()]
        lines += [
            f"nobody misses: {idea}" for idea, found in self.ablations.items() if not found.wrong
        ]
        lines += [f"a fleet went wrong: {check}" for check in self.fleets.checks]
        lines += [f"nobody noticed: {name}" for name, seen in self.mutants.items() if not seen]
        return lines


def jobs(random: int, one_in: int = 1) -> Iterator[Job]:
    """The long ones first, so that no core is idle at the end."""
    yield from (Job("mutant", each.name) for each in MUTANTS)
    yield from (Job("ablation", idea) for idea in ABLATIONS)
    for kind in ("crashes", "places", "faults", "interleavings"):
        yield from (Job(kind, str(case), case, one_in=one_in) for case in CASES)
    yield from (Job("random", first=first) for first in range(0, random, _BATCH))
    yield from (Job("fleet", first=at) for at in range(0, _ALL_FLEETS // one_in, _FLEETS))
    yield Job("late")


def run(random: int, processes: int, say: Callable[[str], None], one_in: int = 1) -> Results:
    """Run it all, on some processes; `one_in`: a share of what can be enumerated, but for the
    crashes, which are all played."""
    began, results, counts = time.monotonic(), Results(one_in=one_in), Counter[str]()
    with Pool(processes) as pool:
        for job, result in pool.imap_unordered(_do, jobs(random, one_in)):
            counts[job.kind] += 1
            if isinstance(result, Tally):
                results.tally.merge(result)
            elif isinstance(result, Found) and job.kind == "fleet":
                results.fleets.merge(result)
            elif isinstance(result, Found):
                results.ablations[job.about] = result
            else:
                results.mutants[job.about] = result
            say(f"{time.monotonic() - began:5.0f} s  {job.kind} {job.about or job.first}")
    results.seconds = time.monotonic() - began
    return results


def _do(job: Job) -> tuple[Job, Tally | Found | bool]:
    if job.kind == "mutant":
        return job, _mutant(job.about)
    if job.kind == "ablation":
        return job, _ablation(job.about)
    if job.kind == "fleet":
        return job, _fleets(job.first)
    tally = Tally()
    if job.case is not None:
        _explore(job.kind, Explorer(job.case, tally, job.one_in))
        if job.kind == "places" and job.one_in > 1:
            Explorer(job.case, tally).places(Do.CRASH)
    elif job.kind == "late":
        for seed in range(_BATCH):
            tally.add("later than anybody waits", play(roll_late(seed)))
    else:
        for seed in range(job.first, job.first + _BATCH):
            tally.add("random", play(roll(seed)))
    return job, tally


def _explore(kind: str, explorer: Explorer) -> None:
    match kind:
        case "crashes":
            explorer.crashes_with_faults()
        case "places":
            explorer.places(*(each for each in Do if explorer.is_whole or each is not Do.CRASH))
        case "faults":
            explorer.faults()
        case _:
            explorer.interleavings()


def _ablation(idea: str) -> Found:
    ablation = ABLATIONS[idea]
    plan = list(schedules(_UNDER_A_VARIANT, ablation))
    found = Found(played=len(plan))
    for outcome in wrong_ones(ablation, plan):
        found.wrong += 1
        found.checks[outcome.problems[0].partition(":")[0]] += 1
    return found


def _fleets(first: int) -> Found:
    found = Found(played=_FLEETS)
    for seed in range(first, first + _FLEETS):
        problems = fleet_checks.play(seed)
        found.wrong += bool(problems)
        found.checks.update(f"seed {seed}: {problem}" for problem in problems[:1])
    return found


def _mutant(name: str) -> bool:
    (mutant,) = (each for each in MUTANTS if each.name == name)
    with tempfile.TemporaryDirectory() as where:
        plant(mutant, Path(where))
        return is_noticed(Path(where))


def cores() -> int:
    return os.cpu_count() or 1
