"""Requests to a cloud, counted by service and by what kind of request it is."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from handlers.resources import Service


class Sort(StrEnum):
    """A listing serves every operation that waits, a look is for one thing, a change changes it."""

    LISTING = "listing"
    LOOK = "look"
    CHANGE = "change"


class Traffic(msgspec.Struct, frozen=True):
    """Requests so far; `counts` by service and sort."""

    counts: Mapping[tuple[Service, Sort], int] = {}

    def since(self, earlier: "Traffic") -> "Traffic":
        """What came after `earlier`."""
        return Traffic(dict(Counter(self.counts) - Counter(earlier.counts)))

    def of(self, service: Service, *sorts: Sort) -> int:
        """Requests to one service, of these sorts; of all sorts when none is given."""
        return sum(self.counts.get((service, sort), 0) for sort in sorts or Sort)

    @property
    def all(self) -> int:
        return sum(self.counts.values())

    @property
    def changes(self) -> int:
        """Those that change something."""
        return sum(self.of(service, Sort.CHANGE) for service in Service)

    @property
    def beside_listings(self) -> dict[str, int]:
        """By service: requests of single operations, for themselves alone."""
        single = (Sort.LOOK, Sort.CHANGE)
        return {str(one): many for one in Service if (many := self.of(one, *single))}
