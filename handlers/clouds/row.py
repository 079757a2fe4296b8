"""A row of the table of faults: which refusals it speaks of, and what becomes of them."""

import re

import msgspec

from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.errors import Fault, Reason

LOOK = frozenset({Effect.LOOK})
MUTATING = frozenset(Effect) - LOOK


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table; a field that is left out fits everything.

    `explains`: the cloud's own text would tell nobody what to do, so `why` stands before it.
    """

    why: str
    fault: type[Fault]
    reason: Reason
    statuses: frozenset[int] = frozenset()
    troubles: frozenset[Trouble] = frozenset()
    effects: frozenset[Effect] = frozenset(Effect)
    service: str = ""
    own: bool | None = None
    text: str = ""
    explains: bool = False

    def fits(self, refusal: Refusal) -> bool:
        """Whether this row speaks of the refusal."""
        return (
            (not self.troubles or refusal.trouble in self.troubles)
            and (not self.statuses or refusal.status in self.statuses)
            and refusal.effect in self.effects
            and self.service in ("", refusal.service)
            and self.own in (None, refusal.own)
            and bool(re.search(self.text, f"{refusal.code} {refusal.text}", re.IGNORECASE))
        )
