"""Heat's engine is killed while instances change hands. Every other user of that Heat has to wait
for it, so these tests run by themselves."""

import os
from collections.abc import Iterator

import pytest

from handlers.errors import Reason
from handlers.instance import State
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.cloud.ways_out.conftest import Note, stages
from tests.cloud.ways_out.death import Death
from tests.cloud.ways_out.engine import Engine
from tests.cloud.ways_out.ground import Ground
from tests.cloud.ways_out.moving import Tampered
from tests.cloud.ways_out.ways import seconds_of
from tests.support.services import CLOUD, missing

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def death(own_ground: Ground) -> Iterator[Death]:
    """One death for all tests. At the end nothing may be left."""
    heat = own_ground.project.connection.orchestration
    engine = Engine(lambda: bool(heat.get("/stacks?limit=1").status_code == 200))
    if not engine.is_here:
        ci = os.environ.get("CI") == "true"
        missing(CLOUD, "its Heat runs on another machine", ci=ci)
    tampered = Tampered()
    with stages(own_ground, lambda took: None) as stage:
        ways = stage(manager=NATIVES, through=tampered.between, adopt=240, release=240)
        made = Death(ways, tampered)
        made.prepare()
        made.happen(engine)
        yield made
        made.clean_up()


@pytest.mark.way(
    state="ADOPT_IN_PROGRESS for good",
    made="the engine is killed during an adoption",
    exit="given up after a quarter of the time; the stack is deleted by the next engine",
)
def test_an_adoption_that_lost_its_engine_is_let_go(death: Death, note: Note) -> None:
    _stays_native(death, note, "adopt", "stays ADOPT_IN_PROGRESS")


@pytest.mark.way(
    state="CHECK_IN_PROGRESS for good",
    made="the engine is killed while it checks what was adopted",
    exit="given up after a quarter of the time; the stack is deleted by the next engine",
)
def test_a_check_that_lost_its_engine_is_let_go(death: Death, note: Note) -> None:
    _stays_native(death, note, "check", "stays CHECK_IN_PROGRESS")


@pytest.mark.way(
    state="UPDATE_IN_PROGRESS for good",
    made="the engine is killed during a commit",
    exit="the update is cancelled and sent again; the adoption is committed",
)
def test_a_commit_that_lost_its_engine_is_told_again(death: Death, note: Note) -> None:
    _ends_well(death, note, "commit", ORCHESTRATOR)


@pytest.mark.way(
    state="UPDATE_IN_PROGRESS for good",
    made="the engine is killed while a release makes the stack retain everything",
    exit="the update is cancelled and sent again; the release ends well",
)
def test_a_release_that_lost_its_engine_is_told_again(death: Death, note: Note) -> None:
    _ends_well(death, note, "retain", NATIVES)


@pytest.mark.way(
    state="DELETE_IN_PROGRESS for good",
    made="the engine is killed while a release deletes the stack",
    exit="the next engine goes on, or is asked again; the release ends well",
)
def test_a_stack_that_lost_its_engine_is_deleted_again(death: Death, note: Note) -> None:
    _ends_well(death, note, "delete", NATIVES)


def _stays_native(death: Death, note: Note, name: str, text: str) -> None:
    """Or it is adopted: what the dead engine had not begun yet, the next one may go on with."""
    done = death.ways.bench.ended(death.commands[name])
    error = done.event.data.error
    if error is None:
        _is_owned_by(death, name, ORCHESTRATOR)
        note(f"{seconds_of(done)}, for the next engine went on")
        return
    assert error.reason is Reason.CLOUD_ERROR
    assert text in error.message
    assert done.event.data.left_behind == ()
    death.moves[name].is_native()
    note(seconds_of(done))


def _ends_well(death: Death, note: Note, name: str, owner: str) -> None:
    done = death.ways.bench.ended(death.commands[name])
    assert done.event.data.error is None, done.event.data.error
    _is_owned_by(death, name, owner)
    note(seconds_of(done))


def _is_owned_by(death: Death, name: str, owner: str) -> None:
    """The same instance, in a stack or in none."""
    move = death.moves[name]
    move.is_unharmed()
    record = move.recorded
    assert (record.manager, record.state, record.soaking) == (owner, State.ACTIVE, False)
    assert len(death.ways.of(move.subject).stacks) == (owner == ORCHESTRATOR)
