"""How long a call may take, and how many there are at once."""

from collections.abc import Mapping

import msgspec

from handlers.resources import Service


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds.

    `answer` is how long a service may be silent before its answer counts as lost, per service
    where `answers` names it. `connect` is for the connection alone, `token` is Keystone's `answer`.
    `threads` is how many threads call at the same time: as many connections are kept.
    """

    answer: float = 30.0
    answers: Mapping[Service, float] = {}
    connect: float = 5.0
    token: float = 10.0
    threads: int = 16

    def of(self, service: Service) -> float:
        """Seconds that the service may take to answer."""
        return self.answers.get(service, self.answer)

    def longest(self, service: Service) -> float:
        """Seconds from the beginning of a call until its request is answered or given up.

        The request is sent within `connect` seconds or not at all, then there is the connection to
        make and the answer to wait for. The quiet time after a lost call is counted from this.
        """
        return 2 * self.connect + self.of(service)
