"""`migrate report`: what a migration came to."""

import argparse
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from consumer.cli.base import Command
from consumer.cli.migrate.which import find, one
from consumer.cli.render import now, when
from consumer.cli.tools import Mistake
from consumer.fleet.page import markdown, svg
from consumer.fleet.progress import items_of
from consumer.fleet.report import Report, first_moves, report_of
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Migration
from handlers.operation import Operation

#: Operations that are read at once.
_PAGE = 500


class Make(Command):
    """Write the report of a migration: Markdown, JSON, and its progress over time as SVG."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = one(super().get_parser(prog_name))
        parser.add_argument(
            "--output",
            default="-",
            metavar="DIR",
            help="directory for the three files; - prints the Markdown (default)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        ledger = self.tools.ledger()
        report = gathered(ledger, find(ledger, parsed_args.migration))
        if parsed_args.output == "-":
            self.app.stdout.write(markdown(report, when))
            return
        for path in written(report, Path(parsed_args.output)):
            self.say(str(path))


def gathered(ledger: Ledger, migration: Migration) -> Report:
    """All that the ledger knows of a migration."""
    items = items_of(ledger, migration)
    operations: dict[str, Operation] = {}
    for names in _pages(first_moves(migration, items)):
        operations |= ledger.operations_of(names)
    managers: dict[str, int] = {}
    for (manager, _), count in ledger.backlog().instances.items():
        managers[manager] = managers.get(manager, 0) + count
    return report_of(migration, items, operations, managers, now())


def written(report: Report, directory: Path) -> Iterator[Path]:
    """Write the files; raises Mistake where that cannot be done."""
    stem = f"migration-{report.id}"
    texts = {
        "md": markdown(report, when, f"{stem}.svg"),
        "json": msgspec.json.format(msgspec.json.encode(report)).decode() + "\n",
        "svg": svg(report),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for suffix, text in texts.items():
            path = directory / f"{stem}.{suffix}"
            path.write_text(text, encoding="utf-8")
            yield path
    except OSError as error:
        raise Mistake(
            f"{directory} cannot be written ({error.strerror}): give another one."
        ) from None


def _pages(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while page := list(islice(rest, _PAGE)):
        yield page
