"""The way back from a Heat that made resources of its own where it should have adopted ours."""

from dataclasses import dataclass

from handlers.adoption import adopted_members
from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.operation import Facts, Operation
from handlers.resources import (
    SERVICE_OF,
    Absent,
    ByIdentity,
    InFull,
    Kind,
    Query,
    Seen,
    Server,
    Service,
    Stack,
    Volume,
)
from handlers.steps.adopt import is_twin
from handlers.steps.delete import delete_resource
from handlers.steps.look import OnlyLooks
from handlers.steps.stack_state import is_made_by, is_stuck
from handlers.template import name_of

TWIN = "twin"


@dataclass(frozen=True, slots=True)
class ReadTwin:
    """What the stack made is known: it retains everything, and would leave that behind.

    It is a second set of everything where Heat lost what it was told to adopt, and a part of it
    where somebody updated the stack meanwhile: an update makes what is not adopted yet. In a second
    set nothing may be ours.
    """

    subject: str
    key: str = TWIN
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known: str | None = op.fact(STACK)
        if not known and not op.touched(STACK):
            return None
        return ByIdentity(Kind.STACK, self.subject, (known,) if known else ())

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = self._mine(op, seen)
        if stack is None:
            may_land = seen.at < op.quiet.get(STACK, 0)
            return Next.WAIT if may_land else Next.DONE
        if op.fact(self.key, "members") is not None:
            return Next.DONE
        makes = stack.is_busy and not stack.status.startswith(("ADOPT", "DELETE"))
        return Next.WAIT if makes and not is_stuck(op, seen) else Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = self._mine(op, seen)
        members = dict(world.stack_members(self.subject, stack.id)) if stack else {}
        ours = sorted(set(members.values()) & set(adopted_members(op.basis).values()))
        if ours and stack and is_twin(stack):
            text = f"a stack that makes things anew holds {', '.join(ours)}, which are ours"
            raise Terminal(f"{text}: it is left alone", Reason.DRIFT, service=self.service)
        whole = stack is not None and is_twin(stack)
        return Answer(facts={"members": members, "whole": whole}, settled=True)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()

    def _mine(self, op: Operation, seen: Seen) -> Stack | None:
        found = () if isinstance(seen, Absent) else seen.matches
        for each in found:
            if isinstance(each, Stack) and is_made_by(op, STACK, each):
                return each
        return None


@dataclass(frozen=True, slots=True)
class RemoveTwin:
    """The second resource of a member is gone: exactly the one that the stack named, never ours.

    Heat adopts whatever it is told to, and one id may be wrong. Where it did not make all anew,
    only what carries this instance's identity was made from its template. What is another
    instance's is left in peace; of what says nothing nobody knows, and it is told as left.
    """

    member: str
    ref: Ref
    needs: frozenset[str] = frozenset()
    unique: bool = False
    pivot: bool = False

    @property
    def key(self) -> str:
        return f"{TWIN}/{self.member}"

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.ref.kind]

    def wants(self, op: Operation) -> Query | None:
        one = self._one(op)
        return InFull(self.ref.kind, one) if one else None  # no listing tells that it has gone

    def check(self, op: Operation, seen: Seen) -> Next:
        if isinstance(seen, Absent):
            return Next.DONE
        one = seen.matches[0]
        if not op.fact(TWIN, "whole", default=False) and one.subject != op.subject:
            if one.subject is not None:
                return Next.DONE
            text = f"nobody knows who made {self.ref.kind} {one.id}: it is left alone"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        is_held = isinstance(one, Volume) and one.status in ("in-use", "detaching", "deleting")
        is_going = isinstance(one, Server) and one.task == "deleting"
        return Next.WAIT if is_held or is_going else Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        return Answer() if isinstance(seen, Absent) else delete_resource(world, seen.matches[0])

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        one = self._one(op)
        return (Ref(kind=self.ref.kind, id=one, role=self.member),) if one else ()

    def _one(self, op: Operation) -> str:
        members: dict[str, str] = op.fact(TWIN, "members") or {}
        one = members.get(name_of(self.member), "")
        return "" if one in adopted_members(op.basis).values() else one


@dataclass(frozen=True, slots=True)
class NothingBeside(OnlyLooks):
    """Nothing of a kind carries the subject's identity but what is recorded.

    A look at the very end, for what nobody can prevent: a stack whose members could not be read, or
    an update by somebody else in the moment before its deletion. What is found is told, and left
    alone: it may be anybody's.
    """

    kind: Kind
    subject: str
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return f"beside/{self.kind}"

    @property
    def service(self) -> Service:
        return SERVICE_OF[self.kind]

    def wants(self, op: Operation) -> Query | None:
        return ByIdentity(self.kind, self.subject) if op.touched(STACK) else None

    def check(self, op: Operation, seen: Seen) -> Next:
        if found := self._beside(op, seen):
            text = f"{self.kind} {', '.join(found)} carries the identity of {self.subject} too"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        return Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {"rest": self._beside(op, seen)}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """What was found; where nobody could look, what may be there."""
        if not op.touched(STACK):
            return ()
        rest = op.fact(self.key, "rest")
        if rest is None:
            note = f"a second {self.kind} may exist that carries the identity of {self.subject}"
            return (Ref(kind=self.kind, id="", note=note),)
        return tuple(Ref(kind=self.kind, id=one, note="is not the recorded one") for one in rest)

    def _beside(self, op: Operation, seen: Seen) -> list[str]:
        known = set(adopted_members(op.basis).values())
        found = () if isinstance(seen, Absent) else seen.matches
        going = ("DELETED", "deleting")
        return sorted(one.id for one in found if one.id not in known and one.status not in going)
