"""What the services' modules share: the way into the state, and who may see what."""

from collections.abc import Callable
from typing import Any

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import AnyThing
from handlers.resources import Service
from simulator.wire import Incoming, Reply


def ids_of(service: Service, request_id: str) -> dict[str, str]:
    """The headers that name the request: Nova and Cinder send two."""
    names = ["x-openstack-request-id"]
    if service in (Service.COMPUTE, Service.BLOCK_STORAGE):
        names.append("x-compute-request-id")
    return dict.fromkeys(names, request_id)


class Door:
    """One service's way into the state: every call is counted there and may be spoiled."""

    def __init__(self, state: CloudState, service: Service) -> None:
        self.state = state
        self.service = service

    def call(
        self,
        verb: str,
        effect: Callable[[Doing], Reply],
        *,
        thing: AnyThing | None = None,
        subject: str | None = None,
        role: str | None = None,
    ) -> Reply:
        """Run `effect` as this call; its reply carries the request's id."""
        if thing is not None:
            subject, role = thing.subject, thing.role

        def identified(doing: Doing) -> Reply:
            reply = effect(doing)
            ids = ids_of(self.service, doing.request_id)
            return Reply(status=reply.status, body=reply.body, headers={**ids, **reply.headers})

        return self.state.gate.call(Call(self.service, verb, subject, role), identified)

    def look(self, verb: str, body: Callable[[], Any]) -> Reply:
        """A look-up: `body` gives what is to be shown."""
        return self.call(verb, lambda doing: Reply(body=body()))

    def shown(self, thing: AnyThing, request: Incoming) -> bool:
        """Whether a listing of Nova or Cinder shows the thing: its own project's, not too new."""
        every = request.wanted("all_tenants") in ("1", "True", "true") and request.account.admin
        mine = every or thing.project == request.project
        return mine and thing.visible <= self.state.core.time

    def known(self, thing: AnyThing | None, request: Incoming) -> bool:
        """Whether the thing may be had by its id: other projects' only by an administrator."""
        return thing is not None and (request.account.admin or thing.project == request.project)
