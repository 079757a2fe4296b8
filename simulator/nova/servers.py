"""Nova v2.1: servers as a collection, and one by one."""

from functools import partial
from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.refusal import Refusal
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import ServerThing
from handlers.identity import role_of, subject_of
from handlers.resources import Service
from simulator.door import Door
from simulator.nova import views
from simulator.nova.bodies import server_spec
from simulator.nova.filters import filter_of, since_of
from simulator.paging import page
from simulator.wire import Incoming, Reply, Route, bad

AT = "/compute/v2.1"

_PAGE = 1000


class Servers:
    """Listings, and the calls that make and remove servers."""

    def __init__(self, state: CloudState) -> None:
        self._core = state.core
        self._compute = state.compute
        self.door = Door(state, Service.COMPUTE)

    def routes(self) -> list[Route]:
        listings = {"servers": False, "servers/detail": True}
        return [
            *(
                Route("GET", f"{AT}/{path}", partial(self._list, detail), Service.COMPUTE)
                for path, detail in listings.items()
            ),
            Route("POST", f"{AT}/servers", self._create, Service.COMPUTE),
            Route("GET", f"{AT}/servers/<id>", self._show, Service.COMPUTE),
            Route("DELETE", f"{AT}/servers/<id>", self._delete, Service.COMPUTE),
            Route("GET", f"{AT}/servers/<id>/tags", self._tags, Service.COMPUTE),
        ]

    def one(self, request: Incoming) -> ServerThing:
        """The server that the path names; Refusal 404 when the account may not see it."""
        server = self._compute.server(request.args["id"])
        if not self.door.known(server, request):
            text = f"Instance {server.id} could not be found."
            raise Refusal(Service.COMPUTE, 404, text, "itemNotFound")
        return server

    def maybe(self, request: Incoming) -> ServerThing | None:
        """The same without a refusal: only to tell the fault plan whose it is."""
        return self._core.servers.get(request.args["id"])

    def _list(self, detail: bool, request: Incoming) -> Reply:
        verb = "changed_server" if "changes-since" in request.query else "find_server"

        def body() -> dict[str, Any]:
            part, marker = page(
                self._filtered(request), request.query, Service.COMPUTE, _no_marker, _PAGE
            )
            view = self._detail if detail else self._summary
            shown: dict[str, Any] = {"servers": [view(one, request) for one in part]}
            if marker:
                path = "servers/detail" if detail else "servers"
                href = f"{request.root}{AT}/{path}?limit={len(part)}&marker={marker}"
                shown["servers_links"] = [{"rel": "next", "href": href}]
            return shown

        return self.door.look(verb, body)

    def _filtered(self, request: Incoming) -> list[ServerThing]:
        """Newest first, as Nova sorts."""
        core, since = self._core, since_of(request.query)
        things = list(core.servers.values())
        if since is not None:
            things += [one for one in core.gone.values() if one.id not in core.servers]
            things = [one for one in things if (one.updated or 0) // 1_000_000 >= since]
        fits = filter_of(request.query)
        found = [one for one in things if self.door.shown(one, request) and fits(one)]
        return sorted(found, key=lambda one: (one.created, one.id), reverse=True)

    def _detail(self, server: ServerThing, request: Incoming) -> dict[str, Any]:
        return views.server_detail(self._core, server, request.root, request.version)

    def _summary(self, server: ServerThing, request: Incoming) -> dict[str, Any]:
        return views.server_summary(server, request.root)

    def _show(self, request: Incoming) -> Reply:
        return self.door.look(
            "get_server", lambda: {"server": self._detail(self.one(request), request)}
        )

    def _create(self, request: Incoming) -> Reply:
        given = request.json(Service.COMPUTE, "server")
        spec = server_spec(given, request.version)

        def effect(doing: Doing) -> Reply:
            server = self._compute.create(doing, request.project, spec)
            own = views.links(request.root, "servers", server.id)
            made = {
                "id": server.id,
                "links": own,
                "OS-DCF:diskConfig": "MANUAL",
                "security_groups": [{"name": "default"}],
                "adminPass": "T6ata9EPAfxG",
            }
            return Reply(status=202, body={"server": made}, headers={"Location": own[0]["href"]})

        subject = subject_of(spec.name, spec.tags, spec.metadata)
        role = role_of(meta=spec.metadata)
        return self.door.call("create_server", effect, subject=subject, role=role)

    def _delete(self, request: Incoming) -> Reply:
        def effect(doing: Doing) -> Reply:
            self._compute.delete(doing, self.one(request).id)
            return Reply(status=204)

        return self.door.call("delete_server", effect, thing=self.maybe(request))

    def _tags(self, request: Incoming) -> Reply:
        return self.door.look("get_server", lambda: {"tags": list(self.one(request).tags)})


def _no_marker(marker: str) -> Refusal:
    return bad(Service.COMPUTE, f"marker [{marker}] not found")
