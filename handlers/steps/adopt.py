"""Make a stack of what is there already, and prove that it is nothing else."""

from dataclasses import dataclass

from msgspec.structs import replace

from handlers.adoption import adopted_document, adopted_members, resolved
from handlers.base import Answer, Cloud, Next
from handlers.errors import Reason, Terminal
from handlers.identity import resource_name
from handlers.instance import Ref
from handlers.keys import STACK
from handlers.lacks import TWINS
from handlers.operation import Facts, Operation
from handlers.orders import StackAdoption, StackUpdate
from handlers.resources import ById, ByIdentity, InFull, Kind, Query, Seen, Service, Stack
from handlers.steps.look import OnlyLooks
from handlers.steps.stack_state import (
    failure_of,
    is_just_asked,
    is_made_by,
    is_stuck,
    minutes_of,
    not_ours,
    stack_of,
    stack_query,
    there,
    write_of,
)
from handlers.template import told_ids

#: What an adopted stack must not do with the live resources in its next update.
_HARM = ("replaced", "added", "deleted")


@dataclass(frozen=True, slots=True)
class AdoptStack:
    """The subject's stack, made of its live resources, without rollback and with everything
    retained. Its name can be had once, so there never are two.

    Heat does not compare what it is told with what is there (measured on Heat 27): the steps that
    follow do. Where Heat re-authenticates by trusts it loses the adoption's data and CREATES a
    second set of resources: that ends it, and the way back removes that set.
    """

    subject: str
    key: str = STACK
    needs: frozenset[str] = frozenset()
    service: Service = Service.ORCHESTRATION
    unique: bool = True
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        known: str | None = op.fact(self.key)
        if known:
            return ById(Kind.STACK, known)
        return ByIdentity(Kind.STACK, self.subject)  # a taken name is known before Heat says so

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None:
            if op.fact(self.key):
                raise Terminal("the stack vanished while it was made", service=self.service)
            return Next.ACT
        if not is_made_by(op, self.key, stack):
            return not_ours(stack)
        if is_twin(stack):
            raise Terminal(str(TWINS), Reason.UNSUPPORTED, service=self.service)
        return _settled(op, stack, seen)

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        document = adopted_document(op)
        return world.adopt_stack(
            StackAdoption(
                subject=self.subject,
                template=document.template,
                environment=document.environment,
                parameters=document.parameters,
                write=write_of(op, self.key),
                minutes=minutes_of(op),
                members=adopted_members(op.basis),
            )
        )

    def learn(self, op: Operation, seen: Seen) -> Facts:
        stack = stack_of(seen)
        return {"id": stack.id} if stack and is_made_by(op, self.key, stack) else {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class SameMembers(OnlyLooks):
    """The stack holds the recorded ids, each under its own name."""

    subject: str
    key: str = "members"
    needs: frozenset[str] = frozenset({STACK})
    service: Service = Service.ORCHESTRATION

    def wants(self, op: Operation) -> Query | None:
        return InFull(Kind.STACK, op.known_id(STACK) or "", resource_name(self.subject))

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None or stack.outputs is None:
            raise Terminal("the stack vanished after it was made", service=self.service)
        wanted = adopted_members(op.basis)
        told = told_ids(stack.outputs, wanted)
        wrong = sorted(name for name, one in wanted.items() if told.get(name) != one)
        if wrong:
            text = f"the stack holds something else as {', '.join(wrong)}"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        return Next.DONE


@dataclass(frozen=True, slots=True)
class CheckStack:
    """Heat has looked itself, and found the server and the volume."""

    subject: str
    key: str = "check"
    needs: frozenset[str] = frozenset({STACK})
    service: Service = Service.ORCHESTRATION
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = there(seen)
        if stack.status.startswith("CHECK_"):
            return _settled(op, stack, seen)
        if stack.is_busy:
            return Next.WAIT
        asked = op.fact(self.key, "asked", default=False)
        return Next.WAIT if asked and is_just_asked(op, seen) else Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        answer = world.check_stack(self.subject, there(seen).id)
        return replace(answer, facts={"asked": True})

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class PreviewStack:
    """An update with what the stack was made of would replace, add and delete nothing."""

    subject: str
    key: str = "preview"
    needs: frozenset[str] = frozenset({"check"})
    service: Service = Service.ORCHESTRATION
    unique: bool = False
    pivot: bool = False

    def wants(self, op: Operation) -> Query | None:
        return stack_query(op)

    def check(self, op: Operation, seen: Seen) -> Next:
        return Next.WAIT if there(seen).is_busy else Next.ACT

    def act(self, op: Operation, seen: Seen, world: Cloud) -> Answer:
        document = adopted_document(op)
        answer = world.preview_stack(
            StackUpdate(
                subject=self.subject,
                stack=there(seen).id,
                parameters={},
                write=write_of(op, STACK),
                minutes=minutes_of(op),
                template=resolved(document.template, adopted_members(op.basis)),
            )
        )
        harm = {what: answer.facts[what] for what in _HARM if answer.facts.get(what)}
        if harm:
            told = "; ".join(f"{what}: {', '.join(names)}" for what, names in harm.items())
            text = f"the next update of the stack would do harm ({told})"
            raise Terminal(text, Reason.DRIFT, service=self.service)
        return replace(answer, settled=True)

    def learn(self, op: Operation, seen: Seen) -> Facts:
        return {}

    def left(self, op: Operation) -> tuple[Ref, ...]:
        return ()


def is_twin(stack: Stack) -> bool:
    """Whether Heat creates where it was told to adopt: its first status says so."""
    return stack.status.startswith("CREATE_")


def _settled(op: Operation, stack: Stack, seen: Seen) -> Next:
    """DONE when Heat has ended well; Terminal when it failed, or has stopped working on it."""
    if not stack.is_busy:
        if stack.has_failed or stack.status.startswith("ROLLBACK"):
            raise failure_of(stack)
        return Next.DONE
    if is_stuck(op, seen):
        raise Terminal(
            f"the stack stays {stack.status}", Reason.CLOUD_ERROR, service=Service.ORCHESTRATION
        )
    return Next.WAIT
