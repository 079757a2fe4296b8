"""`migrate pause|resume|tune|abort|rollback`: what people ask of a migration."""

import argparse

import msgspec

from consumer.cli.base import Command
from consumer.cli.migrate.which import find_to_move_back, obey, one
from consumer.cli.tools import Mistake
from consumer.fleet.orders import Scene, abort, movable, pause, resume, roll_back, tune
from consumer.fleet.pages import every
from consumer.ledger.fleet import Stage

#: What can be tuned, and what it says.
_TUNABLE = {
    "rate": "instances that may begin per minute",
    "concurrency": "instances under way at once",
    "per_project": "instances of one project under way at once",
    "batch": "instances of a batch, of those that are in no batch yet",
    "soak": "seconds between an adoption and its commit",
    "max_freeze": "seconds that the commands of an instance may wait",
    "max_failures": "failures after which the migration pauses itself",
}

_BACK = (Stage.FAILED,)


class Pause(Command):
    """Begin and commit nothing more, until 'migrate resume'; what runs comes to its end."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = one(super().get_parser(prog_name))
        parser.add_argument(
            "--reason", default="paused by an operator", metavar="TEXT", help="told in the event"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        after = obey(self, parsed_args.migration, pause(parsed_args.reason))
        self.say(f"Migration {after.id} is paused; go on with 'migrate resume {after.id}'.")


class Resume(Command):
    """Go on: after a pause, or with an approval of the canary. Failures so far are accepted."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        after = obey(self, parsed_args.migration, resume)
        limit = after.settings.max_failures
        self.say(
            f"Migration {after.id} goes on; it pauses itself after more than {limit} failures."
        )


class Tune(Command):
    """Change the settings of a migration while it runs."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = one(super().get_parser(prog_name))
        for name, text in _TUNABLE.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=text)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        given = {name: getattr(parsed_args, name) for name in _TUNABLE}
        values = {name: value for name, value in given.items() if value is not None}
        if not values:
            raise Mistake("Nothing to tune: give at least one option, for example --rate 30.")
        try:
            after = obey(self, parsed_args.migration, tune(values), (Stage.PLANNED,))
        except msgspec.ValidationError as error:
            raise Mistake(f"That is no setting: {error}.") from None
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        self.say(f"Migration {after.id} goes by {told} from now on.")


class Abort(Command):
    """End a migration early: what runs is called back, what is adopted stays, not committed."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        return one(super().get_parser(prog_name))

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        after = obey(self, parsed_args.migration, abort)
        self.say(f"Migration {after.id} ends; follow it with 'migrate watch {after.id}'.")


class Rollback(Command):
    """Move back all that a migration has moved; without --yes only say what that would be."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = one(super().get_parser(prog_name))
        parser.add_argument("--yes", action="store_true", help="do it")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        ledger = self.tools.ledger()
        migration = find_to_move_back(ledger, parsed_args.migration)
        name = migration.id
        others = [each.id for each in ledger.migrations(active_only=True) if each.id != name]
        if migration.status.is_final and others:
            raise Mistake(
                f"Migration {name} has ended and {others[0]} is active: end that one first."
            )
        if not parsed_args.yes:
            failed = tuple(every(ledger, name, _BACK))
            scene = Scene(migration=migration, stages=ledger.stages(name), items=failed)
            waiting = scene.stages.get(Stage.PLANNED, 0)
            self.say(
                f"Migration {name} ({migration.status}): {movable(scene)} instances would be moved "
                f"back, and {waiting} never begin. Nothing was done: give --yes to do it."
            )
            return
        after = obey(self, name, roll_back, _BACK)
        self.say(f"Migration {after.id} rolls back; follow it with 'migrate watch {after.id}'.")
