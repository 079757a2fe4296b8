"""What a stack is made of: read once, when it is complete."""

from dataclasses import dataclass

from handlers.base import Next
from handlers.errors import Terminal
from handlers.identity import resource_name
from handlers.keys import STACK
from handlers.operation import Facts, Operation
from handlers.resources import InFull, Kind, Query, Seen, Service
from handlers.steps.look import OnlyLooks
from handlers.steps.stack_state import stack_of
from handlers.template import told_addresses, told_ids


@dataclass(frozen=True, slots=True)
class Members(OnlyLooks):
    """Which resources Heat made: ids and addresses, from the stack's outputs."""

    subject: str
    members: tuple[str, ...]
    stack: str = STACK
    needs: frozenset[str] = frozenset({STACK})
    key: str = "members"
    service: Service = Service.ORCHESTRATION

    def wants(self, op: Operation) -> Query | None:
        return InFull(Kind.STACK, op.known_id(self.stack) or "", resource_name(self.subject))

    def check(self, op: Operation, seen: Seen) -> Next:
        stack = stack_of(seen)
        if stack is None or stack.outputs is None:
            raise Terminal("the stack vanished after it was made", service=self.service)
        missing = set(self.members) - set(told_ids(stack.outputs, self.members))
        if missing:
            text = f"the stack does not tell the ids of {', '.join(sorted(missing))}"
            raise Terminal(text, service=self.service)
        return Next.DONE

    def learn(self, op: Operation, seen: Seen) -> Facts:
        stack = stack_of(seen)
        if stack is None or stack.outputs is None:
            return {}
        return {
            "resources": told_ids(stack.outputs, self.members),
            "addresses": told_addresses(stack.outputs, self.members),
        }
