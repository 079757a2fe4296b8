"""Pages of listings: `limit` and `marker`, as the services take them."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.things import AnyThing
from handlers.resources import Service
from simulator.wire import bad

Shown = TypeVar("Shown", bound=AnyThing)

#: Makes the refusal for a marker that is not in the listing.
Missing = Callable[[str], Refusal]

_BAD_LIMIT = {
    Service.COMPUTE: (
        "Invalid input for query parameters limit. Value: {0}. '{0}' does not match '^[0-9]*$'"
    ),
    Service.BLOCK_STORAGE: "limit param must be an integer",
    Service.NETWORK: ("Bad limit request: Limit must be an integer 0 or greater and not '{0}'."),
}


def page(
    items: Iterable[Shown],
    query: MultiDict[str, str],
    service: Service,
    missing: Missing,
    most: int | None = None,
) -> tuple[list[Shown], str | None]:
    """The page that `limit` and `marker` ask for, and the marker of the next one.

    There is a next one whenever the page is full, even when nothing follows (measured). `most` is
    the service's own limit.
    """
    whole = list(items)
    marker = query.get("marker")
    if marker is not None:
        places = [place for place, one in enumerate(whole) if one.id == marker]
        if not places:
            raise missing(marker)
        whole = whole[places[0] + 1 :]
    size = _size(query.get("limit"), service, most)
    if size is None:
        return whole, None
    part = whole[:size]
    return part, part[-1].id if part and len(part) == size else None


def _size(limit: str | None, service: Service, most: int | None) -> int | None:
    if limit is None:
        return most
    if not limit.isdigit():
        raise bad(service, _BAD_LIMIT[service].format(limit))
    return min(int(limit), most) if most else int(limit)
