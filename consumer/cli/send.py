"""`send`: a command to the workers, for operators and for trying things out."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from consumer.cli.base import Command
from consumer.cli.tools import Mistake
from consumer.client import Client, TimedOut, is_terminal
from consumer.codec.refusal import Refused
from handlers.commands import BODIES, PREFIX
from handlers.commands import Command as Order
from handlers.events import Event
from handlers.secret import Secret

NAMES = sorted(name.removeprefix(PREFIX) for name in BODIES)


class Send(Command):
    """Send a command to the workers.

    Exit code 0 when the broker has it (with --wait: when it succeeded).
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="COMMAND", choices=NAMES, help=", ".join(NAMES))
        parser.add_argument(
            "--data",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELDS",
            help="fields of the command, later ones win: a JSON file, - for standard input, or "
            "KEY=VALUE, where VALUE is text or JSON and KEY may be nested (volume.size=5)",
        )
        parser.add_argument("--instance", metavar="ID", help="of the instance; default: a new one")
        parser.add_argument("--id", metavar="ID", help="of the command; default: a new one")
        parser.add_argument(
            "--wait",
            nargs="?",
            type=_seconds,
            const=3600.0,
            metavar="SECONDS",
            help="print the command's events until it ends, for 3600 s unless given",
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        code = super().run(parsed_args)
        return code or self._code

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self._code = 0
        with closing(self.tools.client()) as client:
            order = _order(parsed_args, client)
            self.say(f"command {order.id} for instance {order.subject}")
            if parsed_args.wait is None:
                client.send(order)
            else:
                self._follow(client, order, parsed_args.wait)

    def _follow(self, client: Client, order: Order, seconds: float) -> None:
        try:
            last = client.run(order, seconds, lambda event: self.say(_line(event)))
        except TimedOut:
            raise Mistake(
                f"No end of {order.id} within {seconds:g} s: "
                f"'operations explain {order.id}' tells how far it is, "
                f"'dlq show {order.id}' whether it was refused."
            ) from None
        self._code = 1 if last.data.error else 0


def _seconds(text: str) -> float:
    """argparse type: a time to wait."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e7:  # not a number is neither
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _order(parsed_args: argparse.Namespace, client: Client) -> Order:
    """The command, checked as a worker will check it."""
    kind = BODIES[PREFIX + parsed_args.name]
    try:
        # not strict: the text 5 is a number where the command wants one
        body = msgspec.convert(_fields(parsed_args.data), kind, strict=False, dec_hook=_secret)
        subject, name = parsed_args.instance, parsed_args.id
        return client.command(body, str(uuid4()) if subject is None else subject, name)
    except msgspec.ValidationError as error:
        raise Mistake(f"Nothing was sent: {error}.") from None
    except Refused as refused:
        raise Mistake(f"Nothing was sent: {refused.message}.") from None


def _secret(kind: type, value: Any) -> Secret:
    """msgspec decoder hook; its message must not hold the value."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("a secret is a text")


def _fields(data: Sequence[str]) -> dict[str, Any]:
    """The fields of all files and pairs, later ones over earlier ones."""
    fields: dict[str, Any] = {}
    for item in data:
        key, equals, value = item.partition("=")
        if equals:
            _put(fields, key.split("."), _value(value))
        else:
            fields |= _read(item)
    return fields


def _read(path: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        fields = msgspec.json.decode(text, type=dict[str, Any])
    except (OSError, UnicodeError, msgspec.DecodeError) as error:
        raise Mistake(
            f"--data {path} is neither KEY=VALUE nor a JSON object that can be read: {error}."
        ) from None
    if "specversion" in fields:
        raise Mistake(f"--data {path} is a whole CloudEvent: give only what its 'data' holds.")
    return fields


def _put(fields: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, name = path
    for parent in parents:
        fields = fields.setdefault(parent, {})
        if not isinstance(fields, dict):
            raise Mistake(f"{'.'.join(path)}: {parent} has a value of its own already.")
    fields[name] = value


def _value(text: str) -> Any:
    """JSON where it looks like a list, an object or a quoted text; text otherwise."""
    if not text.startswith(("[", "{", '"')):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Mistake(f"{text} is no JSON: {error}.") from None


def _line(event: Event) -> str:
    if not is_terminal(event):
        return f"{event.type} by {event.data.manager}"
    told: Mapping[str, Any] = {
        "after": f"{event.data.duration:.1f} s",
        "resources": ", ".join(map(str, event.data.resources.values())),
        "left behind": ", ".join(map(str, event.data.left_behind)),
    }
    if event.data.error:
        told = {**told, "reason": event.data.error.reason, "message": event.data.error.message}
        told = {**told, "what to do": event.data.error.remedy}
    return event.type + "".join(f"\n  {name}: {value}" for name, value in told.items() if value)
