"""The real run's own tools: it kills where it should, and sees what it is there to see."""

from pathlib import Path
from threading import Thread

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
    SeenStack,
    SeenVolume,
)
from tests.real.phases import SMALL, Expected
from tests.real.rehearsal import rehearse
from tests.real.report import recoveries
from tests.real.targets import (
    ANYBODY,
    BOUNDARIES,
    END,
    ENDS,
    Crossing,
    Death,
    Minefield,
    Target,
    spread,
)
from tests.real.truth import wrong

SUBJECT = "0c6e2b5e-5e0b-4d0c-9f0e-7d1f0f4b3a10"
OTHER = "1d6e2b5e-5e0b-4d0c-9f0e-7d1f0f4b3a10"
EXPECTED = Expected(flavor="1", size=1, cidrs=("10.0.0.0/8",))


def _operation(subject: str = SUBJECT) -> Operation:
    body = DeleteInstance(project="p")
    command = Command(id=f"command-{subject}", subject=subject, source="test", body=body)
    scope = Scope(cloud="c", region="r", project="p")
    return Operation(
        command=command, scope=scope, accepted=SECOND, opened=SECOND, manager="natives"
    )


@pytest.fixture
def deaths() -> list[str]:
    return []


@pytest.fixture
def minefield(tmp_path: Path, deaths: list[str]) -> Minefield:
    return Minefield(tmp_path, die=lambda: deaths.append("died"))


PLACE = Crossing("natives", "instance.delete", "port/user-0", "after-call")
TARGET = Target(SUBJECT, PLACE)


def test_a_worker_dies_at_its_target_once_and_nowhere_else(
    minefield: Minefield, deaths: list[str]
) -> None:
    minefield.arm([TARGET])
    for boundary in BOUNDARIES:
        minefield.checkpoint(boundary, _operation(OTHER), PLACE.step)
    minefield.checkpoint("before-intent", _operation(), PLACE.step)
    minefield.checkpoint("after-call", replace(_operation(), manager="another"), PLACE.step)
    minefield.checkpoint("after-call", _operation(), "servers")
    assert deaths == []
    for _ in range(2):
        minefield.checkpoint("after-call", _operation(), PLACE.step)
    assert deaths == ["died"]
    assert [death.target for death in minefield.deaths()] == [TARGET]
    assert minefield.waiting() == ()


def test_a_target_that_was_released_is_hit_by_whoever_comes(
    minefield: Minefield, deaths: list[str]
) -> None:
    minefield.arm([TARGET])
    minefield.release(TARGET)
    assert [target.subject for target in minefield.waiting()] == [ANYBODY]
    minefield.checkpoint("after-call", _operation(OTHER), PLACE.step)
    assert deaths == ["died"]
    assert [death.target.subject for death in minefield.deaths()] == [OTHER]


def test_a_target_of_another_round_is_another_one(minefield: Minefield, deaths: list[str]) -> None:
    for _ in range(2):
        minefield.arm([TARGET])
        minefield.checkpoint("after-call", _operation(), PLACE.step)
    assert len(minefield.deaths()) == len(deaths) == 2


def test_a_process_dies_when_the_calls_under_way_whose_end_is_a_target_are_over(
    tmp_path: Path,
) -> None:
    seen: list[set[str]] = []
    mines = Minefield(tmp_path, die=lambda: seen.append({d.target.subject for d in mines.deaths()}))
    other = replace(PLACE, step="servers", boundary="before-intent")
    mines.arm([TARGET, Target(OTHER, other)])
    mines.checkpoint("after-intent", _operation(), PLACE.step)
    dying = Thread(target=mines.checkpoint, args=("before-intent", _operation(OTHER), "servers"))
    dying.start()
    mines.checkpoint("after-call", _operation(), PLACE.step)
    dying.join()
    assert {SUBJECT, OTHER} in seen
    assert {OTHER} not in seen, "nobody dies before the call is over, and has been hit"


def test_targets_are_spread_over_the_subjects() -> None:
    wanted = [replace(PLACE, boundary=boundary) for boundary in BOUNDARIES]
    assert [each.subject for each in spread(wanted, [SUBJECT, OTHER])] == [SUBJECT, OTHER, SUBJECT]


@pytest.mark.parametrize(
    ("manager", "steps"),
    [
        (
            "natives",
            {
                "instance.create": "port/management-0 port/user-0 rules security-group server "
                "volume/data",
                "volume.resize": "extend",
                "instance.resize": "confirm resize",
                "security_group_rules.update": "old-rules rules",
                "instance.delete": "ports security-groups servers volumes",
            },
        ),
        (
            "orchestrator",
            {
                "instance.create": "rules stack",
                "volume.resize": "extend update-size",
                "instance.resize": "update",
                "security_group_rules.update": "old-rules rules",
                "instance.delete": "stack volumes",
            },
        ),
    ],
)
def test_the_whole_run_hits_every_call_of_a_manager_at_every_boundary(
    manager: str, steps: dict[str, str]
) -> None:
    found = {each for crossings in rehearse(manager).values() for each in crossings}
    calls = {(command, step) for command, some in steps.items() for step in some.split()}
    ends = {(command, END) for command in steps}
    assert found == {
        *(Crossing(manager, *call, boundary) for call in calls for boundary in BOUNDARIES),
        *(Crossing(manager, *end, boundary) for end in ends for boundary in ENDS),
    }
    assert {each for each in SMALL if each.manager == manager} <= found


def test_a_recovery_is_read_from_the_timeline() -> None:
    death = Death(replace(TARGET, subject=SUBJECT), at=10 * SECOND)
    op = _operation().note(9 * SECOND, "acted", "servers")
    op = op.note(17 * SECOND, "taken over").note(19 * SECOND, "acted", "servers")
    (found,) = recoveries([death], [op])
    assert (found.taken, found.going) == (7.0, 9.0)


# -- what is in the cloud -------------------------------------------------------------------------


OWNERS = {SUBJECT: "orchestrator"}


def _server(number: int = 1) -> SeenServer:
    return SeenServer(
        id=f"server-{number}",
        name="real-run",
        status="ACTIVE",
        launched="2026-01-02T03:04:05.000000",
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


def _stack(status: str = "UPDATE_COMPLETE") -> SeenStack:
    return SeenStack(id="stack", name=f"trove-{SUBJECT}", status=status, tags=frozenset())


WHOLE = Inventory(
    stacks=(_stack(),),
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
    assert list(wrong(WHOLE, OWNERS, EXPECTED)) == []
    assert list(wrong(replace(WHOLE, stacks=()), {SUBJECT: "natives"}, EXPECTED)) == []
    assert list(wrong(Inventory(), OWNERS, None)) == []


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
        (replace(WHOLE, stacks=()), "lost: "),
        (replace(WHOLE, stacks=(_stack("UPDATE_FAILED"),)), "wrong: "),
        (replace(WHOLE, others=("server group",)), "leaked: "),
    ],
)
def test_what_is_not_as_it_must_be_is_told(there: Inventory, said: str) -> None:
    found = list(wrong(there, OWNERS, EXPECTED))
    assert len(found) == 1
    assert found[0].startswith(said)


def test_what_a_deleted_instance_leaves_is_leaked() -> None:
    found = list(wrong(replace(WHOLE, servers=(), ports=()), OWNERS, None))
    assert [line.partition(":")[0] for line in found] == ["leaked", "leaked", "leaked"]
