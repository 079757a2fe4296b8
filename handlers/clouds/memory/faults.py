"""The fault plan: which calls go wrong, and how.

A plan is a list of rules; the first one that matches a call decides. Rules are values that JSON can
carry, so a test hands them over directly and the simulator takes them over HTTP.
"""

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random

import msgspec

from handlers.resources import Service


class Call(msgspec.Struct, frozen=True):
    """One call, as rules see it. `verb` is a method of the Cloud protocol (`create_server`), or
    `get_`, `find_` or `changed_` with the kind (`find_server`) for look-ups."""

    service: Service
    verb: str
    subject: str | None = None
    role: str | None = None

    @property
    def mutates(self) -> bool:
        return not self.verb.startswith(("get_", "find_", "changed_"))


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    """The service says no, nothing happens. `quota`: the way this service says over quota."""

    status: int = 503
    message: str = "refused by the fault plan"
    code: str = ""
    quota: bool = False


class Delay(msgspec.Struct, frozen=True, tag="delay"):
    """The call takes this many seconds more, and then goes well."""

    seconds: float


class Reset(msgspec.Struct, frozen=True, tag="reset"):
    """The connection breaks before the call had an effect; the caller cannot tell."""


class Down(msgspec.Struct, frozen=True, tag="down"):
    """Nothing listens: the connection is refused, so nothing was sent.

    Over HTTP it is cut like a `Reset`: once a connection stands, it cannot be refused any more.
    """


class Lose(msgspec.Struct, frozen=True, tag="lose"):
    """Apply, then fail: the effect happens, the answer is lost (`status`: replaced by a 5xx)."""

    status: int | None = None


class Late(msgspec.Struct, frozen=True, tag="late"):
    """The answer is lost, and the call lands only this many seconds later."""

    seconds: float
    status: int | None = None


class Outcome(StrEnum):
    """What becomes of something that the service has accepted."""

    FINE = "fine"
    ERROR = "error"  # ends in its error status, with the rule's text as the fault
    STUCK = "stuck"  # its status never changes again
    FLAP = "flap"  # done, then back for a second as a lagging replica shows it, then done
    NO_HOST = "no_host"  # accepted, and nothing comes of it: back to what it was
    UNTOLD = "untold"  # an extend of which the server was not told: only its actions say so


class Spoil(msgspec.Struct, frozen=True, tag="spoil"):
    """The call is accepted; what it began comes out differently."""

    outcome: Outcome
    text: str = "No valid host was found. There are not enough hosts available."


Effect = Refuse | Delay | Reset | Down | Lose | Late | Spoil


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When something goes wrong.

    `service` and `verb` may hold wildcards (`create_*`). Of the calls that match, the `nth` one is
    hit (1 is the first), or each with `probability`; at most `times` of them.
    """

    effect: Effect
    service: str = "*"
    verb: str = "*"
    subject: str | None = None
    role: str | None = None
    nth: int | None = None
    probability: float = 1.0
    times: int | None = None

    def matches(self, call: Call) -> bool:
        return (
            fnmatchcase(call.verb, self.verb)
            and fnmatchcase(call.service, self.service)
            and self.subject in (None, call.subject)
            and self.role in (None, call.role)
        )


class FaultPlan:
    """Rules with their memory. Not thread-safe: the state's lock guards it."""

    def __init__(self, rules: Iterable[FaultRule] = (), seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 -- a simulation wants to be repeatable
        self._rules: list[FaultRule] = list(rules)
        self._seen: list[int] = [0 for _ in self._rules]
        self._hits: list[int] = [0 for _ in self._rules]

    @property
    def rules(self) -> tuple[FaultRule, ...]:
        return tuple(self._rules)

    @property
    def hits(self) -> tuple[int, ...]:
        """How often each rule has hit, in the order of `rules`."""
        return tuple(self._hits)

    def add(self, rule: FaultRule) -> None:
        self._rules.append(rule)
        self._seen.append(0)
        self._hits.append(0)

    def clear(self) -> None:
        self._rules.clear()
        self._seen.clear()
        self._hits.clear()

    def draw(self, call: Call) -> Effect | None:
        """What goes wrong with this call; None when nothing does."""
        for index, rule in enumerate(self._rules):
            if rule.matches(call) and self._strikes(index, rule):
                self._hits[index] += 1
                return rule.effect
        return None

    def _strikes(self, index: int, rule: FaultRule) -> bool:
        self._seen[index] += 1
        if rule.times is not None and self._hits[index] >= rule.times:
            return False
        if rule.nth is not None:
            return self._seen[index] == rule.nth
        return rule.probability >= 1.0 or self._random.random() < rule.probability
