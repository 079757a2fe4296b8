"""What an effect is told about the call that it belongs to."""

from handlers.clouds.memory.faults import Call, Outcome


class Doing:
    """One call under way: what was asked, how it shall come out, and the request's id.

    `text` is the fault that a spoiled outcome shows.
    """

    __slots__ = ("call", "outcome", "request_id", "text")

    def __init__(
        self, call: Call, request_id: str, outcome: Outcome = Outcome.FINE, text: str = ""
    ) -> None:
        self.call = call
        self.request_id = request_id
        self.outcome = outcome
        self.text = text

    @property
    def fails(self) -> bool:
        """It is accepted and goes wrong afterwards."""
        return self.outcome in (Outcome.ERROR, Outcome.NO_HOST)
