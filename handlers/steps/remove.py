"""Remove: nothing of a kind is left, in one role or in all of them."""

from dataclasses import dataclass

from msgspec.structs import replace

from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Ref, State
from handlers.operation import SECOND, Facts, Micros, Operation
from handlers.resources import (
    SERVICE_OF,
    Absent,
    ByIdentity,
    Kind,
    Query,
    Resource,
    Seen,
    Server,
    Service,
    Volume,
)
from handlers.steps.delete import delete_resource

#: Volume statuses in which Cinder takes a delete (API reference, "Delete a volume").
_DELETABLE_VOLUME = frozenset(
    {"available", "error", "error_restoring", "error_extending", "error_managing"}
)
#: How long what others made may be missing from listings; calls of ours have their quiet time.
_SHOWS = 5 * SECOND
#: Neutron has removed the thing when it answers: no second look is needed.
_AT_ONCE = frozenset({Kind.PORT, Kind.SECURITY_GROUP})


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete what carries the subject's identity, one resource per act, until none is left.

    On the way back of a create it has the key of the step that made the resource and removes that
    role only; nothing is asked of the cloud when no call of that step can have landed. Where
    another step makes it (`maker`: a stack), nothing is asked unless that one is known to have made
    something. `reach` is for servers that have no tag yet: what changed since so long before the
    opening is looked through for them. A deletion (`everything`) looks in
    any case and removes all roles, Trove's unnamed ones included.
    """

    key: str
    kind: Kind
    subject: str
    everything: bool = False
    maker: str = ""
    reach: Micros | None = None
    needs: frozenset[str] = frozenset()
    unique: bool = False
    pivot: bool = False

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.kind]

    def wants(self, op: Operation) -> Query | None:
        if not self.everything and not self._may_be_made(op):
            return None
        since = 0 if self.reach is None else op.opened - self.reach
        return ByIdentity(self.kind, self.subject, self._known(op), since)

    def check(self, op: Operation, seen: Seen) -> Next:
        matches = self._mine(op, seen)
        if not matches:
            return Next.WAIT if self._may_show(op, seen) else Next.DONE
        return Next.ACT if any(_deletable(each) for each in matches) else Next.WAIT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        matches = self._mine(op, seen)
        target = next(each for each in matches if _deletable(each))
        answer = delete_resource(world, target)
        at_once = self.kind in _AT_ONCE
        rest = [each.id for each in matches if each is not target or not at_once]
        return replace(answer, settled=at_once and not rest, facts={"rest": rest})

    def learn(self, op: Operation, seen: Seen) -> Facts:
        matches = self._mine(op, seen)
        if not matches:
            return {"rest": []} if self._may_be_made(op) else {}
        rest = [each.id for each in matches]
        return {"id": op.fact(self.key) or rest[0], "rest": rest}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """What was there at the last look; where nobody could look, what may be there."""
        rest = op.fact(self.key, "rest")
        known = self._known(op) if rest is None else rest
        role = "" if self.everything else self.key
        refs = tuple(Ref(kind=self.kind, id=each, role=role) for each in known)
        if rest is None and self._may_exist(op):
            note = f"a {self.kind} may exist that carries the identity of {self.subject}"
            refs += (Ref(kind=self.kind, id="", role=role, note=note),)
        return refs

    def _may_exist(self, op: Operation) -> bool:
        """Whether there may be one that nobody knows the id of."""
        if self.everything:
            return op.basis is None or op.basis.state is State.ERROR
        return self._may_be_made(op) and not op.known_id(self.key)

    def _may_be_made(self, op: Operation) -> bool:
        return bool(op.fact(self.maker)) if self.maker else op.touched(self.key)

    def _may_show(self, op: Operation, seen: Seen) -> bool:
        """Whether a thing that the maker made last may still be missing from listings."""
        gone: Micros | None = op.fact(self.maker, "seen") if self._may_be_made(op) else None
        return gone is not None and seen.at < gone + _SHOWS

    def _known(self, op: Operation) -> tuple[str, ...]:
        recorded = op.basis.ids(self.kind) if self.everything and op.basis else ()
        claimed = (
            facts["id"]
            for key, facts in op.learned.items()
            if "id" in facts and facts.get("kind") == self.kind and self.everything
        )
        own = op.known_id(self.key) if self.maker else op.fact(self.key)
        return tuple(sorted({*recorded, *claimed, *((own,) if own else ())}))

    def _mine(self, op: Operation, seen: Seen) -> list[Resource]:
        if isinstance(seen, Absent):
            return []
        return [
            each
            for each in seen.matches
            if self.everything or each.role == self.key or each.id == op.fact(self.key)
        ]


def remove_everything(
    subject: str, needs: frozenset[str] = frozenset(), reach: Micros | None = None
) -> tuple[Remove, ...]:
    """All that carries the subject's identity, in the order in which the cloud lets go."""
    server = Remove("servers", Kind.SERVER, subject, everything=True, reach=reach, needs=needs)
    after = frozenset({server.key})
    ports = Remove("ports", Kind.PORT, subject, everything=True, needs=after)
    return (
        server,
        Remove("volumes", Kind.VOLUME, subject, everything=True, needs=after),
        ports,
        remove_groups(subject, needs=frozenset({ports.key})),
    )


def remove_groups(subject: str, needs: frozenset[str] = frozenset()) -> Remove:
    """All security groups that carry the subject's identity."""
    return Remove("security-groups", Kind.SECURITY_GROUP, subject, everything=True, needs=needs)


def _deletable(resource: Resource) -> bool:
    """Whether the service would take a delete now; raises Terminal when it never will."""
    if isinstance(resource, Server):
        return resource.status != "DELETED" and resource.task != "deleting"
    if isinstance(resource, Volume):
        if resource.status == "error_deleting":
            raise Terminal(
                f"volume {resource.id} is in error_deleting: Cinder could not delete it",
                Reason.CLOUD_ERROR,
                service=Service.BLOCK_STORAGE,
            )
        return resource.status in _DELETABLE_VOLUME
    return True
