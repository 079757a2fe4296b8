"""Heat v1: stacks, made and changed, listed and shown, removed."""

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from handlers import identity
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import StackThing
from handlers.resources import Service
from simulator.door import Door
from simulator.heat import values, views
from simulator.heat.bodies import change_of, spec_of
from simulator.heat.filters import arranged, filters_of, narrowed, paged
from simulator.heat.found import Found
from simulator.heat.refusals import not_allowed
from simulator.heat.resources import Rows
from simulator.wire import Incoming, Reply, Route

_ACCEPTED = {
    "message": "The request is accepted for processing.<br /><br />\n\n\n",
    "code": "202 Accepted",
    "title": "Accepted",
}

#: What a stack's name alone may be followed by.
_BELOW = ("resources", "events", "template", "actions", "environment", "files")


class Stacks:
    """The collection, and one stack by its name and id."""

    def __init__(self, state: CloudState, found: Found) -> None:
        self._core = state.core
        self._orchestration = state.orchestration
        self._door = Door(state, Service.ORCHESTRATION)
        self._found = found
        self._rows = Rows(state.core, state.orchestration)

    def routes(self) -> list[Route]:
        by_name = [(method, "") for method in ("GET", "POST", "PUT", "PATCH", "DELETE")]
        by_name += [("GET", f"/{part}") for part in _BELOW]
        by_name.append(("POST", "/actions"))
        return [
            self._found.route("GET", "", self._list),
            self._found.route("POST", "", self._create),
            self._found.route("POST", "/preview", self._preview),
            *(
                self._found.route(method, f"/<name>{path}", partial(self._look_up, path))
                for method, path in by_name
            ),
            self._found.route("GET", "/<name>/<id>", self._show),
            self._found.route("PUT", "/<name>/<id>", partial(self._update, patch=False)),
            self._found.route("PATCH", "/<name>/<id>", partial(self._update, patch=True)),
            *(
                self._found.route(
                    method, "/<name>/<id>/preview", partial(self._compare, patch=patch)
                )
                for method, patch in (("PUT", False), ("PATCH", True))
            ),
            self._found.route("DELETE", "/<name>/<id>", self._delete),
            self._found.route("DELETE", "/<name>/<id>/abandon", self._abandon),
        ]

    # -- the collection -------------------------------------------------------------------------

    def _list(self, request: Incoming) -> Reply:
        """An administrator is shown the stacks of every project (measured).

        Deleted ones are told of by their ids only: `show_deleted` is read, and adds none.
        """
        query, admin = request.query, request.account.admin
        if "global_tenant" in query and values.truth("global_tenant", query["global_tenant"]):
            raise not_allowed("stacks:global_index")
        counted = values.truth("with_count", query.get("with_count") or False)
        values.truth("show_deleted", query.get("show_deleted") or False)
        filters = filters_of(query)

        def body() -> dict[str, Any]:
            seen = self._found.all(request, filters)
            found = narrowed(seen, query, request.account.user)
            part = paged(arranged(found, query), query)
            shown: dict[str, Any] = {
                "stacks": [
                    views.listed(one, request.root, request.account.user, admin=admin)
                    for one in part
                ]
            }
            if part and query.get("limit") == str(len(part)):
                shown["links"] = [{"rel": "next", "href": _next(request, part[-1])}]
            return {**shown, "count": len(found)} if counted else shown

        return self._door.look("get_stack" if "id" in query else "find_stack", body)

    def _create(self, request: Incoming) -> Reply:
        spec = spec_of(request.body)

        def effect(doing: Doing) -> Reply:
            stack = self._orchestration.create(doing, request.project, spec)
            shown = views.made(stack, request.root)
            location = {"Location": shown["links"][0]["href"]}
            return Reply(status=201, body={"stack": shown}, headers=location)

        subject = identity.subject_of(spec.name, spec.tags)
        role = identity.STACK if identity.subject_of(tags=spec.tags) else None
        verb = "create_stack" if spec.adopt is None else "adopt_stack"
        return self._door.call(verb, effect, subject=subject, role=role)

    def _preview(self, request: Incoming) -> Reply:
        spec = spec_of(request.body)

        def effect(doing: Doing) -> Reply:
            made = self._orchestration.preview(doing, request.project, spec)
            stack = replace(made, id="")
            shown = views.preview(stack, request.root, request.account.user)
            shown["outputs"] = views.unresolved(stack)
            shown["resources"] = self._rows.planned(stack, request.root)
            return Reply(body={"stack": shown})

        return self._door.call("get_stack_preview", effect)

    # -- one stack ------------------------------------------------------------------------------

    def _look_up(self, path: str, request: Incoming) -> Reply:
        """Where the stack of this name, or with this id, is."""

        def effect(doing: Doing) -> Reply:
            stack = self._orchestration.show(request.project, request.args["name"])
            place = views.href(request.root, stack) + path
            if request.query:
                place += "?" + urlencode(list(request.query.items(multi=True)))
            return Reply(status=302, body=_moved(place), headers={"Location": place})

        return self._door.call("find_stack", effect)

    def _show(self, request: Incoming) -> Reply:
        full = values.truth("resolve_outputs", request.query.get("resolve_outputs", "true"))

        def effect(doing: Doing) -> Reply:
            stack = self._found.one(request)
            shown = views.detail(stack, request.root, request.account.user)
            if full and stack.deleted is None:
                shown["outputs"] = self._found.outputs(stack)
            return Reply(body={"stack": shown})

        verb = "get_stack_in_full" if full else "get_stack"
        return self._door.call(verb, effect, thing=self._found.maybe(request))

    def _update(self, request: Incoming, *, patch: bool) -> Reply:
        change = change_of(request.body, patch=patch)

        def effect(doing: Doing) -> Reply:
            stack = self._found.one(request, deleted=False)
            self._orchestration.update(doing, stack.project, stack.name, stack.id, change)
            return Reply(status=202, body=_ACCEPTED)

        return self._door.call("update_stack", effect, thing=self._found.maybe(request))

    def _compare(self, request: Incoming, *, patch: bool) -> Reply:
        change = change_of(request.body, patch=patch)

        def effect(doing: Doing) -> Reply:
            stack = self._found.one(request, deleted=False)
            found = self._orchestration.preview_update(
                doing, stack.project, stack.name, stack.id, change
            )
            new = (change.template or stack.template).get("resources") or {}
            types = {name: one.get("type", "") for name, one in new.items()}
            changes = self._rows.changes(stack, found, types, request.root)
            return Reply(body={"resource_changes": changes})

        return self._door.call("preview_stack", effect, thing=self._found.maybe(request))

    def _delete(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            stack = self._found.one(request, deleted=False)
            self._orchestration.delete(doing, stack.project, stack.name, stack.id)
            return Reply(status=204)

        return self._door.call("delete_stack", effect, thing=self._found.maybe(request))

    def _abandon(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            stack = self._found.one(request, deleted=False)
            kept = self._orchestration.abandon(doing, stack.project, stack.name, stack.id)
            return Reply(body={**kept, "stack_user_project_id": views.user_project(stack)})

        return self._door.call("abandon_stack", effect, thing=self._found.maybe(request))


def _moved(place: str) -> dict[str, str]:
    text = (
        f'The resource was found at <a href="{place}">{place}</a>;\n'
        "you should be redirected automatically.\n\n"
    )
    return {"message": text, "code": "302 Found", "title": "Found"}


def _next(request: Incoming, last: StackThing) -> str:
    query = [pair for pair in request.query.items(multi=True) if pair[0] != "marker"]
    return f"{request.root}{request.path}?{urlencode([*query, ('marker', last.id)])}"
