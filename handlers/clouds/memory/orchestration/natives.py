"""How the engine calls the other services: through the gate, as everybody does."""

from collections.abc import Callable, Generator
from typing import TypeVar

from handlers.clouds.memory.attachments import Attachments
from handlers.clouds.memory.compute import Compute
from handlers.clouds.memory.core import Core
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call, Delay
from handlers.clouds.memory.gate import Gate
from handlers.clouds.memory.network import Networking
from handlers.clouds.memory.orchestration.failures import Failed, of_loss, of_refusal
from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.clouds.memory.storage import Storage
from handlers.clouds.memory.things import Micros, StackThing, Thing
from handlers.resources import Service

Answered = TypeVar("Answered")

#: What the engine does with a resource, bit by bit: how long to wait before the next bit, in
#: microseconds; None until the next time that it polls.
Steps = Generator[Micros | None, None, None]


class Natives:
    """The services under the engine. Look-ups read the state; only what changes it is called."""

    def __init__(
        self,
        core: Core,
        gate: Gate,
        *,
        network: Networking,
        storage: Storage,
        compute: Compute,
        attachments: Attachments,
    ) -> None:
        self.core = core
        self.network = network
        self.storage = storage
        self.compute = compute
        self.attachments = attachments
        self._gate = gate

    def call(
        self,
        service: Service,
        verb: str,
        effect: Callable[[Doing], Answered],
        whose: Thing | None = None,
        *,
        subject: str | None = None,
        role: str | None = None,
    ) -> Generator[Micros | None, None, Answered]:
        """One mutating call, for `whose` subject and role or for the given ones; raises Failed."""
        if whose is not None:
            subject, role = whose.subject, whose.role
        fault, doing = self._gate.begin(Call(service, verb, subject, role))
        if isinstance(fault, Delay):
            yield int(fault.seconds * 1_000_000)
            fault = None
        try:
            return self._gate.finish(fault, doing, effect)
        except Refusal as refusal:
            raise of_refusal(refusal) from None
        except Lost as lost:
            raise of_loss(lost) from None

    def gone(
        self,
        service: Service,
        verb: str,
        effect: Callable[[Doing], object],
        whose: Thing | None,
    ) -> Generator[Micros | None, None, bool]:
        """A call that removes something; False when it is not there any more."""
        try:
            yield from self.call(service, verb, effect, whose)
        except Failed as failed:
            if failed.status != 404:
                raise
            return False
        return True

    def request_id(self) -> str:
        """The id of a look-up, for the texts that name one."""
        return f"req-{self.core.new_id()}"

    def physical_name(self, stack: StackThing, resource: str) -> str:
        """The name that Heat gives what has none in the template."""
        return f"{stack.name}-{resource}-{self.core.random.getrandbits(60):012x}"[:255]
