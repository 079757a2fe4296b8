"""The real run's own tools: it kills where it should, and sees what it is there to see."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from handlers.commands import Command, DeleteInstance
from handlers.instance import Scope
from handlers.operation import SECOND, Operation
from tests.contract.managers.inventory import (
    Inventory,
    SeenGroup,
    SeenPort,
    SeenServer,
    SeenVolume,
)
from tests.contract.managers.place import Site
from tests.real.phases import Expected, phases, wrong
from tests.real.report import recoveries
from tests.real.targets import ANYBODY, BOUNDARIES, Death, Minefield, Target, spread

SUBJECT = "0c6e2b5e-5e0b-4d0c-9f0e-7d1f0f4b3a10"
OTHER = "1d6e2b5e-5e0b-4d0c-9f0e-7d1f0f4b3a10"
SITE = Site(
    image="i",
    small="1",
    large="2",
    management="m",
    user="u",
    volume_type="t",
    zone="nova",
)
EXPECTED = Expected(flavor="1", size=1, cidrs=("10.0.0.0/8",))


def _operation(subject: str = SUBJECT) -> Operation:
    body = DeleteInstance(project="p")
    command = Command(id=f"command-{subject}", subject=subject, source="test", body=body)
    scope = Scope(cloud="c", region="r", project="p")
    return Operation(command=command, scope=scope, accepted=SECOND, opened=SECOND)


@pytest.fixture
def deaths() -> list[str]:
    return []


@pytest.fixture
def minefield(tmp_path: Path, deaths: list[str]) -> Minefield:
    return Minefield(tmp_path, die=lambda: deaths.append("died"))


TARGET = Target(SUBJECT, "instance.delete", "port/user-0", "after-call")


def test_a_worker_dies_at_its_target_once_and_nowhere_else(
    minefield: Minefield, deaths: list[str]
) -> None:
    minefield.arm([TARGET])
    for boundary in BOUNDARIES:
        minefield.checkpoint(boundary, _operation(OTHER), TARGET.step)
    minefield.checkpoint("before-intent", _operation(), TARGET.step)
    minefield.checkpoint("after-call", _operation(), "servers")
    assert deaths == []
    for _ in range(2):
        minefield.checkpoint("after-call", _operation(), TARGET.step)
    assert deaths == ["died"]
    assert [death.target for death in minefield.deaths()] == [TARGET]
    assert minefield.waiting() == ()


def test_a_target_that_was_released_is_hit_by_whoever_comes(
    minefield: Minefield, deaths: list[str]
) -> None:
    minefield.arm([TARGET])
    minefield.release(TARGET)
    assert [target.subject for target in minefield.waiting()] == [ANYBODY]
    minefield.checkpoint("after-call", _operation(OTHER), TARGET.step)
    assert deaths == ["died"]
    assert [death.target.subject for death in minefield.deaths()] == [OTHER]


def test_targets_are_spread_over_the_subjects() -> None:
    wanted = [("c", "s", boundary) for boundary in BOUNDARIES]
    assert [each.subject for each in spread(wanted, [SUBJECT, OTHER])] == [SUBJECT, OTHER, SUBJECT]


def test_the_whole_run_hits_every_step_at_every_boundary() -> None:
    crossings = [each for phase in phases(SITE) for each in phase.crossings]
    steps = {(command, step) for command, step, _ in crossings if step != "end"}
    assert len(steps) == 15
    for command, step in steps:
        assert {each[2] for each in crossings if each[:2] == (command, step)} == set(BOUNDARIES)
    assert len(crossings) >= 40


def test_a_recovery_is_read_from_the_timeline() -> None:
    death = Death(replace(TARGET, subject=SUBJECT), at=10 * SECOND)
    op = _operation().note(9 * SECOND, "acted", "servers")
    op = op.note(17 * SECOND, "taken over").note(19 * SECOND, "acted", "servers")
    (found,) = recoveries([death], [op])
    assert (found.taken, found.going) == (7.0, 9.0)


# -- what is in the cloud -------------------------------------------------------------------------


def _server(number: int = 1) -> SeenServer:
    return SeenServer(
        id=f"server-{number}",
        name="real-run",
        status="ACTIVE",
        flavor="1",
        image="i",
        zone="nova",
        metadata={"trove_instance_id": SUBJECT},
        tags=frozenset(),
        volumes=frozenset(),
        kept=frozenset(),
        user_data=None,
        config_drive=False,
    )


def _volume() -> SeenVolume:
    return SeenVolume(
        id="volume",
        name=f"trove-{SUBJECT}",
        status="in-use",
        size=1,
        type="t",
        zone="nova",
        servers=frozenset(),
    )


def _port(number: int) -> SeenPort:
    return SeenPort(
        id=f"port-{number}",
        name=f"trove-{SUBJECT}",
        network="n",
        device="",
        addresses=(),
        groups=frozenset(),
    )


WHOLE = Inventory(
    servers=(_server(),),
    volumes=(_volume(),),
    ports=(_port(1), _port(2)),
    groups=(
        SeenGroup(
            id="group", name=f"trove_sg-{SUBJECT}", rules={("tcp", 3306, 3306, "10.0.0.0/8"): "r"}
        ),
    ),
)


def test_a_whole_instance_is_all_right() -> None:
    assert list(wrong(WHOLE, [SUBJECT], EXPECTED)) == []
    assert list(wrong(Inventory(), [SUBJECT], None)) == []


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (replace(WHOLE, servers=()), "lost: "),
        (replace(WHOLE, ports=(_port(1),)), "lost: "),
        (replace(WHOLE, servers=(_server(1), _server(2))), "doubled: "),
        (replace(WHOLE, ports=(_port(1), _port(2), _port(3))), "doubled: "),
        (replace(WHOLE, volumes=(replace(_volume(), size=2),)), "wrong: "),
        (replace(WHOLE, servers=(replace(_server(), status="ERROR"),)), "wrong: "),
        (replace(WHOLE, groups=(replace(WHOLE.group, rules={}),)), "wrong: "),
        (replace(WHOLE, others=("stack",)), "leaked: "),
    ],
)
def test_what_is_not_as_it_must_be_is_told(there: Inventory, said: str) -> None:
    found = list(wrong(there, [SUBJECT], EXPECTED))
    assert len(found) == 1
    assert found[0].startswith(said)


def test_what_a_deleted_instance_leaves_is_leaked() -> None:
    found = list(wrong(replace(WHOLE, servers=(), ports=()), [SUBJECT], None))
    assert [line.partition(":")[0] for line in found] == ["leaked", "leaked"]
