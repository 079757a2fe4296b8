"""Heat's engine is killed while it works. Every other user of that Heat has to wait for it, so
these tests run by themselves."""

import os
from collections.abc import Iterator

import pytest

from handlers.errors import Reason
from tests.cloud.ways_out.conftest import Note, stages
from tests.cloud.ways_out.engine import Engine
from tests.cloud.ways_out.ground import Ground
from tests.cloud.ways_out.scene import Crash
from tests.cloud.ways_out.ways import seconds_of
from tests.support.services import CLOUD, missing

pytestmark = [pytest.mark.alone, pytest.mark.timeout(500)]


@pytest.fixture(scope="module")
def crash(own_ground: Ground) -> Iterator[Crash]:
    """One death for all tests. At the end nothing may be left."""
    heat = own_ground.project.connection.orchestration
    engine = Engine(lambda: bool(heat.get("/stacks?limit=1").status_code == 200))
    if not engine.is_here:
        ci = os.environ.get("CI") == "true"
        missing(CLOUD, "its Heat runs on another machine", ci=ci)
    with stages(own_ground, lambda took: None) as stage:
        made = Crash(stage(natives=True, create=45, resize=45, grow=15, group=12))
        made.prepare()
        made.happen(engine)
        yield made
        made.clean_up()


@pytest.mark.way(
    state="CREATE_IN_PROGRESS for good",
    made="the engine is killed during a create",
    exit="at the deadline the stack is deleted by the next engine; nothing is left",
)
def test_a_create_that_lost_its_engine_leaves_nothing(crash: Crash, note: Note) -> None:
    victim = crash.victims["create"]
    done = crash.ways.bench.ended_badly(victim.command, Reason.DEADLINE)
    note(seconds_of(done))
    assert not crash.ways.of(victim.subject).ids


@pytest.mark.way(
    state="UPDATE_IN_PROGRESS for good",
    made="the engine is killed during a resize, before it is confirmed",
    exit="the update is cancelled, the resize reverted, the old values given again; the next works",
)
def test_a_resize_that_lost_its_engine_is_reverted(crash: Crash, note: Note) -> None:
    ways, victim = crash.ways, crash.victims["resize"]
    done = ways.bench.ended_badly(victim.command, Reason.DEADLINE)
    note(seconds_of(done))
    ways.operator.unmarks(victim.before.server.id, "delay")
    ways.is_resized_back(victim.subject, victim.before)
    ways.works(victim.subject, victim.before)


@pytest.mark.way(
    state="UPDATE_IN_PROGRESS for good",
    made="the engine is killed during a resize, after it was confirmed",
    exit="the update is cancelled, the old values given again, the server resized back natively",
)
def test_a_confirmed_resize_that_lost_its_engine_is_taken_back(crash: Crash, note: Note) -> None:
    ways, victim = crash.ways, crash.victims["confirmed"]
    done = ways.bench.ended_badly(victim.command, Reason.DEADLINE)
    note(seconds_of(done))
    ways.is_resized_back(victim.subject, victim.before)
    ways.works(victim.subject, victim.before)


@pytest.mark.way(
    state="DELETE_IN_PROGRESS for good",
    made="the engine is killed during a delete",
    exit="the next engine is asked again; nothing is left",
)
def test_a_delete_that_lost_its_engine_ends_well(crash: Crash, note: Note) -> None:
    victim = crash.victims["delete"]
    done = crash.ways.bench.ended_well(victim.command)
    note(seconds_of(done))
    assert not crash.ways.of(victim.subject).ids


@pytest.mark.way(
    state="engine away",
    made="its API hangs; a delete comes",
    exit="it waits, and ends well when an engine is back",
)
def test_a_delete_waits_for_an_engine(crash: Crash, note: Note) -> None:
    victim = crash.victims["waits"]
    done = crash.ways.bench.ended_well(victim.command)
    note(seconds_of(done))
    assert not crash.ways.of(victim.subject).ids


@pytest.mark.way(
    state="engine away",
    made="its API hangs until the deadline of a volume's resize",
    exit="fails when the look ends that hangs, and names the service; the next resize works",
)
def test_what_cannot_wait_longer_says_so(crash: Crash, note: Note) -> None:
    ways, victim = crash.ways, crash.victims["refused"]
    done = ways.bench.ended_badly(victim.command, Reason.DEADLINE, "orchestration")
    note(seconds_of(done))
    ways.is_as_before(victim.subject, victim.before)
    ways.works(victim.subject, victim.before)


@pytest.mark.way(
    state="engine away",
    made="its API hangs until the deadline of a create, which the next engine carries out",
    exit="what was made late is found by its name and its tag, and deleted",
)
def test_what_the_next_engine_makes_late_is_undone(crash: Crash, note: Note) -> None:
    victim = crash.victims["late"]
    done = crash.ways.bench.ended_badly(victim.command, Reason.DEADLINE)
    note(seconds_of(done))
    assert not crash.ways.of(victim.subject).ids


@pytest.mark.way(
    state="engine away",
    made="a resize by NATIVES comes",
    exit="it is as fast as before",
)
def test_natives_are_as_fast_as_before(crash: Crash, note: Note) -> None:
    usual, during = crash.natives
    note(f"{during:.1f}, before {usual:.1f}")
    assert during < 2 * usual + 2
