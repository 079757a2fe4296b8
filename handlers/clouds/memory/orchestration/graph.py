"""The order of a traversal: what waits for what, as Heat's convergence has it."""

from collections.abc import Iterable
from enum import Enum

from handlers.clouds.memory.orchestration.plan import Plan
from handlers.clouds.memory.things import StackResource, StackThing


class Turn(Enum):
    """How far a node is."""

    WAITING = 0  # for others
    CALLED = 1  # its turn has come or comes
    BLOCKED = 2  # an older traversal still works on its resource
    DONE = 3


class Node:
    """A resource to bring to the plan (`update`), or to remove if the plan does not have it."""

    __slots__ = ("needs", "row", "turn", "update", "waiting")

    def __init__(self, row: StackResource, *, update: bool) -> None:
        self.row = row
        self.update = update
        self.needs: set[Node] = set()
        self.waiting: set[Node] = set()
        self.turn = Turn.WAITING

    def after(self, other: "Node") -> None:
        self.needs.add(other)
        other.waiting.add(self)

    @property
    def ready(self) -> bool:
        return all(each.turn is Turn.DONE for each in self.needs)


class Traversal:
    """One way through a stack: from what is there to what the plan says.

    `adopt` are the physical ids by name; `abandon` leaves what is removed where it is. `flaps`: at
    the end it looks for a moment as if it went on. `failures` collects what a check finds.
    """

    def __init__(
        self,
        stack: StackThing,
        plan: Plan,
        adopt: dict[str, str] | None = None,
        abandon: bool = False,
    ) -> None:
        self.stack = stack
        self.plan = plan
        self.adopt = adopt
        self.abandon = abandon
        self.flaps = False
        self.failures: dict[str, str] = {}
        self.rows: dict[str, StackResource] = {}
        there = list(stack.rows)
        updates = [self._update_node(name) for name in plan.template.definitions]
        self.nodes = {(node.row, True): node for node in updates}
        for node in updates:
            for name in sorted(plan.template.definitions[node.row.name].requires):
                node.after(self.nodes[self.rows[name], True])
        self._clean_up(there)
        self.left = len(self.nodes)

    def leaves(self) -> list[Node]:
        """Those that wait for nothing, in the order in which they begin."""
        found = [node for node in self.nodes.values() if not node.needs]
        return sorted(found, key=lambda node: node.update)

    def node_of(self, row: StackResource) -> Node | None:
        """What this traversal has to do with a resource."""
        for node in self.nodes.values():
            if node.row is row and node.update:
                return node
        return self.nodes.get((row, False))

    def _update_node(self, name: str) -> Node:
        row = best(self.stack, self.plan, name)
        if row is None:
            definition = self.plan.template.definitions[name]
            row = StackResource(name=name, type=definition.type, revision=self.plan.revision)
            self.stack.rows.append(row)
        self.rows[name] = row
        return Node(row, update=True)

    def _clean_up(self, rows: Iterable[StackResource]) -> None:
        """Remove what depends on others before them, and all of it after the updates."""
        clean = {row: Node(row, update=False) for row in rows}
        for row, node in clean.items():
            for other in row.requires:
                if other in clean:
                    clean[other].after(node)
            if row.replaces in clean:
                clean[row.replaces].after(node)
            if update := self.nodes.get((row, True)):
                node.after(update)
        self.nodes.update({(row, False): node for row, node in clean.items()})


def best(stack: StackThing, plan: Plan, name: str) -> StackResource | None:
    """Of several resources of one name, the one that Heat goes on with."""
    found = [row for row in stack.rows if row.name == name]
    if not found:
        return None

    def suitability(row: StackResource) -> tuple[int, int]:
        score = 10 if row.revision == plan.revision else 0
        score += 5 if row.revision == stack.revision else 0
        score -= 30 if row.status == "FAILED" else 0
        score -= 50 if row.action == "DELETE" else 0
        return (score - (1 if row.replaced else 0), row.updated)

    return max(found, key=suitability)
