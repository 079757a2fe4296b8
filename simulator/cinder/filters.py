"""The filters of Cinder's volume listings: those that work, as they work on Cinder 29."""

import ast
import operator
from collections.abc import Callable
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from handlers.clouds.memory.things import VolumeThing
from handlers.resources import Service
from simulator.wire import bad

#: What a listing may be asked for; `all_tenants` is looked at elsewhere.
_KNOWN = {
    "name",
    "status",
    "id",
    "metadata",
    "updated_at",
    "limit",
    "marker",
    "sort",
    "sort_key",
    "sort_dir",
    "all_tenants",
}


def filter_of(query: MultiDict[str, str], *, admin: bool) -> Callable[[VolumeThing], bool]:
    """All filters of a listing in one.

    What Cinder does not know it ignores, but for an administrator it then lists nothing, and so it
    does with `all_tenants=0` (measured).
    """
    unknown = any(name not in _KNOWN for name in query)
    if admin and (unknown or query.get("all_tenants") == "0"):
        return lambda volume: False
    checks: list[Callable[[VolumeThing], bool]] = []
    for name, attribute in (("name", "name"), ("status", "status"), ("id", "id")):
        if (value := query.get(name)) is not None:
            checks.append(_equals(attribute, value))
    if (given := query.get("metadata")) is not None:
        wanted = _metadata(given)
        checks.append(lambda volume: wanted.items() <= volume.metadata.items())
    checks += [_changed(given) for given in query.getlist("updated_at")]
    return lambda volume: all(check(volume) for check in checks)


def _equals(attribute: str, value: str) -> Callable[[VolumeThing], bool]:
    return lambda volume: getattr(volume, attribute) == value


def _metadata(text: str) -> dict[str, str]:
    """Cinder takes a dictionary as Python writes it."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, dict):
        raise bad(Service.BLOCK_STORAGE, f"Invalid filter metadata: {text}")
    return found


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}


def _changed(text: str) -> Callable[[VolumeThing], bool]:
    """`gte:<time>` and its like, in whole seconds; a volume without updated_at never fits."""
    name, _, moment = text.partition(":")
    if name not in _COMPARE:
        name, moment = "eq", text
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        raise bad(Service.BLOCK_STORAGE, f"Invalid filter updated_at: {text}") from None
    limit = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    compare = _COMPARE[name]
    return lambda volume: volume.updated is not None and compare(volume.updated // 1_000_000, limit)
