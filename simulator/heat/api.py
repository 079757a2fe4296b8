"""Heat v1: its versions, its engine, and the rest of its routes.

Every path holds the project's id. Which projects' stacks are seen is measured on Heat 27: an
administrator lists those of all and may have any by its id, but looks a name up in the own project.
"""

from typing import Any

from handlers.clouds.memory.orchestration import StackFilters
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.state import CloudState
from handlers.resources import Service
from simulator.door import Door
from simulator.heat import views
from simulator.heat.found import Found
from simulator.heat.parts import Parts
from simulator.heat.refusals import not_allowed
from simulator.heat.stacks import Stacks
from simulator.wire import Incoming, Reply, Route


class Heat:
    """The orchestration service."""

    def __init__(self, state: CloudState) -> None:
        found = Found(state)
        self._orchestration = state.orchestration
        self._door = Door(state, Service.ORCHESTRATION)
        self._stacks = Stacks(state, found)
        self._parts = Parts(state, found)

    def routes(self) -> list[Route]:
        own = f"{views.AT}/<project>"
        return [
            Route("GET", "/orchestration/", self._versions, public=True),
            Route("GET", f"{own}/build_info", self._build, Service.ORCHESTRATION),
            Route("GET", f"{own}/services", self._services, Service.ORCHESTRATION),
            *self._stacks.routes(),
            *self._parts.routes(),
        ]

    def _versions(self, request: Incoming) -> Reply:
        links = [{"rel": "self", "href": f"{request.root}{views.AT}/"}]
        known = [{"id": "v1.0", "status": "CURRENT", "links": links}]
        return Reply(status=300, body={"versions": known})

    def _build(self, request: Incoming) -> Reply:
        unknown = {"revision": "unknown"}

        def body() -> dict[str, Any]:
            self._ask_engine(request)
            return {"api": unknown, "engine": unknown}

        return self._door.look("get_build_info", body)

    def _services(self, request: Incoming) -> Reply:
        if not request.account.admin:
            raise not_allowed("service:index")

        def body() -> dict[str, Any]:
            try:
                self._ask_engine(request)
            except Lost:
                text = "All heat engines are down."
                raise Refusal(Service.ORCHESTRATION, 503, text) from None
            return {"services": [_ENGINE]}

        return self._door.look("find_engine", body)

    def _ask_engine(self, request: Incoming) -> None:
        """Lost when no engine answers."""
        self._orchestration.list(request.project, StackFilters(ids=frozenset({""})))


_ENGINE = {
    "id": "505141c3-56ae-41ab-a0e3-2010c0ac8c65",
    "binary": "heat-engine",
    "engine_id": "ef190aa3-70e0-4159-a3bf-9c2feacd0e7e",
    "host": "cloud",
    "hostname": "cloud",
    "topic": "engine",
    "report_interval": 60,
    "created_at": "2025-01-01T00:00:00.000000",
    "updated_at": "2025-01-01T00:00:00.000000",
    "deleted_at": None,
    "status": "up",
}
