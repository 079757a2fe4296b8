"""The kills of moves: the table hits every call of every plan, and the tools see what is wrong."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from consumer.ledger.base import Ledger, Offer, Verdict
from consumer.ledger.fleet import Direction, Item, Migration, Settings, Stage, Status
from handlers.admission import by_operator
from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds
from handlers.commands import AdoptInstance, Body, Command, ReleaseInstance
from handlers.errors import Reason
from handlers.events import MIGRATION_SOURCE
from handlers.instance import Scope
from handlers.keys import SERVER, VOLUME
from handlers.operation import Operation, Phase
from tests.contract.managers.state import site_of
from tests.real.curve import Moment, svg
from tests.real.jobs import ADOPT, RELEASE, Round, conducted, program, rounds, turns
from tests.real.mines import AFTER_SAVE, BEFORE_ASK, CONDUCTOR, MinedLedger
from tests.real.phases import TENANT
from tests.real.shapes import create_of, shapes
from tests.real.targets import ANYBODY, BACK, BOUNDARIES, Crossing, Minefield, Target
from tests.real.traits import Traits, changes
from tests.support.world import Crash, Parts, VirtualClock, World

SUBJECTS = [f"instance-{n}" for n in range(8)]
DOOMED = set(SUBJECTS[1::2])


class Rehearsal:
    """A native instance in memory whose volume Nova deletes with it, and where its operations come
    by; at `cancel_at` their worker dies and they are called back."""

    def __init__(self, cancel_at: Crossing | None = None) -> None:
        self._cancel_at = cancel_at
        self.seen: dict[Crossing, None] = {}
        clock = VirtualClock()
        state = CloudState(now=clock.now, sleep=clock.sleep)
        cloud = MemoryCloud(state)
        parts = Parts(checkpoint=self._note)
        self._world = World(MemoryClouds({"": cloud}), clock, parts=parts, keep=1)
        self._world.worker()
        self._shape = shapes(site_of(state), 1)[0]
        self.send(create_of(site_of(state), self._shape))
        record = self._world.ledger.instance(self._shape.subject)
        assert record is not None
        cloud.doom_volume(record.resources[SERVER].id, record.resources[VOLUME].id, doomed=True)
        self.seen.clear()

    def send(self, body: Body) -> Operation:
        command = self._world.send(self._shape.subject, body)
        self._world.run()
        return self._world.operation(command)

    def _note(self, boundary: str, op: Operation, step: str) -> None:
        crossing = Crossing.of(boundary, op, step)
        self.seen.setdefault(crossing)
        if crossing == self._cancel_at and op.cancelled is None:
            self._cancel_at = None
            self._world.ledger.cancel(op.id, by_operator("of the suite"))
            raise Crash


def _forward(command: str) -> set[Crossing]:
    """The crossings of the table on the way of a command."""
    found = {
        each
        for a_round in rounds()
        for job in a_round.jobs
        for each in (*job.kills, *([job.called_back] if job.called_back else []))
    }
    return {each for each in found if each.command == command and BACK not in each.step}


def test_every_call_of_an_adoption_and_of_a_release_is_killed_at_every_boundary() -> None:
    rehearsal = Rehearsal()
    assert rehearsal.send(AdoptInstance(project=TENANT)).phase is Phase.SUCCEEDED
    assert set(rehearsal.seen) == _forward(ADOPT)
    rehearsal.seen.clear()
    assert rehearsal.send(ReleaseInstance(project=TENANT)).phase is Phase.SUCCEEDED
    assert set(rehearsal.seen) == _forward(RELEASE)


@pytest.mark.parametrize(
    ("command", "body", "before"),
    [
        (ADOPT, AdoptInstance(project=TENANT), ()),
        (RELEASE, ReleaseInstance(project=TENANT), (AdoptInstance(project=TENANT),)),
    ],
)
def test_every_call_of_a_way_back_is_killed_at_every_boundary(
    command: str, body: Body, before: Sequence[Body]
) -> None:
    called = [each for each in rounds() if each.reason is Reason.OPERATOR]
    jobs = [job for a_round in called for job in a_round.jobs if job.called_back]
    mine = [job for job in jobs if job.called_back and job.called_back.command == command]
    met: set[Crossing] = set()
    for job in mine:
        rehearsal = Rehearsal(job.called_back)
        for each in before:
            rehearsal.send(each)
        assert rehearsal.send(body).phase is Phase.FAILED
        back = {each for each in rehearsal.seen if each.step.startswith(BACK)}
        assert set(job.kills) <= back, "what is to be killed on the way back is on it"
        met |= back
    killed = {each for job in mine for each in job.kills}
    assert killed == {each for each in met if not (command == RELEASE and "doom" in each.step)}


def test_there_are_forty_kills_and_more() -> None:
    jobs = [job for a_round in rounds() for job in a_round.jobs]
    assert sum(len(job.kills) + (job.called_back is not None) for job in jobs) >= 40


@pytest.mark.parametrize("small", [False, True])
def test_jobs_go_to_instances_that_they_fit(small: bool) -> None:
    for a_round in program(small=small):
        if isinstance(a_round, Direction):
            continue
        dealt = [turn for lot in turns(a_round, SUBJECTS, DOOMED) for turn in lot]
        for lot in turns(a_round, SUBJECTS, DOOMED):
            assert len({turn.subject for turn in lot}) == len(lot)
        for target in (each for turn in dealt for each in turn.targets):
            assert target.subject in DOOMED or "doom" not in target.crossing.step
        kills = sum(len(turn.targets) + (turn.called_back is not None) for turn in dealt)
        assert kills == _kills(a_round)


def _kills(a_round: Round) -> int:
    return sum(len(job.kills) + (job.called_back is not None) for job in a_round.jobs)


# -- the conductor --------------------------------------------------------------------------------


class Deaths(Exception):
    """Stands for the end of the process."""


class Written:
    """A ledger that only counts."""

    def __init__(self) -> None:
        self.saved = self.accepted = 0

    def save_migration(self, migration: Migration, items: Any, events: Any) -> Migration:
        self.saved += 1
        return migration

    def accept(self, offers: Sequence[Offer], worker: str) -> tuple[Verdict, ...]:
        self.accepted += 1
        return tuple(Verdict.NEW for _ in offers)


def _die() -> None:
    raise Deaths


@pytest.fixture
def mined(tmp_path: Path) -> tuple[Written, MinedLedger, Minefield]:
    written, minefield = Written(), Minefield(tmp_path, die=_die)
    return written, MinedLedger(cast(Ledger, written), minefield), minefield


def _migration() -> Migration:
    return Migration(
        id="m",
        direction=Direction.ADOPT,
        status=Status.RUNNING,
        settings=Settings(),
        fingerprint="f",
        cloud="c",
        region="r",
        created=1,
        changed=1,
    )


def test_a_conductor_dies_after_it_wrote_a_stage(
    mined: tuple[Written, MinedLedger, Minefield],
) -> None:
    written, ledger, minefield = mined
    crossing = Crossing(CONDUCTOR, "adopt", "observed", AFTER_SAVE)
    assert crossing in conducted(Direction.ADOPT)
    minefield.arm([Target(ANYBODY, crossing)])
    item = Item(migration="m", subject="s", project="p", place=0, batch=0)
    ledger.save_migration(_migration(), [item], [])
    with pytest.raises(Deaths):
        ledger.save_migration(_migration(), [replace(item, stage=Stage.OBSERVED)], [])
    assert written.saved == 2


def test_a_conductor_dies_before_it_asks_but_nobody_before_taking_a_users_command(
    mined: tuple[Written, MinedLedger, Minefield],
) -> None:
    written, ledger, minefield = mined
    minefield.arm([Target(ANYBODY, Crossing(CONDUCTOR, "ask", "adopt", BEFORE_ASK))])
    body = AdoptInstance(project=TENANT)
    users = Command(id="m.0.adopt.1", subject="s", source="somebody", body=body)
    scope = Scope(cloud="c", region="r", project="p")
    ledger.accept([Offer(users, scope)], "w")
    asked = Command(id="m.0.adopt.1", subject="s", source=MIGRATION_SOURCE, body=body)
    with pytest.raises(Deaths):
        ledger.accept([Offer(asked, scope)], "w")
    assert written.accepted == 1


# -- what is seen ---------------------------------------------------------------------------------


def test_traits_tell_what_has_changed() -> None:
    empty: dict[str, Any] = dict.fromkeys(Traits.__struct_fields__, ())
    before = Traits(**{**empty, "server": ("s1",), "actions": ("create req-1",)})
    now = replace(before, actions=("reboot req-2", "create req-1"))
    assert list(changes(before, before)) == []
    assert len(list(changes(before, now))) == 1
    assert list(changes(before, now, ("server",))) == []


def test_neighbouring_shapes_differ_and_half_are_as_trove_made_them() -> None:
    clock = VirtualClock()
    made = shapes(site_of(CloudState(now=clock.now, sleep=clock.sleep)), 12)
    plain = [replace(each, subject="") for each in made]
    assert all(one != other for one, other in pairwise(plain))
    assert sum(each.trove for each in made) == 6


def test_the_curve_is_a_picture_with_a_line_for_each_manager() -> None:
    moments = [Moment(0.0, {"natives": 4}), Moment(5.0, {"natives": 1, "orchestrator": 3})]
    picture = ET.fromstring(svg(moments, [(0.0, "make"), (2.0, "adopt")], 9.0))
    texts = [each.text for each in picture.iter() if each.text and each.text.strip()]
    assert {"natives", "orchestrator", "make", "adopt", "4", "9 s"} <= set(texts)


def test_boundaries_of_steps_are_those_of_the_table() -> None:
    assert {each.boundary for each in _forward(ADOPT)} >= set(BOUNDARIES)
