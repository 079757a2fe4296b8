"""The filters of Nova's server listings: those that work, as they work on Nova 34."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from handlers.clouds.memory.things import ServerThing
from handlers.resources import Service
from simulator.wire import bad

Query = MultiDict[str, str]
Filter = Callable[[ServerThing], bool]


def since_of(query: Query) -> int | None:
    """`changes-since` in seconds since 1970; Refusal 400 for what is no time."""
    text = query.get("changes-since")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        told = f"Invalid input for query parameters changes-since. Value: {text}."
        raise bad(Service.COMPUTE, told) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def filter_of(query: Query) -> Filter:
    """All filters of a listing in one. What Nova ignores without a word is ignored here too."""
    if "metadata" in query:
        raise bad(Service.COMPUTE, "Invalid filter field: metadata.")
    checks: list[Filter] = []
    if (name := query.get("name")) is not None:
        pattern = _regex(name)
        checks.append(lambda server: pattern.search(server.name) is not None)
    if statuses := [one.upper() for one in query.getlist("status")]:
        checks.append(lambda server: server.status in statuses)
    if (every := query.get("tags")) is not None:
        wanted = set(every.split(","))
        checks.append(lambda server: wanted <= set(server.tags))
    if (some := query.get("tags-any")) is not None:
        either = set(some.split(","))
        checks.append(lambda server: bool(either & set(server.tags)))
    if (flavor := query.get("flavor")) is not None:
        checks.append(lambda server: server.flavor == flavor)
    return lambda server: all(check(server) for check in checks)


def _regex(name: str) -> re.Pattern[str]:
    """A part of the name, or anchored; alternatives are taken literally (measured)."""
    try:
        return re.compile(name.replace("|", r"\|"))
    except re.error:
        raise bad(Service.COMPUTE, f"Invalid filter field: name. Value: {name}.") from None
