"""How the in-memory cloud asks its state: every call through the gate, every no as a fault."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from handlers.base import Answer
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.remedy import fault_of
from handlers.clouds.memory.state import CloudState
from handlers.clouds.memory.things import AnyThing
from handlers.clouds.memory.views import resource_of
from handlers.resources import SERVICE_OF, Kind, Service

Answered = TypeVar("Answered")


class Asking:
    """One project's calls on a `CloudState`."""

    def __init__(self, state: CloudState, project: str) -> None:
        core = state.core
        self.state = state
        self.project = project
        self.stores: Mapping[Kind, Mapping[str, AnyThing]] = {
            Kind.SERVER: core.servers,
            Kind.VOLUME: core.volumes,
            Kind.PORT: core.ports,
            Kind.SECURITY_GROUP: core.groups,
            Kind.STACK: core.stacks,
        }

    def call(
        self,
        service: Service,
        verb: str,
        effect: Callable[[Doing], Answered],
        subject: str | None = None,
        role: str | None = None,
    ) -> Answered:
        """One call; raises the fault that the real adapter would raise."""
        call = Call(service, verb, subject, role)
        try:
            return self.state.gate.call(call, effect)
        except (Refusal, Lost) as error:
            raise fault_of(error, call) from None

    def act(
        self, kind: Kind, verb: str, thing_id: str, effect: Callable[[Doing], object]
    ) -> Answer:
        """One call that does something with a thing, whose subject and role it is called for."""

        def answered(doing: Doing) -> Answer:
            effect(doing)
            return Answer(request_id=doing.request_id)

        thing = self.stores[kind].get(thing_id)
        whose = (thing.subject, thing.role) if thing else (None, None)
        return self.call(SERVICE_OF[kind], verb, answered, *whose)

    def delete(self, kind: Kind, thing_id: str, delete: Callable[[Doing], object]) -> Answer:
        """A DELETE of something that is not there is a success."""
        return self.act(kind, f"delete_{kind}", thing_id, lambda doing: gone(delete, doing))

    def listed(self, thing: AnyThing) -> bool:
        """Whether a listing shows the thing yet."""
        return thing.visible <= self.state.core.time and thing.project == self.project


def made(doing: Doing, thing: AnyThing) -> Answer:
    """The answer to a POST: the thing as it is now."""
    return Answer(resources=(resource_of(thing),), request_id=doing.request_id)


def gone(delete: Callable[[Doing], object], doing: Doing) -> None:
    """Delete; that it is not there is as good."""
    try:
        delete(doing)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
