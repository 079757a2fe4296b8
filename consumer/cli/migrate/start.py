"""`migrate start`: begins what a plan describes."""

import argparse
from pathlib import Path

from msgspec.structs import replace

from consumer.cli.base import Command
from consumer.cli.migrate.options import settings_of, settings_options
from consumer.cli.migrate.plan import made
from consumer.cli.render import now
from consumer.cli.tools import Mistake
from consumer.fleet.plan import BadPlan, Plan, read
from consumer.fleet.planner import Wish
from consumer.fleet.starting import Refused, Started, start
from handlers.errors import Fault
from handlers.instance import Scope


class Start(Command):
    """Start the migration of a plan; workers carry it out. Starting it twice is starting it once.

    Options override the settings of the plan.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("plan", metavar="PLAN", type=Path, help="file of 'migrate plan'")
        parser.add_argument(
            "--id", default="", metavar="NAME", help="id of the migration (default: the plan's)"
        )
        parser.add_argument(
            "--replan",
            action="store_true",
            help="plan the same instances again first: some changed since; blocked ones stay out",
        )
        settings_options(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        plan = _read(parsed_args.plan)
        name = _checked(parsed_args.id or plan.id)
        settings = settings_of(parsed_args, plan.settings)
        if parsed_args.replan:
            plan = self._again(plan)
        try:
            project = self.tools.clouds().of(_scope(plan)).project
            started = start(plan, self.tools.ledger(), project, now(), name=name, settings=settings)
        except Refused as error:
            raise Mistake(f"{parsed_args.plan} was not started: {error}.") from None
        except Fault as fault:
            raise Mistake(f"{parsed_args.plan} was not started: {fault.message}.") from None
        self._tell(started)

    def _again(self, plan: Plan) -> Plan:
        """The same instances planned anew; what was started of this file stays one migration."""
        active = self.tools.ledger().migrations()
        if any(each.fingerprint == plan.fingerprint for each in active):
            return plan
        if not plan.eligible:
            raise Mistake("nothing in this plan can be moved: plan again with 'migrate plan'")
        wish = Wish(
            direction=plan.direction,
            cloud=plan.cloud,
            region=plan.region,
            settings=plan.settings,
            instances=tuple(each.instance for each in plan.eligible),
            max_stacks=plan.max_stacks,
        )
        anew = made(self.tools, wish)
        return replace(anew, id=plan.id, fingerprint=plan.fingerprint)

    def _tell(self, started: Started) -> None:
        name = started.migration.id
        if not started.anew:
            self.say(
                f"This plan was started before, as migration {name}: it is "
                f"{started.migration.status}. Nothing was done."
            )
        else:
            self.say(f"Migration {name} of {started.items} instances has started.")
        self.say(f"  follow it:   trove-resources migrate watch {name}")
        self.say(f"  stop for now: trove-resources migrate pause {name}")
        self.say(f"  end it:      trove-resources migrate abort {name}")


def _read(path: Path) -> Plan:
    try:
        return read(path.read_bytes())
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}.") from None
    except BadPlan as error:
        raise Mistake(f"{path} was not started: {error}.") from None


def _scope(plan: Plan) -> Scope:
    return Scope(cloud=plan.cloud, region=plan.region, project="")


def _checked(name: str) -> str:
    """It becomes part of the ids of commands."""
    plain = name.replace("-", "").replace("_", "")
    if not plain.isascii() or not plain.isalnum() or len(name) > 64:
        raise Mistake(f"{name!r} is no id: use up to 64 letters, digits, '-' and '_'.")
    return name
