"""Heat's stack listings: which filters there are, how they are sorted and paged.

Repeated filters mean "or". What Heat does not know, misspelt or not, it ignores without a word, and
so it does with an unknown sort key or marker (measured on Heat 27).
"""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from handlers.clouds.memory.orchestration import StackFilters
from handlers.clouds.memory.things import StackThing
from simulator.heat import values
from simulator.heat.refusals import careless

Query = MultiDict[str, str]

_STATUSES = ("COMPLETE", "FAILED", "IN_PROGRESS")

_KEYS: dict[str, Callable[[StackThing], Any]] = {
    "stack_name": lambda stack: stack.name,
    "stack_status": lambda stack: stack.status,
    "creation_time": lambda stack: stack.created // 1_000_000,
    "updated_time": lambda stack: (stack.updated or 0) // 1_000_000,
}


def filters_of(query: Query) -> StackFilters:
    """The filters that the state knows; Refusal 400 for a tag that is too long."""
    statuses, actions = _states(_all(query, "status", "stack_status"))
    return StackFilters(
        ids=_all(query, "id"),
        names=_all(query, "name", "stack_name"),
        statuses=statuses,
        actions=actions | _all(query, "action", "stack_action"),
        tags=_tags(query, "tags"),
        tags_any=_tags(query, "tags_any"),
        not_tags=_tags(query, "not_tags"),
        not_tags_any=_tags(query, "not_tags_any"),
    )


def narrowed(stacks: Iterable[StackThing], query: Query, owner: str) -> list[StackThing]:
    """Those that fit the filters on whose they are: project, user, parent (there are none)."""
    tenants = _all(query, "tenant")
    owners = _all(query, "username", "stack_owner")
    if _all(query, "owner_id", "parent") or (owners and owner not in owners):
        return []
    return [stack for stack in stacks if not tenants or stack.project in tenants]


def arranged(stacks: Iterable[StackThing], query: Query) -> list[StackThing]:
    """Sorted: newest first unless the query says otherwise."""
    keys = [_KEYS[name] for name in query.getlist("sort_keys") if name in _KEYS]
    way = query.get("sort_dir") or ("asc" if keys else "desc")
    if way not in ("asc", "desc"):
        raise careless("ValueError")
    keys = keys or [lambda stack: stack.created]
    return sorted(
        stacks,
        key=lambda stack: (*(key(stack) for key in keys), stack.id),
        reverse=way == "desc",
    )


def paged(stacks: list[StackThing], query: Query) -> list[StackThing]:
    """The page that `limit` and `marker` ask for."""
    marker = query.get("marker")
    places = [place for place, stack in enumerate(stacks) if stack.id == marker]
    whole = stacks[places[0] + 1 :] if places else stacks
    limit = query.get("limit")
    return whole[: values.count("limit", limit)] if limit else whole


def _all(query: Query, *names: str) -> frozenset[str]:
    """The values of filters that mean the same; one that is empty is none."""
    found = (query.getlist(name) for name in names)
    return frozenset(value for some in found if some != [""] for value in some)


def _tags(query: Query, name: str) -> frozenset[str]:
    given = query.get(name)
    return frozenset(values.tags(given)) if given else frozenset()


def _states(given: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """`CREATE_FAILED` asks for a status and an action; several of them for any mixture."""
    statuses, actions = set(), set()
    for text in given:
        for status in _STATUSES:
            action, found, rest = text.rpartition(status)
            if found:
                statuses.add(status + rest)
                actions.add(action.rstrip("_"))
                break
    return frozenset(statuses), frozenset(actions - {""})
