"""Audit: after a call that may have landed twice, nothing of a kind exists beside what is known."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.instance import Ref
from handlers.operation import Facts, Operation
from handlers.resources import SERVICE_OF, Absent, ByIdentity, Kind, Query, Resource, Seen, Service
from handlers.steps.delete import delete_duplicate


@dataclass(frozen=True, slots=True)
class Audit:
    """Remove what carries the subject's identity and a role of ours, but is not the known one.

    Costs nothing when the operation has no doubt: no call was ambiguous and no worker died.
    """

    kind: Kind
    subject: str
    needs: frozenset[str] = frozenset()
    unique: bool = False
    pivot: bool = False

    @property
    def key(self) -> str:
        return f"audit/{self.kind}"

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.kind]

    def wants(self, op: Operation) -> Query | None:
        return ByIdentity(self.kind, self.subject) if op.doubt else None

    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.ACT if self._extra(op, seen) else Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        return delete_duplicate(world, self._extra(op, seen)[0])

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    def _extra(self, op: Operation, seen: Seen) -> list[Resource]:
        if isinstance(seen, Absent):
            return []
        return [
            each
            for each in seen.matches
            if each.role is not None
            and op.fact(each.role) != each.id
            and getattr(each, "task", None) != "deleting"
            and each.status not in ("DELETED", "deleting")
        ]
