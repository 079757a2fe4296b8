"""Intake: deliveries become rows of the ledger, and only then are acknowledged.

The loop is the connection's own thread: it alone consumes and settles. A batch is written in one
commit. What can never become a row goes to the dead-letter queue with its reason, is confirmed
there, and only then acknowledged here; so a message is always in at least one place.
"""

import random
from collections.abc import Callable, Sequence
from threading import Event
from typing import NamedTuple

from consumer.broker.deadletters import Morgue
from consumer.broker.inbox import Delivery, Inbox
from consumer.broker.link import Down
from consumer.broker.publisher import Nacked, Unroutable
from consumer.codec import commands as codec
from consumer.codec.refusal import Refusal, Refused
from consumer.ledger.base import Ledger, Offer, Unavailable, Verdict
from consumer.telemetry.base import Telemetry
from handlers.admission import supersedes
from handlers.commands import Command, Invalid
from handlers.errors import Stale
from handlers.instance import Scope


class Pace(NamedTuple):
    """How much at once and how long to wait, in seconds.

    Pauses after trouble double from `first_pause` to `last_pause`, each with jitter.
    """

    batch: int = 100
    wait: float = 1.0
    first_pause: float = 0.2
    last_pause: float = 15.0
    max_message: int = codec.MAX_BYTES


class Place(NamedTuple):
    """Where commands are carried out: the cloud (entry of clouds.yaml) and its region."""

    cloud: str
    region: str = ""

    def scope(self, command: Command) -> Scope:
        return Scope(cloud=self.cloud, region=self.region, project=command.body.project)


