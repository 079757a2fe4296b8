"""`instances import`: a fleet that Trove made becomes records."""

import argparse
from pathlib import Path

from consumer.cli.base import Lister, Rows
from consumer.cli.tools import Mistake
from consumer.imports import report
from consumer.imports.files import rows_of_file
from consumer.imports.importing import Outcome, Place, compare, write
from consumer.imports.rows import Row
from handlers.instance import Scope
from handlers.secret import Secret


class Import(Lister):
    """Record instances that Trove made, after comparing them with the cloud.

    Shows what does not match and what to do about it; a summary goes to standard error. What
    matches is recorded as an instance of the manager natives, unless --dry-run is given; a record
    that is there already is never changed. Nothing is written to Trove's database or to the cloud.
    Exit code 0: everything matches; 1: something does not, and was left out.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "--trove-database",
            nargs="?",
            const="",
            metavar="URL",
            help="Trove's own database, mysql+pymysql://user:password@host/trove; without URL that "
            "of [trove] database, or of the environment's OS_TROVE__DATABASE",
        )
        source.add_argument(
            "--from", dest="file", type=Path, metavar="FILE", help="a .json or .csv file"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="compare only, and write nothing"
        )
        parser.add_argument(
            "--take-cloud-values",
            action="store_true",
            help="record the cloud's flavor and volume size where the source says another one",
        )
        parser.add_argument(
            "--cloud",
            type=_place,
            metavar="ENTRY/REGION",
            help="where the fleet lives (default: that of [clouds] default and region)",
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="write FILE.json and FILE.md as well"
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        code = super().run(parsed_args)
        return code or int(not self._matches)

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        source, rows = self._source(parsed_args)
        outcome = self._outcome(parsed_args, rows)
        self._matches = outcome.matches
        self._tell(parsed_args, outcome, source)
        columns = ("Instance", "Why", "What", "What to do")
        return columns, [
            (subject, str(wrong.why), wrong.text, wrong.remedy)
            for subject, wrong in outcome.mismatches
        ]

    def _source(self, parsed_args: argparse.Namespace) -> tuple[str, tuple[Row, ...]]:
        """What to call the source, and its rows."""
        if parsed_args.file is not None:
            return parsed_args.file.name, rows_of_file(parsed_args.file)
        url = Secret(parsed_args.trove_database or self.tools.settings.trove.database.reveal())
        if not url.reveal():
            raise Mistake(
                "No URL is known: set [trove] database or OS_TROVE__DATABASE, or give one."
            )
        return "Trove's database", self.tools.trove(url)

    def _outcome(self, parsed_args: argparse.Namespace, rows: tuple[Row, ...]) -> Outcome:
        clouds = self.tools.settings.clouds
        place = parsed_args.cloud or Place(clouds.default, clouds.region)
        cloud = self.tools.clouds().of(Scope(place.cloud, place.region, ""))
        ledger = self.tools.ledger()
        take = parsed_args.take_cloud_values
        outcome = compare(rows, cloud, ledger, place, take_cloud_values=take)
        return outcome if parsed_args.dry_run else write(outcome, ledger)

    def _tell(self, parsed_args: argparse.Namespace, outcome: Outcome, source: str) -> None:
        dry_run = parsed_args.dry_run
        for line in report.summary(outcome):
            self.app.stderr.write(f"{line}\n")
        if dry_run:
            self.app.stderr.write("A dry run: nothing was written.\n")
        if parsed_args.report is None:
            return
        try:
            written = report.save(parsed_args.report, outcome, source, dry_run=dry_run)
        except OSError as error:
            raise Mistake(f"The report cannot be written: {error}.") from None
        self.app.stderr.write(f"Reports: {written[0]}, {written[1]}\n")


def _place(text: str) -> Place:
    """argparse type: an entry of clouds.yaml and one of its regions."""
    cloud, slash, region = text.partition("/")
    if not (cloud and slash and region):
        raise argparse.ArgumentTypeError(f"{text!r} is not entry/region, such as east/RegionTwo")
    return Place(cloud, region)
