"""docs/chaos.md: what was played, what it covered, and what it noticed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos import fleet_checks
from tests.chaos.campaign import Results
from tests.chaos.invariants import CHECKS
from tests.chaos.scenarios import CASES, Case
from tests.chaos.schedule import Do
from tests.chaos.tally import NONE, Tally

_PLACES = (
    *("before-intent", "after-intent", "in-call", "after-call"),
    *("before-save", "after-save"),
)

HEAD = """# Chaos

Written by `make chaos`, which plays everything below and fails when anything goes wrong.
`make test` plays a part of it. One schedule again, with its timeline:
`python -m tests.chaos replay SEED` or `python -m tests.chaos replay 'JSON'`.

Workers, ledger and cloud run in one thread and in virtual time (`tests/support/world.py`,
`tests/chaos/stage.py`): no sleep, no chance that is not seeded. The policy allows a call 10 s, one
to Heat 20 s, its effect 3 s more to show, and 2 s between intent and call; faults stay within that,
except where calls land "later than anybody waits".

Every scenario of NATIVES and ORCHESTRATOR runs on both, as the manager of new instances; MIGRATION
makes nothing, and has scenarios of its own. What Trove made (`foreign-`, `stranger-`) stays with
NATIVES. `by-heat` stands for the calls of Heat's own engine: they go wrong like ours, but none
lands after Heat said that it failed.
"""


def report(results: Results) -> str:
    """The whole page."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield HEAD
    yield from _schedules(results)
    yield from _invariants()
    yield from _fleets(results)
    yield from _coverage(results.tally)
    yield from _struck(results.tally)
    yield from _ablations(results)
    yield from _mutants(results)


def _schedules(results: Results) -> Iterator[str]:
    tally = results.tally
    yield "## Schedules\n"
    if results.one_in > 1:
        share = f"one in {results.one_in}"
        yield f"Every crash at every place; of what else can be enumerated {share}.\n"
    names = list(dict.fromkeys(case.manager for case in CASES))
    kinds = sorted({kind for kind, _ in tally.played})
    rows = [(kind, *_counts(tally, {kind}, names)) for kind in kinds]
    rows.append(("all", *_counts(tally, set(kinds), names)))
    yield from _table(("kind", "played", *names, "wrong"), rows)
    yield f"\nAll of it, with ablations and mutants: {results.seconds / 60:.0f} minutes.\n"


def _counts(tally: Tally, kinds: set[str], names: list[str]) -> tuple[str, ...]:
    """Played, and by which manager, and wrong."""
    played = [sum(tally.played[kind, name] for kind in kinds) for name in names]
    wrong = sum(tally.wrong[kind, name] for kind in kinds for name in names)
    return tuple(map(str, (sum(played), *played, wrong)))


def _invariants() -> Iterator[str]:
    yield "## What is checked after each of them\n"
    for check in CHECKS:
        words = " ".join((check.__doc__ or "").split())
        yield f"* {check.__name__.replace('_', ' ')}: {words}"
    yield ("* whatever is left in error, a delete on a cloud that works again removes everything\n")


def _fleets(results: Results) -> Iterator[str]:
    yield "## Fleets that move\n"
    yield (
        "Six instances, two or three workers with conductors, which die at any write of the ledger "
        "and at any boundary of a step; clients send commands, operators pause, resume, abort and "
        "roll back, calls are refused, lost and spoilt. After each:\n"
    )
    for check in fleet_checks.CHECKS:
        words = " ".join((check.__doc__ or "").split())
        yield f"* {check.__name__.replace('_', ' ')}: {words}"
    yield f"\n{results.fleets.played} fleets were played, {results.fleets.wrong} went wrong.\n"


def _coverage(tally: Tally) -> Iterator[str]:
    yield "## Command × step × boundary × fault\n"
    yield (
        "How many faults struck the call of a step, without a crash and with a crash at each place "
        "around it. ✓: the crash alone. A place that a faulted call never comes to has fewer.\n"
    )
    found: dict[tuple[Case, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for cell in tally.cells:
        if cell.step:
            case = Case(cell.manager, cell.scenario)
            found[case, cell.step][cell.place].add(cell.fault)
    rows = [
        (*case, step, *(_cell(found[case, step][place]) for place in (NONE, *_PLACES)))
        for case, step in sorted(found, key=lambda key: (CASES.index(key[0]), key[1]))
    ]
    head = "manager", "scenario", "step or look-up", "no crash"
    yield from _table((*head, *_PLACES), rows)
    yield ""


def _cell(faults: set[str]) -> str:
    number = len(faults - {NONE})
    return " ".join((*(["✓"] if NONE in faults else []), *([str(number)] if number else [])))


def _struck(tally: Tally) -> Iterator[str]:
    yield "## What happened at how many places\n"
    found: dict[Case, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for mark in tally.marks:
        found[Case(mark.manager, mark.scenario)][mark.do].add(mark.place)
    rows = [(*case, *(str(len(found[case][do])) for do in Do)) for case in CASES]
    yield from _table(("manager", "scenario", *Do), rows)
    yield ""


def _ablations(results: Results) -> Iterator[str]:
    yield "## Each safety idea taken out once\n"
    rows = [
        (idea, f"{found.wrong} of {found.played}", ", ".join(_most(found.checks)))
        for idea, found in sorted(results.ablations.items(), key=lambda item: -item[1].wrong)
    ]
    yield from _table(("without the idea that …", "wrong", "noticed by"), rows)
    yield ""


def _most(checks: "Iterable[str]") -> list[str]:
    return [each.replace("_", " ") for each in list(dict.fromkeys(checks))[:2]]


def _mutants(results: Results) -> Iterator[str]:
    yield "## Planted mistakes\n"
    rows = [(name, "yes" if seen else "NO") for name, seen in sorted(results.mutants.items())]
    yield from _table(("mistake", "noticed"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(head)
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
