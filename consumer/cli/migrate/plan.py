"""`migrate plan`: what could be moved, what not and why, and in which order."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from consumer.cli.base import Command
from consumer.cli.migrate.options import settings_of, settings_options
from consumer.cli.render import console, lasted, now, when
from consumer.cli.tools import Mistake, Tools
from consumer.fleet import summary
from consumer.fleet.plan import STACKS, Plan, written
from consumer.fleet.planner import Meter, Unrecorded, Wish, plan_of
from consumer.ledger.fleet import Direction, Settings
from handlers.errors import Fault
from handlers.instance import Scope
from handlers.operation import SECOND

#: Batches that a terminal shows.
_BATCHES = 6

_DIRECTIONS = {"orchestrator": Direction.ADOPT, "natives": Direction.RELEASE}


class Make(Command):
    """Say which instances can be moved, and in which order; nothing is changed.

    Exit code 0: something can be moved, and the cloud lacks nothing.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--to",
            choices=sorted(_DIRECTIONS),
            default="orchestrator",
            help="the manager that they shall have (default: %(default)s)",
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--instances", nargs="+", default=[], metavar="ID", help="only these")
        which.add_argument("--project", default="", metavar="P", help="only those of a project")
        which.add_argument("--all", action="store_true", help="all that is recorded (default)")
        parser.add_argument(
            "--max-stacks",
            type=int,
            default=STACKS,
            metavar="N",
            help="max_stacks_per_tenant of heat.conf, which no API tells (%(default)s; 0: no "
            "limit, as for administrators)",
        )
        settings_options(parser)
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="write the plan, and FILE.md beside it"
        )
        parser.add_argument("-f", "--format", choices=("table", "json"), default="table")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        place = self.tools.settings.clouds
        plan = made(
            self.tools,
            Wish(
                direction=_DIRECTIONS[parsed_args.to],
                cloud=place.default,
                region=place.region,
                settings=settings_of(parsed_args, Settings()),
                instances=tuple(parsed_args.instances),
                project=parsed_args.project,
                max_stacks=parsed_args.max_stacks,
            ),
        )
        if parsed_args.output:
            _write(plan, parsed_args.output)
        if parsed_args.format == "json":
            self.app.stdout.write(written(plan).decode())
        else:
            show(console(self.app.stdout), plan, parsed_args.output)
        return 0 if plan.is_ready else 1


def made(tools: Tools, wish: Wish) -> Plan:
    """The plan; raises Mistake."""
    meter = Meter()
    scope = Scope(cloud=wish.cloud, region=wish.region, project="")
    try:
        cloud = tools.clouds(meter).of(scope)
        return plan_of(wish, tools.ledger(), cloud, when(now()), lambda: meter.cost)
    except Unrecorded as error:
        raise Mistake(
            f"There is no record in {wish.cloud}/{wish.region} of {error}: "
            "'instances list' shows what there is."
        ) from None
    except Fault as fault:
        raise Mistake(f"The cloud cannot be asked: {fault.message}.") from None


def _write(plan: Plan, path: Path) -> None:
    try:
        path.write_bytes(written(plan))
        path.with_name(f"{path.name}.md").write_text(summary.markdown(plan), encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror}.") from None


def show(page: Console, plan: Plan, path: Path | None) -> None:
    """The plan for people: first of all what the cloud lacks."""
    for each in plan.lacks:
        page.print(f"The cloud lacks something: {each.what}.\n  {each.remedy}", markup=False)
    for table in _tables(plan):
        page.print(table)
    movable = len(plan.eligible)
    took = lasted(int(summary.estimate(plan) * SECOND))
    page.print(f"Plan {plan.id}: {movable} instances, about {took} if nothing goes wrong.")
    if plan.lacks:
        page.print("It cannot be started before the cloud has what it lacks; then plan again.")
    elif movable and path:
        page.print(f"Start it: trove-resources migrate start {path}", markup=False)
    elif movable:
        page.print("Nothing was written: give --output plan.json to keep it.")


def _tables(plan: Plan) -> Iterator[Table]:
    yield _table("Instances", ("verdict", "reason", "instances"), summary.counts(plan))
    if risks := summary.risks(plan):
        yield _table("Risks", ("risk", "instances"), list(risks.items()))
    rows = [(each.instance, each.reason, each.message) for each in summary.blocked(plan)]
    if rows:
        yield _table("Blocked, the first ones", ("instance", "reason", "what to do"), rows)
    turns = summary.turns(plan)
    if turns:
        head = ("batch", "instances", "projects", "GiB")
        more = f", {len(turns) - _BATCHES} more" if len(turns) > _BATCHES else ""
        yield _table(f"Batches{more}", head, turns[:_BATCHES])
    asked = [(name, cost.requests, f"{cost.seconds:.1f}") for name, cost in plan.cost.items()]
    if asked:
        yield _table("What planning asked", ("service", "requests", "seconds"), asked)


def _table(title: str, head: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(*head, title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row))
    return table
