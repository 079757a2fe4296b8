"""Which migration a command is about, and how an order is given to it."""

import argparse
from collections.abc import Sequence

from consumer.cli.base import Command
from consumer.cli.render import now
from consumer.cli.tools import Mistake
from consumer.fleet.orders import Order, Wrong, give
from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Migration, Stage
from handlers.errors import Stale


def one(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The argument of all commands about one migration."""
    parser.add_argument(
        "migration",
        metavar="ID",
        nargs="?",
        default="",
        help="id of the migration; may be left out when only one is active",
    )
    return parser


def find(ledger: Ledger, name: str) -> Migration:
    """The named one; without a name the only active one, or else the newest; raises Mistake."""
    if name:
        found = ledger.migration(name)
        if found is None:
            raise Mistake(f"There is no migration {name}; {_known(ledger)}.")
        return found
    active = ledger.migrations(active_only=True)
    if len(active) > 1:
        names = ", ".join(each.id for each in active)
        raise Mistake(f"Several migrations are active: name one of {names}.")
    newest = active or ledger.migrations(limit=1)
    if not newest:
        raise Mistake("There is no migration: make a plan with 'migrate plan', then start it.")
    return newest[0]


def find_to_move_back(ledger: Ledger, name: str) -> Migration:
    """As `find`, but one that has ended must be named: it may be anybody's; raises Mistake."""
    found = find(ledger, name)
    if found.status.is_final and not name:
        raise Mistake(
            f"No migration is active. The newest one, {found.id}, has ended ({found.status}): "
            f"if you mean it, name it: 'migrate rollback {found.id}'."
        )
    return found


def obey(command: Command, name: str, order: Order, needs: Sequence[Stage] = ()) -> Migration:
    """Give the order; raises Mistake with what to do instead."""
    ledger = command.tools.ledger()
    migration = find(ledger, name)
    try:
        return give(ledger, migration.id, order, now, needs)
    except Wrong as error:
        raise Mistake(f"Migration {migration.id}: {error}.") from None
    except (LookupError, Stale) as error:
        raise Mistake(f"{error}.") from None


def _known(ledger: Ledger) -> str:
    names = [each.id for each in ledger.migrations(limit=5)]
    return f"the newest ones are {', '.join(names)}" if names else "there is none at all"
