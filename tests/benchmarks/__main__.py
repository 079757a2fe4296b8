"""`make bench`: runs the benchmarks and writes their figures into docs/performance.md.

Nothing here passes or fails: machines differ. Compare figures of one run with each other.
"""

import argparse
import sys
from pathlib import Path

from tests.benchmarks.calls import Calls, compare
from tests.benchmarks.creates import WAYS, Creates, measure

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


_CALLS = "One mutating call: {:.2f} ms CPU; with requests alone, in the same run: {:.2f} ms."
_HEAD = (
    "| manager | creates in flight | CPU per create, ms | of it calls, % | mutating calls "
    "| look-ups | latency median, s | latency max, s | memory per waiting operation, KiB "
    "| wall, s |"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--write", action="store_true", help=f"write the figures into {PAGE}")
    options = parser.parse_args()
    calls = compare()
    sizes = [(manager, count) for count in (200, 600) for manager in WAYS]
    creates = [measure(*size) for size in sizes for _ in range(options.rounds)]
    text = table(calls, creates)
    sys.stdout.write(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        head, _, rest = page.partition(BEGIN)
        _, _, tail = rest.partition(END)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", encoding="utf-8")
    return 0


def table(calls: Calls, creates: list[Creates]) -> str:
    """The figures as Markdown, one line per run."""
    lines = [_CALLS.format(calls.adapter, calls.bare), "", _HEAD, "| --- " * 10 + "|"]
    for run in creates:
        share = calls.adapter * run.mutating / run.cpu * 100
        lines.append(
            f"| {run.manager} | {run.creates} | {run.cpu:.2f} | {share:.0f} | {run.mutating:.2f} | "
            f"{run.look_ups:.2f} | {run.latency_median:.2f} | {run.latency_max:.2f} | "
            f"{run.memory / 1024:.1f} | {run.wall:.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
