"""The engine: it brings stacks from what they are to what they shall be, as convergence does.

One traversal of a stack is current. A new one (a second update, a deletion) takes the place of the
old one at once: what was begun with a resource goes on to its end, and then the resource is looked
at again for the new one. Nothing runs by itself: every step is an action of the core's agenda.
"""

from functools import partial
from itertools import count

from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Outcome
from handlers.clouds.memory.orchestration.failures import Failed
from handlers.clouds.memory.orchestration.graph import Node, Traversal, Turn
from handlers.clouds.memory.orchestration.kinds import Kinds
from handlers.clouds.memory.orchestration.natives import Steps
from handlers.clouds.memory.orchestration.plan import Plan, emptied
from handlers.clouds.memory.orchestration.worker import Replace, Worker
from handlers.clouds.memory.things import Micros, StackResource, StackThing

#: Heat's own time-out in minutes, for a stack that names none.
HOUR = 60

_MINUTE: Micros = 60_000_000

#: How many deleted stacks can still be read by their ids.
_REMEMBERED = 1000


class Work:
    """Steps under way with one resource; nobody else may work on it."""

    __slots__ = ("began", "deadline", "node", "steps", "traversal")

    def __init__(
        self, traversal: Traversal, node: Node, steps: Steps, began: Micros, deadline: Micros
    ) -> None:
        self.traversal = traversal
        self.node = node
        self.steps = steps
        self.began = began
        self.deadline = deadline


