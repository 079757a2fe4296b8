"""Remove a stack: by Heat where it can, and let the services finish where it cannot."""

from dataclasses import dataclass

from handlers.base import Answer, Cloud, Next
from handlers.identity import last_write
from handlers.instance import Ref, State
from handlers.keys import STACK
from handlers.operation import Facts, Operation
from handlers.resources import Absent, ByIdentity, Kind, Query, Seen, Service, Stack
from handlers.steps.stack_state import failure_of, is_being_deleted, write_of

#: How often Heat is asked, before its resources are deleted without it.
TRIES = 2


@dataclass(frozen=True, slots=True)
class RemoveStack:
    """The stack is gone, whatever state it was in; what it retains stays.

    On the way back of a create only what that write made goes; a deletion takes the subject's stack
    (`everything`). When Heat fails or does not end, the step is done with the stack in `rest`: the
    steps that follow delete natively what it owned. Then another step (`rest_of` the first) asks
    Heat once more: what it does not find any more counts as deleted (measured on Heat 27).
    """

    subject: str
    everything: bool = False
    rest_of: str = ""
    key: str = STACK
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known = self._known(op)
        if not known and (self.rest_of or not (self.everything or op.touched(self.key))):
            return None
        return ByIdentity(Kind.STACK, self.subject, known)

    def check(self, op: Operation, seen: Seen) -> Next:
        found = self._mine(op, seen)
        if not found:
            return Next.DONE
        stack, asked = found[0], op.fact(self.key, "tries", 0)
        if is_being_deleted(op, stack, asked, seen):
            return Next.WAIT
        if asked < TRIES:
            return Next.ACT
        if self.rest_of:
            raise failure_of(stack)
        return Next.DONE

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        stack = self._mine(op, seen)[0]
        answer = world.delete_stack(self.subject, stack.id)
        facts: Facts = {"id": stack.id, "tries": op.fact(self.key, "tries", 0) + 1}
        return Answer(facts=facts, request_id=answer.request_id)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        """When it was seen last, for what Heat made may show in listings later."""
        found = self._mine(op, seen)
        facts: Facts = {"rest": [stack.id for stack in found], "seen": seen.at}
        return {"id": found[0].id, **facts} if found else facts

    def left(self, op: Operation) -> tuple[Ref, ...]:
        """The stack; until the first step has given it up, that one tells of it."""
        if self.rest_of and self.rest_of not in op.done:
            return ()
        rest = op.fact(self.key, "rest")
        known = self._known(op) if rest is None else rest
        role = self.rest_of or self.key
        refs = tuple(Ref(kind=Kind.STACK, id=each, role=role) for each in known)
        if rest is None and not known and self._may_exist(op):
            note = f"a stack may exist that carries the identity of {self.subject}"
            refs = (Ref(kind=Kind.STACK, id="", role=role, note=note),)
        return refs

    def _may_exist(self, op: Operation) -> bool:
        """Whether there may be one that nobody knows the id of."""
        if self.rest_of:
            return False
        if self.everything:
            return op.basis is None or op.basis.state is State.ERROR
        return op.touched(self.key)

    def _known(self, op: Operation) -> tuple[str, ...]:
        if self.rest_of:
            return tuple(op.fact(self.rest_of, "rest", ()))
        known = op.known_id(self.key) if self.everything else op.fact(self.key)
        return (known,) if known else ()

    def _mine(self, op: Operation, seen: Seen) -> list[Stack]:
        if isinstance(seen, Absent):
            return []
        stacks = [each for each in seen.matches if isinstance(each, Stack)]
        return [each for each in stacks if each.id in self._known(op) or self._may_take(op, each)]

    def _may_take(self, op: Operation, stack: Stack) -> bool:
        """By its marks: of this write on the way back, of the subject in a deletion. The stack of a
        group is no instance's: it is told by the step that wrote it."""
        if self.rest_of:
            return False
        write = last_write(stack.tags) or ""
        if not self.everything:
            return write == write_of(op, self.key)
        return stack.role is not None and (self.key == STACK or write.endswith(f"_{self.key}"))
