"""`dlq list|show`: messages that were refused, and why."""

import argparse
from typing import Any

import msgspec

from consumer import dlq
from consumer.cli.base import Lister, Rows, ShowOne, limit
from consumer.cli.tools import Mistake


class List(Lister):
    """List refused messages, the oldest first; they stay in the queue."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        limit(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        found = dlq.letters(self.tools.peek, parsed_args.limit)
        columns = ("Letter", "Refused", "Reason", "Command", "Type", "Instance", "Bytes", "Detail")
        return columns, [
            (
                each.letter,
                each.at,
                each.reason,
                each.command,
                each.type,
                each.subject,
                each.size,
                each.detail,
            )
            for each in found
        ]


class Show(ShowOne):
    """Show one refused message, secrets masked, and what to do about it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("letter", metavar="LETTER", help="id of the letter, or of its command")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        try:
            found = dlq.letter(self.tools.peek, parsed_args.letter)
        except LookupError as error:
            raise Mistake(f"{error.args[0]}: 'dlq list' shows what there is.") from None
        fields = msgspec.to_builtins(found)
        return tuple(fields), tuple(fields.values())
