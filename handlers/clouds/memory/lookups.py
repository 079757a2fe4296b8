"""Look-ups of the in-memory cloud, in as many requests as the services need."""

from collections.abc import Callable, Collection, Iterable
from functools import partial

from handlers.clouds.memory.asking import Asking
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration import StackFilters
from handlers.clouds.memory.things import AnyThing, ServerThing, StackThing
from handlers.clouds.memory.views import in_full, resource_of
from handlers.identity import resource_name, server_tag
from handlers.operation import SECOND, Micros
from handlers.resources import SERVICE_OF, Kind, Resource

#: Kinds that can only be asked for one id, or one name, at a time (measured).
_ONE_BY_ONE = frozenset({Kind.SERVER, Kind.VOLUME})
_NAME_BY_NAME = frozenset({Kind.VOLUME})


#: The most that one page of a listing holds.
PAGE = 1000


class Lookups:
    """`changed`, `get`, `find`, `in_full` and `every` of the Cloud protocol."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        """As the services list changes, whose time-stamps are whole seconds.

        Presence only: neither new volumes nor deleted things are in it. Neutron and Heat have no
        such filter.
        """
        if kind not in (Kind.SERVER, Kind.VOLUME):
            return None
        first = since // SECOND * SECOND

        def look(doing: Doing) -> tuple[Resource, ...]:
            return tuple(
                resource_of(thing)
                for thing in self._asking.stores[kind].values()
                if thing.updated is not None
                and thing.updated >= first
                and thing.status != "DELETED"
                and self._asking.listed(thing)
            )

        return self._asking.call(SERVICE_OF[kind], f"changed_{kind}", look)

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        """Nova and Cinder are asked once per id, the others once."""
        store = self._asking.stores[kind]

        def pick(some: Collection[str]) -> list[AnyThing]:
            if kind is Kind.STACK:
                return self._stacks(StackFilters(ids=frozenset(some)))
            return [store[one] for one in some if one in store]

        return self._look(f"get_{kind}", kind, _batches(ids, singly=kind in _ONE_BY_ONE), pick)

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        """Cinder is asked once per subject, the others once."""
        store = self._asking.stores[kind]

        def pick(some: Collection[str]) -> list[AnyThing]:
            if kind is Kind.STACK:
                return self._stacks(StackFilters(names=frozenset(map(resource_name, some))))
            return [
                one
                for one in store.values()
                if one.subject in some and _is_tagged(one) and self._asking.listed(one)
            ]

        batches = _batches(subjects, singly=kind in _NAME_BY_NAME)
        return self._look(f"find_{kind}", kind, batches, pick)

    def in_full(self, kind: Kind, one: str) -> Resource | None:
        """Anything but a stack."""
        store = self._asking.stores[kind]

        def look(doing: Doing) -> Resource | None:
            thing = store.get(one)
            return None if thing is None else in_full(thing)

        return self._asking.call(SERVICE_OF[kind], f"get_{kind}", look)

    def every(self, kind: Kind) -> tuple[Resource, ...]:
        """One request per page."""
        found: list[Resource] = []
        while True:
            page = self._asking.call(
                SERVICE_OF[kind], f"find_{kind}", partial(self._page, kind, len(found))
            )
            found += page
            if len(page) < PAGE:
                return tuple(found)

    def _page(self, kind: Kind, start: int, doing: Doing) -> list[Resource]:
        mine: list[AnyThing]
        if kind is Kind.STACK:
            mine = self._stacks(StackFilters())
        else:
            mine = [one for one in self._asking.stores[kind].values() if self._asking.listed(one)]
        return [resource_of(thing) for thing in mine[start : start + PAGE]]

    def _stacks(self, filters: StackFilters) -> list[AnyThing]:
        """A deleted one can still be listed for a moment; the adapter leaves it out."""
        found = self._asking.state.orchestration.list(self._asking.project, filters)
        return [one for one in found if not _is_gone(one)]

    def _look(
        self,
        verb: str,
        kind: Kind,
        batches: Iterable[list[str]],
        pick: Callable[[list[str]], list[AnyThing]],
    ) -> tuple[Resource, ...]:
        found: list[Resource] = []
        for some in batches:

            def look(doing: Doing, some: list[str] = some) -> list[Resource]:
                return [resource_of(thing) for thing in pick(some)]

            found += self._asking.call(SERVICE_OF[kind], verb, look)
        return tuple(found)


def _is_tagged(thing: AnyThing) -> bool:
    """Servers are found by their tag alone: what Heat makes has it only once it is ACTIVE."""
    return not isinstance(thing, ServerThing) or server_tag(thing.subject or "") in thing.tags


def _is_gone(stack: StackThing) -> bool:
    return (stack.action, stack.status) == ("DELETE", "COMPLETE")


def _batches(values: Collection[str], *, singly: bool) -> list[list[str]]:
    """The distinct values, sorted, one per request or all in one; none when there are none."""
    whole = sorted(set(values))
    return [[one] for one in whole] if singly or not whole else [whole]
