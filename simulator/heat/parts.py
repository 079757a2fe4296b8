"""Heat v1: what is in a stack, and the actions on it."""

from collections.abc import Callable
from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.orchestration.refusals import unsupported
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import StackResource, StackThing
from handlers.resources import Service
from simulator.door import Door
from simulator.heat import views
from simulator.heat.bodies import action_of
from simulator.heat.found import Found
from simulator.heat.refusals import bad, missing
from simulator.heat.resources import Rows, events
from simulator.heat.values import truth
from simulator.wire import Handler, Incoming, Reply, Route

#: What resources are filtered by. Unlike the stacks' listing this one knows what it knows.
_FILTERS: dict[str, Callable[[StackResource], str]] = {
    "type": lambda row: row.type,
    "status": lambda row: row.status,
    "name": lambda row: row.name,
    "action": lambda row: row.action,
    "physical_resource_id": lambda row: row.physical,
}
_OPTIONS = ("nested_depth", "with_detail")

_ACTIONS = ("suspend", "resume", "check", "cancel_update", "cancel_without_rollback")


class Parts:
    """Resources, outputs, template, environment, events; check and cancel."""

    def __init__(self, state: CloudState, found: Found) -> None:
        self._orchestration = state.orchestration
        self._door = Door(state, Service.ORCHESTRATION)
        self._found = found
        self._rows = Rows(state.core, state.orchestration)

    def routes(self) -> list[Route]:
        known: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "resources", self._resources),
            ("GET", "resources/<resource>", self._resource),
            ("GET", "resources/<resource>/metadata", self._metadata),
            ("GET", "outputs", self._outputs),
            ("GET", "outputs/<key>", self._output),
            ("GET", "template", self._template),
            ("GET", "environment", self._environment),
            ("GET", "files", self._files),
            ("GET", "events", self._events),
            ("POST", "actions", self._act),
        )
        return [
            self._found.route(method, f"/<name>/<id>/{path}", handler)
            for method, path, handler in known
        ]

    def _look(
        self, request: Incoming, what: str, view: Callable[[StackThing], Any], *, gone: bool = True
    ) -> Reply:
        """Look at a part of the stack; `gone`: also of one that was deleted."""

        def effect(doing: Doing) -> Reply:
            return Reply(body=view(self._found.one(request, deleted=gone)))

        return self._door.call(f"get_stack_{what}", effect, thing=self._found.maybe(request))

    # -- resources ------------------------------------------------------------------------------

    def _resources(self, request: Incoming) -> Reply:
        query = request.query
        unknown = [name for name in query if name not in _FILTERS and name not in _OPTIONS]
        if unknown:
            raise bad(f"Invalid filter parameters {unknown}")
        detail = truth("with_detail", query.get("with_detail", "false"))
        wanted = {name: set(query.getlist(name)) for name in query if name in _FILTERS}

        def view(stack: StackThing) -> dict[str, Any]:
            show = self._rows.detail if detail else self._rows.listed
            return {
                "resources": [
                    show(stack, row, request.root)
                    for row in self._orchestration.resources(stack)
                    if all(_FILTERS[name](row) in some for name, some in wanted.items())
                ]
            }

        return self._look(request, "resources", view)

    def _resource(self, request: Incoming) -> Reply:
        def view(stack: StackThing) -> dict[str, Any]:
            row = self._row(stack, request)
            return {"resource": self._rows.detail(stack, row, request.root)}

        return self._look(request, "resources", view, gone=False)

    def _metadata(self, request: Incoming) -> Reply:
        def view(stack: StackThing) -> dict[str, Any]:
            self._row(stack, request)
            return {"metadata": {}}

        return self._look(request, "resources", view, gone=False)

    def _row(self, stack: StackThing, request: Incoming) -> StackResource:
        name = request.args["resource"]
        for row in self._orchestration.resources(stack):
            if row.name == name:
                return row
        text = f"The Resource ({name}) could not be found in Stack {stack.name}."
        raise missing("ResourceNotFound", text)

    # -- documents and outputs ------------------------------------------------------------------

    def _outputs(self, request: Incoming) -> Reply:
        def view(stack: StackThing) -> dict[str, Any]:
            names, found = ("output_key", "description"), self._found.outputs(stack)
            return {"outputs": [{name: one[name] for name in names} for one in found]}

        return self._look(request, "outputs", view, gone=False)

    def _output(self, request: Incoming) -> Reply:
        key = request.args["key"]

        def view(stack: StackThing) -> dict[str, Any]:
            for one in self._found.outputs(stack):
                if one["output_key"] == key:
                    return {"output": one}
            raise missing("NotFound", f"Specified output key {key} not found.")

        return self._look(request, "outputs", view, gone=False)

    def _template(self, request: Incoming) -> Reply:
        return self._look(request, "template", views.template)

    def _environment(self, request: Incoming) -> Reply:
        return self._look(request, "environment", views.environment)

    def _files(self, request: Incoming) -> Reply:
        return self._look(request, "files", lambda stack: {})

    def _events(self, request: Incoming) -> Reply:
        def view(stack: StackThing) -> dict[str, Any]:
            rows = self._orchestration.resources(stack)
            return {"events": events(stack, rows, request.root)}

        return self._look(request, "events", view)

    # -- actions --------------------------------------------------------------------------------

    def _act(self, request: Incoming) -> Reply:
        action = action_of(request.body)
        if action not in _ACTIONS:
            raise bad(f"Invalid action {action} specified")
        if action in ("suspend", "resume"):
            raise unsupported(f"{action} of a stack")

        def effect(doing: Doing) -> Reply:
            stack = self._found.one(request, deleted=False)
            at = (stack.project, stack.name, stack.id)
            if action == "check":
                self._orchestration.check(doing, *at)
            else:
                rollback = action == "cancel_update"
                self._orchestration.cancel(doing, *at, rollback=rollback)
            return Reply(body=b"null")

        verb = "check_stack" if action == "check" else "cancel_stack_update"
        return self._door.call(verb, effect, thing=self._found.maybe(request))
