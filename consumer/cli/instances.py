"""`instances list|show|pin|unpin`: the records of what is managed."""

import argparse
from typing import Any

from consumer.cli.base import Command, Lister, Rows, ShowOne, limit
from consumer.cli.render import Many
from consumer.cli.tools import Mistake
from handlers.instance import Instance


class List(Lister):
    """List instances by id, deleted ones too."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--after", default="", metavar="ID", help="go on after this id: the last one of a page"
        )
        limit(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        found = self.tools.ledger().instances(parsed_args.limit, parsed_args.after)
        columns = ("Instance", "Manager", "State", "Project", "Flavor", "Volume GiB", "Resources")
        return columns, [
            (
                each.id,
                each.manager,
                str(each.state),
                each.scope.project,
                each.flavor,
                each.volume_size,
                len(each.resources),
            )
            for each in found
        ]


class Show(ShowOne):
    """Show one instance: who manages it, and every resource that belongs to it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Any, Any]:
        record = self.tools.ledger().instance(parsed_args.instance)
        if record is None:
            raise Mistake(
                f"There is no record of {parsed_args.instance}: no command for it has succeeded; "
                f"'operations list --instance {parsed_args.instance}' shows what was tried."
            )
        fields: dict[str, Any] = {
            "instance": record.id,
            "manager": record.manager,
            "state": str(record.state),
            "pinned": record.pinned,
            "soaking": record.soaking,
            "project": record.scope.project,
            "cloud": record.scope.cloud,
            "region": record.scope.region,
            "flavor": record.flavor,
            "volume_size": record.volume_size,
            "rules": Many(
                [
                    f"{rule.ports.protocol} {rule.ports.first}-{rule.ports.last} {rule.cidr}"
                    for rule in record.rules
                ]
            ),
        }
        fields |= {key: ref.id for key, ref in sorted(record.resources.items())}
        return tuple(fields), tuple(fields.values())


class Pin(Command):
    """Let an instance stay with its manager: it is neither adopted nor released."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        record = _pin(self, parsed_args.instance, pinned=True)
        self.say(f"{record.id} is pinned: it stays with {record.manager}.")


class Unpin(Command):
    """Let a pinned instance be adopted or released again."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return _one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        record = _pin(self, parsed_args.instance, pinned=False)
        self.say(f"{record.id} is not pinned; its manager is {record.manager}.")


def _one(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("instance", metavar="INSTANCE", help="id of the instance")
    return parser


def _pin(command: Command, instance: str, *, pinned: bool) -> Instance:
    try:
        return command.tools.ledger().pin(instance, pinned)
    except LookupError:
        raise Mistake(
            f"There is no record of {instance}: 'instances list' shows what there is, and "
            "'instances import' records what Trove made."
        ) from None
    except ValueError as error:
        raise Mistake(f"{instance} stays as it is: {error}; ask again when it has ended.") from None