class Engine:
    """Call it with the state's lock held. `plans` are those of the stacks that are there, `gone`
    the last stacks that were deleted."""

    def __init__(self, core: Core, kinds: Kinds) -> None:
        self.worker = Worker(core, kinds)
        self.plans: dict[str, Plan] = {}
        self.gone: dict[str, StackThing] = {}
        self.revisions = count(1)
        self._core = core
        self._before: dict[str, Plan] = {}
        self._current: dict[str, Traversal] = {}
        self._began: dict[str, Micros] = {}
        self._works: dict[StackResource, Work] = {}

    def begin(self, traversal: Traversal, action: str, how: Doing | None, wait: Micros = 0) -> None:
        """A new traversal of a stack, after `wait`. A spoiled call never ends (STUCK), or fails
        before anything is touched."""
        core, stack, plan = self._core, traversal.stack, traversal.plan
        old = self.plans.get(stack.id)
        if old is not None and action in ("UPDATE", "DELETE"):
            self._before[stack.id] = old
        self.plans[stack.id] = plan
        stack.revision = plan.revision
        stack.epoch += 1
        stack.action, stack.status = action, "IN_PROGRESS"
        stack.reason = f"Stack {action} started"
        if action not in ("CREATE", "ADOPT"):
            core.touch(stack)
        self._began[stack.id] = core.time
        self._current[stack.id] = traversal
        if how is not None and how.outcome is Outcome.STUCK:
            del self._current[stack.id]
            return
        moment = core.time + wait
        if how is not None and how.fails:
            text = f"Resource {action} failed: {how.text}"
            core.at(moment + self._step(), partial(self._fail, traversal, text))
            return
        traversal.flaps = how is not None and how.outcome is Outcome.FLAP
        if not traversal.nodes:
            core.at(moment + self._step(), partial(self._complete, traversal))
        for node in traversal.leaves():
            self._call(traversal, node, moment)
            moment += core.draw(core.times.heat_leaf)

    def stop(self, stack: StackThing) -> Micros:
        """Nobody works on the stack any more; how long it takes until that is certain."""
        self._current.pop(stack.id, None)
        tries = 0
        for row in stack.rows:
            if row.status == "IN_PROGRESS":
                alive = self._works.pop(row, None) is not None
                text = f"{row.action} aborted (user triggered cancel)"
                row.status, row.reason = "FAILED", text if alive else _went_down(row)
                tries = max(tries, 1 if alive else 3)
        return tries * self._core.draw(self._core.times.heat_cancel)

    def cancel(self, stack: StackThing) -> None:
        """The stack fails at once; what was begun in it goes on."""
        self._current.pop(stack.id, None)
        stack.epoch += 1
        stack.status, stack.reason = "FAILED", f"Stack {stack.action} cancelled"

    def roll_back(self, stack: StackThing) -> None:
        """To the plan before the one that is under way, or to nothing."""
        plan = self._before.pop(stack.id, None)
        if plan is None:
            plan = emptied(self.plans[stack.id], next(self.revisions))
        stack.template, stack.environment = plan.document, plan.environment
        stack.parameters = plan.given
        self.begin(Traversal(stack, plan), "ROLLBACK", None)

    def die(self) -> None:
        """Everything under way is dropped where it is; what was called natively goes on."""
        self._works.clear()
        self._current.clear()

    # -- one node after the other ---------------------------------------------------------------

    def _call(self, traversal: Traversal, node: Node, moment: Micros) -> None:
        node.turn = Turn.CALLED
        self._core.at(moment + self._step(), partial(self._turn, traversal, node))

    def _turn(self, traversal: Traversal, node: Node) -> None:
        stack, row = traversal.stack, node.row
        if self._current.get(stack.id) is not traversal:
            return
        deadline = self._began[stack.id] + (stack.timeout_mins or HOUR) * _MINUTE
        if self._core.time > deadline:
            self._fail(traversal, "Timed out")
        elif row in self._works:
            node.turn = Turn.BLOCKED
        else:
            if row.status == "IN_PROGRESS":
                row.status, row.reason = "FAILED", _went_down(row)
            steps = self.worker.steps(traversal, node)
            if steps is None:
                self._done(traversal, node)
                return
            work = Work(traversal, node, steps, self._core.time, deadline)
            self._works[row] = work
            self._go_on(work)

    def _go_on(self, work: Work) -> None:
        row, core = work.node.row, self._core
        if self._works.get(row) is not work:
            return
        if core.time > work.deadline:
            row.status, row.reason = "FAILED", f"{row.action} aborted (Timed out)"
            self._ended(work, "Timed out")
            return
        try:
            delay = next(work.steps)
        except StopIteration:
            self._ended(work)
        except Failed as failed:
            self._ended(work, f"Resource {failed.action} failed: {failed.of(row.name)}")
        except Replace:
            self._replaced(work)
        else:
            core.at(core.time + self._pause(work, delay), partial(self._go_on, work))

    def _pause(self, work: Work, delay: Micros | None) -> Micros:
        """Until the next look: less often the longer it takes, for what hangs shall cost little."""
        if delay is None:
            waited = self._core.time - work.began
            delay = max(self._core.draw(self._core.times.heat_poll), waited // 16)
        return min(delay, work.deadline - self._core.time + 1)

    def _ended(self, work: Work, failure: str | None = None) -> None:
        traversal, node = work.traversal, work.node
        del self._works[node.row]
        current = self._current.get(traversal.stack.id)
        if current is not traversal:
            self._again(current, node.row)
        elif failure is None or traversal.stack.action == "CHECK":
            if failure is not None:
                traversal.failures[node.row.name] = failure
            self._done(traversal, node)
        else:
            self._fail(traversal, failure)

    def _again(self, current: Traversal | None, row: StackResource) -> None:
        """A resource is free again: a newer traversal may have been waiting for it."""
        node = current.node_of(row) if current else None
        if current and node and node.turn is Turn.BLOCKED:
            self._call(current, node, self._core.time)

    def _replaced(self, work: Work) -> None:
        traversal, node, old = work.traversal, work.node, work.node.row
        del self._works[old]
        current = self._current.get(traversal.stack.id)
        if current is not traversal:
            self._again(current, old)
            return
        definition = traversal.plan.template.definitions[old.name]
        new = StackResource(
            name=old.name, type=definition.type, revision=traversal.plan.revision, replaces=old
        )
        old.replaced = True
        traversal.stack.rows.append(new)
        traversal.rows[old.name] = node.row = new
        self._call(traversal, node, self._core.time)

    def _done(self, traversal: Traversal, node: Node) -> None:
        node.turn = Turn.DONE
        traversal.left -= 1
        for other in sorted(node.waiting, key=lambda each: each.row.name):
            if other.turn is Turn.WAITING and other.ready:
                self._call(traversal, other, self._core.time)
        if traversal.left == 0:
            self._complete(traversal)

    # -- the end --------------------------------------------------------------------------------

    def _complete(self, traversal: Traversal) -> None:
        stack = traversal.stack
        if self._current.get(stack.id) is not traversal:
            return
        del self._current[stack.id]
        partly = ". 'CHECK' not fully supported (see resources)"
        if traversal.failures:
            told = "; ".join(f"{name}: {why}" for name, why in traversal.failures.items())
            stack.status, stack.reason = "FAILED", f"Resource CHECK failed: {told}{partly}"
            return
        self._before.pop(stack.id, None)
        stack.status = "COMPLETE"
        stack.reason = f"Stack {stack.action} completed successfully"
        if stack.action == "CHECK":
            stack.reason += partly
        if stack.action == "DELETE":
            purge = self._core.draw(self._core.times.heat_purge)
            self._core.later(stack, purge, partial(self._purge, stack))
        elif traversal.flaps:
            self._core.flap(stack, "IN_PROGRESS")

    def _fail(self, traversal: Traversal, reason: str) -> None:
        stack = traversal.stack
        if self._current.get(stack.id) is not traversal:
            return
        del self._current[stack.id]
        stack.status, stack.reason = "FAILED", reason
        if not stack.disable_rollback and stack.action in ("CREATE", "ADOPT", "UPDATE"):
            self.roll_back(stack)

    def _purge(self, stack: StackThing) -> None:
        """The name is free; the stack can be read by its id for a while."""
        core = self._core
        stack.deleted = core.time
        del core.stacks[stack.id], self.plans[stack.id], self._began[stack.id]
        self.gone[stack.id] = stack
        while len(self.gone) > _REMEMBERED:
            del self.gone[next(iter(self.gone))]

    def _step(self) -> Micros:
        return self._core.draw(self._core.times.heat_step)


def _went_down(row: StackResource) -> str:
    return f"Worker went down during resource {row.action}"
