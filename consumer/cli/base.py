"""The shapes of commands: cliff's, with our tools at hand and errors as sentences."""

import argparse
from typing import Any

from cliff.command import Command as CliffCommand
from cliff.lister import Lister as CliffLister
from cliff.show import ShowOne as CliffShowOne

from consumer.cli.tools import Tools, plainly


class Command(CliffCommand):
    """A command that prints for itself."""

    @property
    def tools(self) -> Tools:
        tools: Tools = self.app.tools  # type: ignore[attr-defined]
        return tools

    def run(self, parsed_args: argparse.Namespace) -> int:
        with plainly():
            return super().run(parsed_args)

    def say(self, text: str) -> None:
        """One line to standard output."""
        self.app.stdout.write(f"{text}\n")


class Lister(Command, CliffLister):
    """A command that prints a table: -f table, json, yaml, csv or value; -c picks columns."""


class ShowOne(Command, CliffShowOne):
    """A command that prints the fields of one thing: -f table, json, yaml, shell or value."""


def limit(parser: argparse.ArgumentParser, default: int = 100) -> None:
    """The option of every list."""
    parser.add_argument(
        "--limit",
        type=_count,
        default=default,
        metavar="N",
        help="at most N lines (default: %(default)s)",
    )


def _count(text: str) -> int:
    """argparse type: a whole number that every database takes as a limit."""
    if not text.isdecimal() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]