class Intake:
    """Takes commands in until it is stopped.

    `admit` raises Invalid for a command that this deployment cannot keep (a secret without a key).
    `room` says how many more operations the worker can hold: without room nothing is consumed.
    `wake` is called after every commit that brought something new.
    """

    def __init__(
        self,
        inbox: Inbox,
        morgue: Morgue,
        ledger: Ledger,
        *,
        worker: str,
        place: Place,
        telemetry: Telemetry,
        admit: Callable[[Command], None],
        room: Callable[[], int],
        wake: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self._inbox = inbox
        self._morgue = morgue
        self._ledger = ledger
        self._worker = worker
        self._place = place
        self._telemetry = telemetry
        self._admit = admit
        self._room = room
        self._wake = wake
        self._pace = pace or Pace()
        self._stopped = Event()
        self._troubles = 0
        self._ledger_down = False

    @property
    def is_ready(self) -> bool:
        """Whether commands are being taken: a consumer is confirmed and nothing is in trouble."""
        return self._inbox.is_listening and not self._troubles

    def run(self) -> None:
        """Take commands until `stop`; survives brokers and ledgers that go and come."""
        while not self._stopped.is_set():
            try:
                self._prove_ledger()
                self._connect()
                self.turn()
            except (Down, Nacked, Unroutable) as error:
                self._telemetry.broker_connected(connected=False, detail=str(error))
                self._back_off()
            except Unavailable:
                self._ledger_down = True
                self._telemetry.ledger_up(up=False)
                self._back_off()
        self._inbox.close()

    def stop(self) -> None:
        """Finish the batch under way, give back the rest, and leave `run`. From any thread."""
        self._stopped.set()

    def turn(self) -> int:
        """One batch, or one short wait; returns how many deliveries were settled.

        Raises Unavailable when the ledger is, and Down, Nacked or Unroutable when the broker is
        in the way: nothing that was not stored has been acknowledged then.
        """
        self._adjust()
        batch = self._inbox.take(self._pace.batch, self._pace.wait)
        if batch:
            self._settle(batch)
        self._troubles = 0
        return len(batch)

    def _connect(self) -> None:
        if self._inbox.is_open:
            return
        self._inbox.close()
        for remark in self._inbox.open():
            self._telemetry.broker_note(remark)
        self._telemetry.broker_connected(connected=True, detail=self._inbox.peer)

    def _prove_ledger(self) -> None:
        """After an outage, consume only when the ledger takes writes again: to consume in vain
        would use up the delivery limit, and good commands would be dead-lettered.
        """
        if self._ledger_down:
            self._write()
            self._ledger_down = False
            self._telemetry.ledger_up(up=True)

    def _write(self) -> None:
        """The cheapest write there is; raises Unavailable for whatever is wrong with the ledger,
        and Stale when others took this worker for dead.
        """
        try:
            self._ledger.heartbeat(self._worker)
        except (Stale, Unavailable):
            raise
        except Exception as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error

    def _adjust(self) -> None:
        """Consume as much as there is room for. The room may be overdrawn by what was under way
        when it ended, never by more than one prefetch; nothing is sent back for that, because
        every return counts towards the queue's delivery limit.
        """
        wanted = min(self._pace.batch, max(0, self._room()))
        if not self._inbox.is_listening:
            if wanted:
                self._inbox.listen(wanted)
        elif not wanted:
            self._inbox.pause()
        elif wanted == self._pace.batch > self._inbox.prefetch:
            self._inbox.listen(wanted)

    def _back_off(self) -> None:
        """Let go of the connection, so that others get what was not settled, and wait."""
        self._inbox.close()
        ceiling = self._pace.first_pause * 2 ** min(self._troubles, 10)
        self._troubles += 1
        self._stopped.wait(min(self._pace.last_pause, ceiling) * random.uniform(0.5, 1.0))  # noqa: S311

    def _settle(self, batch: Sequence[Delivery]) -> None:
        good: list[tuple[Delivery, Command]] = []
        bad: list[tuple[Delivery, Refused]] = []
        for delivery in batch:
            try:
                good.append((delivery, self._read(delivery)))
            except Refused as error:
                bad.append((delivery, error))
        bad += self._accept(good)
        refused_tags = {delivery.tag for delivery, _ in bad}
        try:
            for delivery, refused in bad:
                self._bury(delivery, refused)
                refused_tags.discard(delivery.tag)
        finally:
            self._inbox.ack([each for each in batch if each.tag not in refused_tags])

    def _read(self, delivery: Delivery) -> Command:
        command = codec.decode(delivery.body, self._pace.max_message)
        try:
            self._admit(command)
        except Invalid as error:
            raise Refused(Refusal.NO_SECRET_KEY, str(error)) from None
        return command

    def _accept(self, good: Sequence[tuple[Delivery, Command]]) -> list[tuple[Delivery, Refused]]:
        """Write the commands; returns those that the ledger does not take."""
        if not good:
            return []
        try:
            verdicts = self._ledger.accept([self._offer(each) for _, each in good], self._worker)
        except Unavailable:
            raise
        except Exception as error:  # one command must not stop the others, nor come back for ever
            if len(good) > 1:
                return [pair for each in good for pair in self._accept([each])]
            self._write()
            sentence = f"the ledger cannot store this command ({type(error).__name__})"
            return [(good[0][0], Refused(Refusal.UNACCEPTABLE, sentence))]
        self._telemetry.ledger_up(up=True)
        for (_, command), verdict in zip(good, verdicts, strict=True):
            self._telemetry.received(command, verdict.value)
        if Verdict.NEW in verdicts or Verdict.KNOWN in verdicts:
            self._wake()
        return [
            (delivery, _conflict(command))
            for (delivery, command), verdict in zip(good, verdicts, strict=True)
            if verdict is Verdict.CONFLICT
        ]

    def _offer(self, command: Command) -> Offer:
        scope = self._place.scope(command)
        return Offer(command=command, scope=scope, cancels=supersedes(command))

    def _bury(self, delivery: Delivery, refused: Refused) -> None:
        self._morgue.put(delivery, refused.reason, refused.message)
        name = str(delivery.properties.get("message_id") or delivery.tag)[:64]
        self._telemetry.dead_lettered(refused.reason, f"message {name}: {refused.message}")


def _conflict(command: Command) -> Refused:
    return Refused(Refusal.CONFLICT, f"command id {command.id} was used before for another command")
