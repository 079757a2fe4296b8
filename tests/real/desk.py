"""Where commands are sent from, and waited for, while the workers are looked after."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from consumer import wiring
from consumer.broker.link import Down
from consumer.broker.publisher import Unroutable
from handlers.commands import Body, Command
from tests.real.fleet import Fleet
from tests.real.ground import Ground
from tests.real.listener import Listener


class OutOfTime(Exception):
    """The run did not end in its time."""


class Desk:
    """Sends commands and hears how they end; every wait looks after `fleet`, and calls `look`.

    `sent` has all commands so far. Waits raise OutOfTime after `end` (monotonic).
    """

    def __init__(
        self, on: Ground, fleet: Fleet, end: float, look: Callable[[], None] = lambda: None
    ) -> None:
        notices = on.settings.notifications
        self.fleet = fleet
        self.sent: list[Command] = []
        self.listener = Listener(on.events, notices.exchange, notices.topics)
        self._client = wiring.client_of(on.settings, "real-run")
        self._end = end
        self._look = look

    def send(self, body: Body, subject: str) -> Command:
        """Publish; the queue is there as soon as the first worker is."""
        command = self._client.command(body, subject)
        self.sent.append(command)
        self.wait("the queue of commands", lambda: self._try_to_send(command))
        return command

    def wait(self, what: str, holds: Callable[[], bool], pause: float = 0.1) -> None:
        """Until it holds; asked every `pause` seconds."""
        while not holds():
            if time.monotonic() > self._end:
                raise OutOfTime(f"out of time: {what}")
            self.fleet.tend()
            self._look()
            time.sleep(pause)

    def open(self, commands: Sequence[Command]) -> list[Command]:
        """Those that have not ended yet."""
        return [each for each in commands if not self.listener.has_ended(each.id)]

    def data(self, command: Command) -> dict[str, Any]:
        """What the event said that told of its end."""
        found: dict[str, Any] = self.listener.payloads[command.id]["data"]
        return found

    def close(self) -> None:
        """End the workers, and hear no more."""
        self.fleet.stop()
        self.listener.stop()
        self._client.close()

    def _try_to_send(self, command: Command) -> bool:
        try:
            self._client.send(command)
        except (Down, Unroutable):  # no exchange yet, no queue yet
            return False
        return True
