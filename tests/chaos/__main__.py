"""The chaos suite by hand: `run` everything, `hunt` for the first mistake, `replay` a schedule."""

import argparse
import sys
from pathlib import Path

from tests.chaos.campaign import cores, run
from tests.chaos.dice import roll
from tests.chaos.hunt import hunt
from tests.chaos.play import Outcome, play
from tests.chaos.report import report
from tests.chaos.schedule import decode


def main() -> int:
    """0 when nothing went wrong, 1 when something did."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    every = verbs.add_parser("run", help="everything; writes the report")
    every.add_argument("--random", type=int, default=20_000, help="schedules from the dice")
    every.add_argument(
        "--one-in", type=int, default=1, help="a share of what is enumerated; crashes: all of them"
    )
    every.add_argument("--processes", type=int, default=cores())
    every.add_argument("--write", type=Path, help="the report's place")
    verbs.add_parser("hunt", help="stops at the first schedule that goes wrong")
    again = verbs.add_parser("replay", help="plays one schedule and shows what happened")
    again.add_argument("schedule", help="a seed of the dice, or a schedule as JSON")
    given = parser.parse_args()
    if given.verb == "run":
        return _run(given.random, given.one_in, given.processes, given.write)
    if given.verb == "hunt":
        found = hunt()
        print(found or "nothing went wrong")
        return 1 if found else 0
    text: str = given.schedule
    return _show(play(roll(int(text)) if text.isdigit() else decode(text)))


def _run(random: int, one_in: int, processes: int, write: Path | None) -> int:
    results = run(random, processes, lambda line: print(line, flush=True), one_in)
    if write:
        write.write_text(report(results))
    complaints = results.complaints()
    played = results.tally.played.total()
    print(*complaints, f"{played} schedules, {results.tally.wrong.total()} wrong", sep="\n")
    return 1 if complaints else 0


def _show(outcome: Outcome) -> int:
    stage = outcome.stage
    for op in reversed(stage.ledger.operations(subject=stage.subject)):
        print(f"{op.command.name}: {op.phase} {op.failure or ''}")
        for entry in op.timeline:
            seconds = (entry.at - op.opened) / 1e6
            print(f"  {seconds:8.3f}  {entry.what:<10} {entry.step:<20} {entry.detail[:100]}")
    for thing in stage.look(stage.subject).values():
        print(f"in the cloud: {thing}")
    print(*(outcome.problems or ("nothing went wrong",)), sep="\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
