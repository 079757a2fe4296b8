"""docs/chaos.md: what was played, what it covered, and what it noticed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos.campaign import Results
from tests.chaos.invariants import CHECKS
from tests.chaos.scenarios import SCENARIOS
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
`tests/chaos/stage.py`): no sleep, no chance that is not seeded. The policy allows a call 10 s, its
effect 3 s more to show, and 2 s between intent and call; faults stay within that, except where
calls land "later than anybody waits".
"""


def report(results: Results) -> str:
    """The whole page."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield HEAD
    yield from _schedules(results.tally, results.seconds)
    yield from _invariants()
    yield from _coverage(results.tally)
    yield from _struck(results.tally)
    yield from _ablations(results)
    yield from _mutants(results)


def _schedules(tally: Tally, seconds: float) -> Iterator[str]:
    yield "## Schedules\n"
    rows = [(kind, str(n), str(tally.wrong[kind])) for kind, n in sorted(tally.played.items())]
    total = "all", str(tally.played.total()), str(tally.wrong.total())
    yield from _table(("kind", "played", "wrong"), [*rows, total])
    yield f"\nAll of it, with ablations and mutants: {seconds / 60:.0f} minutes.\n"


def _invariants() -> Iterator[str]:
    yield "## What is checked after each of them\n"
    for check in CHECKS:
        words = " ".join((check.__doc__ or "").split())
        yield f"* {check.__name__.replace('_', ' ')}: {words}"
    yield ("* whatever is left in error, a delete on a cloud that works again removes everything\n")


def _coverage(tally: Tally) -> Iterator[str]:
    yield "## Command × step × boundary × fault\n"
    yield (
        "How many faults struck the call of a step, without a crash and with a crash at each place "
        "around it. ✓: the crash alone. A place that a faulted call never comes to has fewer.\n"
    )
    found: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for cell in tally.cells:
        if not cell.step:
            continue
        found[cell.scenario, cell.step][cell.place].add(cell.fault)
    rows = [
        (name, step, *(_cell(found[name, step][place]) for place in (NONE, *_PLACES)))
        for name, step in sorted(found, key=lambda key: (tuple(SCENARIOS).index(key[0]), key[1]))
    ]
    yield from _table(("scenario", "step or look-up", "no crash", *_PLACES), rows)
    yield ""


def _cell(faults: set[str]) -> str:
    number = len(faults - {NONE})
    return " ".join((*(["✓"] if NONE in faults else []), *([str(number)] if number else [])))


def _struck(tally: Tally) -> Iterator[str]:
    yield "## What happened at how many places\n"
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for mark in tally.marks:
        found[mark.scenario][mark.do].add(mark.place)
    rows = [(name, *(str(len(found[name][do])) for do in Do)) for name in SCENARIOS]
    yield from _table(("scenario", *Do), rows)
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
