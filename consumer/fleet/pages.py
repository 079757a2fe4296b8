"""Reading all items of a migration, in pages."""

from collections.abc import Collection, Iterator

from consumer.ledger.base import Ledger
from consumer.ledger.fleet import Item, Stage

_PAGE = 1000


def every(ledger: Ledger, migration: str, stages: Collection[Stage] = ()) -> Iterator[Item]:
    """The items at these stages (all when none is named), by place."""
    after = -1
    while True:
        page = ledger.items(migration, stages, _PAGE, after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].place
