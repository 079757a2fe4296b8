"""Which stack a request is about, and who may see which."""

from functools import partial
from typing import Any

from handlers.clouds.memory.orchestration import StackFilters
from handlers.clouds.memory.orchestration.refusals import not_found
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import StackThing
from handlers.resources import Service
from simulator.heat import views
from simulator.heat.refusals import check_project
from simulator.wire import Handler, Incoming, Reply, Route


class Found:
    """Stacks by what a path says. Use it with the state's lock held, as behind a door."""

    def __init__(self, state: CloudState) -> None:
        self._stacks = state.core.stacks
        self._orchestration = state.orchestration

    def route(self, method: str, path: str, handler: Handler) -> Route:
        """A route below the project's stacks, which it guards."""
        whole = f"{views.AT}/<project>/stacks{path}"
        return Route(method, whole, partial(_guarded, handler), Service.ORCHESTRATION)

    def one(self, request: Incoming, *, deleted: bool = True) -> StackThing:
        """The stack of this name and id, unless `deleted` also one that is gone; Refusal 404."""
        name, one = request.args["name"], request.args["id"]
        there = self.maybe(request)
        project = there.project if there and request.account.admin else request.project
        try:
            found = self._orchestration.show(project, one)
        except Refusal:
            raise not_found(name) from None
        if (found.name, found.id) != (name, one) or (found.deleted is not None and not deleted):
            raise not_found(name)
        return found

    def all(self, request: Incoming, filters: StackFilters) -> list[StackThing]:
        """The stacks that a listing shows: an administrator's shows those of every project."""
        projects = {request.project}
        if request.account.admin:
            projects |= {stack.project for stack in self._stacks.values()}
        listing = self._orchestration.list
        return [one for project in projects for one in listing(project, filters)]

    def outputs(self, stack: StackThing) -> list[dict[str, Any]]:
        """The outputs as they are now; a stack that is being deleted cannot tell them any more."""
        if stack.action == "DELETE":
            return views.unresolved(stack, why=True)
        return views.outputs(self._orchestration.outputs(stack))

    def maybe(self, request: Incoming) -> StackThing | None:
        """The same without a refusal: only to tell the fault plan whose it is."""
        return self._stacks.get(request.args["id"])


def _guarded(handler: Handler, request: Incoming) -> Reply:
    check_project(request)
    return handler(request)
