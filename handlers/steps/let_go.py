"""A stack lets go of its resources: it is deleted, they stay."""

from dataclasses import dataclass

from handlers.adoption import retains_all
from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.identity import last_write
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.operation import TRIES as TRIED
from handlers.operation import Facts, Operation
from handlers.resources import Absent, ByIdentity, Kind, Query, Seen, Service, Stack
from handlers.steps.adopt import is_twin
from handlers.steps.stack_state import failure_of, is_being_deleted, stored_template, write_of
from handlers.steps.stacks import TRIES


@dataclass(frozen=True, slots=True)
class LetGo:
    """The stack is gone, and nothing was deleted with it. Heat's abandon, off by default, is not
    needed.

    `sure` is the step that made the stack retain everything: without it nothing is deleted. The
    template is read once more before each call, and one that would delete something is refused. On
    the way back of an adoption (`made`) only the stack that this operation made goes.
    """

    subject: str
    key: str
    sure: str = ""
    made: bool = False
    twin: str = ""
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known = self._known(op)
        if not known and not op.touched(self.key):
            return None
        return ByIdentity(Kind.STACK, self.subject, (known,) if known else ())

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = self._mine(op, seen)
        if stack is None:
            return Next.DONE
        self._must_be_sure(op, stack)
        asked = op.fact(self.key, TRIED, 0)
        if is_being_deleted(op, stack, asked, seen):
            return Next.WAIT
        if asked >= TRIES:
            raise failure_of(stack)
        return Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = self._mine(op, seen)
        if stack is None:
            return Answer()
        if not retains_all(stored_template(world, self.subject, stack)):
            raise Terminal("the stack would delete what is in it: it is left alone", Reason.DRIFT)
        answer = world.delete_stack(self.subject, stack.id)
        facts: Facts = {TRIED: op.fact(self.key, TRIED, 0) + 1}
        return Answer(facts=facts, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        stack = self._mine(op, seen)
        return {"rest": stack.id if stack else ""}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        if not op.touched(self.key):
            return ()
        rest = op.fact(self.key, "rest")
        one = self._known(op) if rest is None else rest
        note = "it retains everything, and holds nothing any more that is ours"
        if not one:
            note = f"a stack may exist that carries the identity of {self.subject}; {note}"
        return () if rest == "" else (Ref(kind=Kind.STACK, id=one, role=STACK, note=note),)

    def _must_be_sure(self, op: Operation, stack: Stack) -> None:
        if self.sure and self.sure not in op.done:
            raise Terminal("the stack may not retain everything: it is left alone", Reason.DRIFT)
        if self.twin and is_twin(stack) and self.twin not in op.done:
            raise Terminal("nobody knows what the stack has made: it is left alone", Reason.DRIFT)

    def _known(self, op: Operation) -> str:
        known: str | None = op.fact(STACK) if self.made else op.known_id(STACK)
        return known or ""

    def _mine(self, op: Operation, seen: Seen) -> Stack | None:
        if isinstance(seen, Absent):
            return None
        for each in seen.matches:
            if not isinstance(each, Stack):
                continue
            made = self.made and last_write(each.tags) == write_of(op, self.key)
            if made or each.id == self._known(op):
                return each
        return None
