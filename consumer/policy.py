"""The numbers that the reconciler waits by, in one place; times in microseconds."""

from random import Random

import msgspec

from handlers.commands import AdoptInstance, Command, ReleaseInstance
from handlers.operation import SECOND, Micros
from handlers.resources import Service


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what.

    * `poll`: between two looks at something that changes by itself.
    * `call_timeout`: after it no call of ours is still on its way to the cloud; `call_timeouts`
      for services that differ.
    * `slack`: how long after the intent was saved the call may still be sent.
    * `lag`: how long a change may stay invisible to a look-up.
    * `skew`: how far the cloud's clocks may be from the ledger's; delta listings reach back so far.
    * `patience`: how long a delta listing may be silent about a resource before it is looked up.
    * `backoff`, `backoff_max`: the first and the longest pause after a failed call.
    * `undo_budget`: how long an undo may take.
    * `limits`: how long a command may take from its opening, by `<noun>.<verb>`; `limit`: others.
    """

    poll: Micros = SECOND
    call_timeout: Micros = 30 * SECOND
    call_timeouts: dict[Service, Micros] = {}
    slack: Micros = 5 * SECOND
    lag: Micros = 5 * SECOND
    skew: Micros = 5 * SECOND
    patience: Micros = 15 * SECOND
    backoff: Micros = SECOND
    backoff_max: Micros = 30 * SECOND
    undo_budget: Micros = 1800 * SECOND
    limit: Micros = 1800 * SECOND
    limits: dict[str, Micros] = {}

    def next_look(self, now: Micros) -> Micros:
        """When to look again at what changes by itself: all operations at the same moments, so
        that they share one listing."""
        return (now // self.poll + 1) * self.poll

    def quiet(self, service: Service) -> Micros:
        """How long after an intent the effect of its call may still show."""
        return self.slack + self.call_timeouts.get(service, self.call_timeout) + self.lag

    def limit_of(self, command: Command) -> Micros:
        """How long a command may take from its opening: no longer than its own `max_freeze`."""
        limit = self.limits.get(command.name, self.limit)
        body = command.body
        if isinstance(body, AdoptInstance | ReleaseInstance) and body.max_freeze is not None:
            return min(limit, body.max_freeze * SECOND)
        return limit

    def pause(self, attempts: int, random: Random) -> Micros:
        """The pause after the n-th failed attempt: exponential, half of it jitter."""
        whole: int = min(self.backoff << min(attempts - 1, 16), self.backoff_max)
        return whole // 2 + int(whole / 2 * random.random())
