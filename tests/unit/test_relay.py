"""The relay: at least once, in order for each subject, never stuck on one event."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Thread

import pytest
from msgspec.structs import replace

from consumer.codec.documents.samples import events
from consumer.ledger.base import Unavailable
from consumer.ledger.memory import MemoryLedger
from consumer.relay import NotSent, Pace, Relay
from handlers.events import Event, News
from tests.support.broker import Recorder, wait_for, wall_clock

SAMPLE = next(iter(events()))
QUICK = Pace(batch=10, poll=0.02, first_pause=0.01, last_pause=0.05)
IDS = count()


def event(subject: str) -> Event:
    return replace(SAMPLE, id=f"e{next(IDS)}", subject=subject)


class Outbox(MemoryLedger):
    """Only the outbox of a ledger, to be filled by hand."""

    def __init__(self, *waiting: Event) -> None:
        super().__init__(wall_clock)
        self.waiting = list(waiting)
        self.down = 0

    def unsent(self, limit: int) -> tuple[Event, ...]:
        if self.down:
            self.down -= 1
            raise Unavailable("gone")
        return tuple(self.waiting[:limit])

    def sent(self, events: Collection[str]) -> None:
        self.waiting = [event for event in self.waiting if event.id not in events]


class Announcer:
    """Takes events, except those of the subjects that it is told to refuse."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.heard: list[News] = []
        self.asked = 0

    def publish(self, event: News) -> None:
        self.asked += 1
        if event.subject in self.refused or "*" in self.refused:
            raise NotSent("no")
        self.heard.append(event)


@contextmanager
def running(relay: Relay) -> Iterator[None]:
    thread = Thread(target=relay.run, daemon=True)
    thread.start()
    yield
    relay.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_events_go_out_in_order_and_are_marked() -> None:
    waiting = [event("a"), event("b"), event("a")]
    outbox, announcer, told = Outbox(*waiting), Announcer(), Recorder()
    assert Relay(outbox, announcer, told, QUICK).turn() == 3
    assert announcer.heard == waiting
    assert outbox.waiting == []
    assert told.told("published") == [(SAMPLE.type,)] * 3


def test_event_that_cannot_be_sent_holds_up_its_own_subject_only() -> None:
    stuck, later, other = event("a"), event("a"), event("b")
    outbox, announcer, told = Outbox(stuck, later, other), Announcer("a"), Recorder()
    relay = Relay(outbox, announcer, told, QUICK)
    relay.turn()
    assert announcer.heard == [other]
    assert outbox.waiting == [stuck, later]
    assert len(told.told("publish_failed")) == 1
    announcer.refused.clear()
    relay.turn()
    assert announcer.heard == [other, stuck, later]


def test_nothing_gets_through_is_found_out_after_two_events() -> None:
    outbox, announcer = Outbox(*(event(str(n)) for n in range(9))), Announcer("*")
    with pytest.raises(NotSent):
        Relay(outbox, announcer, Recorder(), QUICK).turn()
    assert announcer.asked == 2
    assert len(outbox.waiting) == 9


def test_broker_and_ledger_may_go_and_come() -> None:
    outbox, announcer, told = Outbox(event("a")), Announcer("*"), Recorder()
    outbox.down = 2
    relay = Relay(outbox, announcer, told, QUICK)
    with running(relay):
        wait_for(lambda: announcer.asked > 1)
        assert not relay.is_ready
        announcer.refused.clear()
        wait_for(lambda: announcer.heard and relay.is_ready)
    assert len(told.told("publish_failed")) >= 3


def test_event_is_sent_again_when_the_mark_was_lost() -> None:
    class Forgetful(Outbox):
        def sent(self, events: Collection[str]) -> None:
            if not self.forgot:
                self.forgot = True
                raise Unavailable("lost")
            super().sent(events)

        forgot = False

    outbox, announcer = Forgetful(event("a")), Announcer()
    with running(Relay(outbox, announcer, Recorder(), QUICK)):
        wait_for(lambda: not outbox.waiting)
    assert len(announcer.heard) == 2
    assert len({event.id for event in announcer.heard}) == 1


def test_kick_wakes_the_relay_at_once() -> None:
    outbox, announcer = Outbox(), Announcer()
    relay = Relay(outbox, announcer, Recorder(), Pace(poll=60.0))
    with running(relay):
        outbox.waiting.append(event("a"))
        relay.kick()
        wait_for(lambda: announcer.heard, 5)


def test_full_rounds_follow_each_other_without_a_pause() -> None:
    outbox, announcer = Outbox(*(event("a") for _ in range(25))), Announcer()
    with running(Relay(outbox, announcer, Recorder(), Pace(batch=10, poll=60.0))):
        wait_for(lambda: len(announcer.heard) == 25, 5)
