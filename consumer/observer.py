"""The eyes on one service: what operations want to see, asked for in as few requests as can be.

Three rules, each of which the chaos suite proves necessary:

* A delta listing proves presence only. Absence is believed from a look-up by id or identity.
* Absence is believed only if the look-up began after every call that may still land was over.
* Nothing is answered from an observation older than the operation's last act.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from consumer.policy import Policy
from consumer.telemetry.base import Telemetry
from handlers.base import Cloud, Clouds
from handlers.errors import Fault, Reason, Retryable
from handlers.instance import Scope
from handlers.operation import SECOND, Micros
from handlers.resources import (
    UNKNOWN,
    Absent,
    ById,
    ByIdentity,
    InFull,
    Kind,
    Present,
    Query,
    Resource,
    Seen,
    Service,
    Unknown,
)

#: A cloud and region: what one batch of look-ups is about.
Place = tuple[str, str]

#: How long an entry is kept that nobody asks for.
_KEEP = 300 * SECOND


class Ask(msgspec.Struct, frozen=True):
    """What one operation wants to see. A look-up that began before `floor` is no use to it."""

    scope: Scope
    query: Query
    floor: Micros


class _Entry(msgspec.Struct):
    """What is known about one query, and when to prove it next."""

    seen: Seen | None = None
    covered: Micros = 0  # delta listings have been read from this time on
    prove_at: Micros = 0  # look it up when this time has come
    interval: Micros = 0  # and then again after twice this
    asked: Micros = 0
    fault: Fault | None = None
    tried: Micros = 0  # when it could not be seen last


class Observer:
    """Looks at one service for all operations at once; safe to use from several threads."""

    def __init__(
        self,
        service: Service,
        clouds: Clouds,
        policy: Policy,
        now: Callable[[], Micros],
        telemetry: Telemetry,
    ) -> None:
        self._service = service
        self._clouds = clouds
        self._policy = policy
        self._now = now
        self._telemetry = telemetry
        self._entries: dict[tuple[Place, Query], _Entry] = {}
        self._lock = threading.Lock()

    def see(
        self, scope: Scope, query: Query, after: Micros, quiet: Micros = 0
    ) -> Absent | Present | Unknown:
        """What is known that began later than `after`; absence only if not before `quiet`."""
        entry = self._entries.get((_place(scope), query))
        seen = entry.seen if entry else None  # read once: another thread looks meanwhile
        if seen is None or seen.at <= after:
            return UNKNOWN
        if isinstance(seen, Absent) and seen.at < quiet:
            return UNKNOWN
        return seen

    def fault(self, scope: Scope, query: Query) -> Fault | None:
        """Why the last look failed, if it did."""
        entry = self._entries.get((_place(scope), query))
        return entry.fault if entry else None

    def fresh(self, scope: Scope, query: Query) -> bool:
        """Whether the query was never looked at: then there is no reason to wait for a tick."""
        entry = self._entries.get((_place(scope), query))
        return entry is None or (entry.seen is None and entry.fault is None)

    def tell(self, scope: Scope, resource: Resource, at: Micros) -> None:
        """Take what a call of ours answered as seen; the next delta listing starts from there."""
        seen = Present((resource,), at)
        entry = _Entry(seen, covered=at, prove_at=at + self._policy.patience, asked=at)
        entry.interval = self._policy.patience
        with self._lock:
            self._entries[_place(scope), ById(resource.kind, resource.id)] = entry

    def refresh(self, asks: Iterable[Ask]) -> None:
        """Look for all asks: one delta listing per kind, and the look-ups that are due."""
        began = self._now()
        batches: dict[tuple[Place, Kind], dict[Query, Ask]] = defaultdict(dict)
        for ask in asks:
            batch = batches[_place(ask.scope), ask.query.kind]
            known = batch.get(ask.query)
            if known is None or known.floor < ask.floor:
                batch[ask.query] = ask
        for (place, kind), wanted in batches.items():
            try:
                self._look(place, kind, wanted, began)
            except Fault as fault:
                self._failed([self._entry(place, query, began) for query in wanted], fault)
            except Exception as error:  # a defect: not asked again at once, nor instead of others
                defect = Retryable(type(error).__name__, Reason.INTERNAL)
                self._failed([self._entry(place, query, began) for query in wanted], defect)
        if batches:
            count = sum(map(len, batches.values()))
            self._telemetry.looked(self._service, count, (self._now() - began) / 1e6)
        self._forget(began)

    # -- looking --------------------------------------------------------------------------------

    def _look(self, place: Place, kind: Kind, wanted: dict[Query, Ask], began: Micros) -> None:
        cloud = self._clouds.of(next(iter(wanted.values())).scope)
        entries = {query: self._entry(place, query, began) for query in wanted}
        for query, ask in wanted.items():
            seen = entries[query].seen
            if seen is None or seen.at < ask.floor:
                entries[query].prove_at = began
        waiting = {q.id: entries[q] for q in wanted if isinstance(q, ById)}
        if waiting and not all(_due(entry, began) for entry in waiting.values()):
            self._listen(cloud, kind, waiting, began)
        due = [query for query in wanted if _due(entries[query], began)]
        for query in wanted.keys() - due:
            entries[query].fault = None
        self._prove(cloud, kind, due, entries)

    def _prove(
        self, cloud: Cloud, kind: Kind, due: list[Query], entries: dict[Query, _Entry]
    ) -> None:
        """Look up together what gave no trouble, then one by one what did: a thing that the
        service cannot show must not hide the others. The first fault ends the round, so that a
        service that is down is not asked for each; what failed longest ago comes first."""
        well = [query for query in due if entries[query].fault is None]
        ill = [query for query in due if entries[query].fault is not None]
        alone = ([query] for query in sorted(ill, key=lambda query: entries[query].tried))
        for some in (well, *alone):
            try:
                self._prove_ids(cloud, kind, [q for q in some if isinstance(q, ById)], entries)
                identities = [q for q in some if isinstance(q, ByIdentity)]
                self._prove_identities(cloud, kind, identities, entries)
                self._prove_in_full(cloud, [q for q in some if isinstance(q, InFull)], entries)
            except Fault as fault:
                self._failed((entries[query] for query in some), fault)
                return
            for query in some:
                entries[query].fault = None

    def _failed(self, entries: Iterable[_Entry], fault: Fault) -> None:
        self._telemetry.look_failed(self._service, fault)
        for entry in entries:
            entry.fault, entry.tried = fault, self._now()

    def _listen(self, cloud: Cloud, kind: Kind, waiting: dict[str, _Entry], began: Micros) -> None:
        """One delta listing for all that wait; a kind without one is looked up each time."""
        heard = [entry for entry in waiting.values() if not _due(entry, began)]
        changed = cloud.changed(kind, min(entry.covered for entry in heard) - self._policy.skew)
        if changed is None:
            for entry in heard:
                entry.prove_at = began
            return
        for entry in heard:
            entry.covered = began
        for resource in changed:
            entry_of = waiting.get(resource.id)
            if entry_of is not None:
                entry_of.seen = Present((resource,), began)

    def _prove_ids(
        self, cloud: Cloud, kind: Kind, due: list[ById], entries: dict[Query, _Entry]
    ) -> None:
        if not due:
            return
        began = self._now()
        found = {each.id: each for each in cloud.get(kind, [query.id for query in due])}
        for query in due:
            hit = found.get(query.id)
            seen = Present((hit,), began) if hit else Absent(began)
            self._proven(entries[query], seen, self._policy.patience)

    def _prove_identities(
        self, cloud: Cloud, kind: Kind, due: list[ByIdentity], entries: dict[Query, _Entry]
    ) -> None:
        """All matches by identity; ids that are known besides are looked up if they are not among
        them, because a resource that Trove made may not carry every mark of ours."""
        if not due:
            return
        began = self._now()
        carried: dict[str, dict[str, Resource]] = defaultdict(dict)
        found = cloud.find(kind, sorted({query.subject for query in due}))
        since = min((query.since for query in due if query.since), default=0)
        recent = cloud.changed(kind, since - self._policy.skew) if since else None
        for resource in (*(recent or ()), *found):
            carried[resource.subject or ""][resource.id] = resource
        missing = sorted({i for q in due for i in q.ids if i not in carried[q.subject]})
        named = {each.id: each for each in cloud.get(kind, missing)} if missing else {}
        for query in due:
            matches = dict(carried[query.subject])
            matches.update({i: named[i] for i in query.ids if i in named})
            all_of_it = tuple(matches[each] for each in sorted(matches))
            seen = Present(all_of_it, began) if all_of_it else Absent(began)
            self._proven(entries[query], seen, self._policy.poll // 2)

    def _prove_in_full(self, cloud: Cloud, due: list[InFull], entries: dict[Query, _Entry]) -> None:
        """One by one: the service has no listing that tells it."""
        for query in due:
            began = self._now()
            found = cloud.in_full(query.kind, query.name, query.id)
            seen = Present((found,), began) if found else Absent(began)
            self._proven(entries[query], seen, self._policy.poll)

    def _proven(self, entry: _Entry, seen: Seen, first: Micros) -> None:
        """Next proof after a pause that doubles, as long as nothing new shows."""
        same = type(entry.seen) is type(seen) and _matches(entry.seen) == _matches(seen)
        entry.interval = min(entry.interval * 2, 20 * first) if same and entry.interval else first
        entry.seen = seen
        entry.covered = seen.at
        entry.prove_at = seen.at + entry.interval

    # -- entries --------------------------------------------------------------------------------

    def _entry(self, place: Place, query: Query, began: Micros) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault((place, query), _Entry())
        entry.asked = began
        return entry

    def _forget(self, now: Micros) -> None:
        with self._lock:
            stale = [key for key, entry in self._entries.items() if entry.asked < now - _KEEP]
            for key in stale:
                del self._entries[key]


def _place(scope: Scope) -> Place:
    return scope.cloud, scope.region


def _due(entry: _Entry, now: Micros) -> bool:
    return entry.prove_at <= now


def _matches(seen: Seen | None) -> tuple[Resource, ...]:
    return seen.matches if isinstance(seen, Present) else ()
