"""`template show`: what ORCHESTRATOR would give to Heat, without a worker or a cloud."""

import argparse
from pathlib import Path

from consumer.cli.base import Command
from consumer.cli.tools import Mistake
from consumer.codec import commands
from consumer.codec.refusal import Refused
from handlers.commands import Command as Order
from handlers.template import PARTS, document_of


class Show(Command):
    """Show the Heat template of the stack that a command makes, and its environment.

    The parameters are in the environment; what is secret is masked. Nothing is sent anywhere.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "file",
            metavar="FILE",
            help="the command, a whole CloudEvent in JSON as publishers send it; "
            "- for standard input",
        )
        parser.add_argument(
            "--only",
            choices=PARTS,
            default="",
            help="one of the two: what 'openstack stack create' takes with -t and with -e",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        order = _order(parsed_args.file, self._read(parsed_args.file))
        document = document_of(order.subject, order.body)
        if document is None:
            raise Mistake(
                f"{order.name} makes no stack: give an instance.create or a security_group.create."
            )
        self.app.stdout.write(document.shown(parsed_args.only))

    def _read(self, path: str) -> bytes:
        try:
            if path != "-":
                return Path(path).read_bytes()
            text: str = self.app.stdin.read()
            return text.encode()
        except (OSError, UnicodeError) as error:
            raise Mistake(f"{path} cannot be read: {error}.") from None


def _order(path: str, raw: bytes) -> Order:
    """The command, checked as a worker checks it."""
    try:
        return commands.decode(raw)
    except Refused as refused:
        raise Mistake(f"{path} is no command: {refused.message}.") from None
