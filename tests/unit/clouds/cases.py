"""What a service was seen to answer, and what is to become of it."""

import msgspec

from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.errors import Fault, Reason

LOOK, MAKE, CHANGE, REMOVE = Effect.LOOK, Effect.MAKE, Effect.CHANGE, Effect.REMOVE
MUTATING = (MAKE, CHANGE, REMOVE)


class Case(msgspec.Struct, frozen=True):
    """What happened, and what is to become of it."""

    effects: tuple[Effect, ...]
    fault: type[Fault]
    reason: Reason
    status: int = 0
    trouble: Trouble | None = None
    text: str = ""
    code: str = ""
    service: str = "compute"
    own: bool = True

    def refusals(self) -> list[Refusal]:
        return [
            Refusal(
                service=self.service,
                effect=effect,
                status=self.status,
                trouble=self.trouble,
                own=self.own,
                code=self.code,
                text=self.text,
                request_id="req-1",
            )
            for effect in self.effects
        ]
