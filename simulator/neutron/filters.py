"""The filters of Neutron's listings: repeated values mean "or", what is unknown is refused."""

from collections.abc import Iterable
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from handlers.clouds.memory.things import AnyThing
from handlers.resources import Service
from simulator.wire import bad

Seen = TypeVar("Seen", bound=AnyThing)

#: What a filter is called, and what it looks at.
COMMON = {
    "id": "id",
    "name": "name",
    "description": "description",
    "project_id": "project",
    "tenant_id": "project",
}
PORTS = {
    **COMMON,
    "device_id": "device",
    "device_owner": "device_owner",
    "network_id": "network",
    "mac_address": "mac",
    "status": "status",
}
_PAGING = {"limit", "marker", "sort_key", "sort_dir", "fields", "page_reverse"}


def filtered(
    things: Iterable[Seen], query: MultiDict[str, str], names: dict[str, str]
) -> list[Seen]:
    """Those that fit every filter; Refusal 400 for a filter that Neutron does not know."""
    unknown = [name for name in query if name not in names and name not in _PAGING]
    if unknown:
        raise bad(Service.NETWORK, f"{unknown} is invalid attribute for filtering")
    wanted = {names[name]: set(query.getlist(name)) for name in query if name in names}
    return [
        thing
        for thing in things
        if all(getattr(thing, name) in values for name, values in wanted.items())
    ]


def fields(shown: list[dict[str, Any]], query: MultiDict[str, str]) -> list[dict[str, Any]]:
    """Only the fields that were asked for; all when none was named."""
    asked = query.getlist("fields")
    if not asked:
        return shown
    return [{name: one[name] for name in asked if name in one} for one in shown]
