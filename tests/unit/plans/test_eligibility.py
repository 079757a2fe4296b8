"""Whether one instance can be moved: every reason, each by the smallest change that makes it."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.fleet.eligibility import Claims, Judged, Risk, Verdict, Why, judged
from consumer.ledger.fleet import Direction
from handlers.instance import Instance, State
from handlers.keys import SERVER
from handlers.resources import Server, Stack
from tests.unit.plans.planted import Planted, record_of

Change = Callable[[Planted], None]


def changed(name: str, **changes: Any) -> Change:
    return lambda cloud: cloud.change(name, **changes)


def dropped(name: str) -> Change:
    return lambda cloud: cloud.drop(name)


def judge(
    record: Instance, change: Change | None = None, direction: Direction = Direction.ADOPT
) -> Judged:
    cloud = Planted(record)
    if change:
        change(cloud)
    return judged(record, cloud.inventory(), direction, Claims())


IN_THE_CLOUD: list[tuple[Why, Change]] = [
    (Why.SERVER_MISSING, dropped("server-a")),
    (Why.SERVER_ERROR, changed("server-a", status="ERROR", fault="no host")),
    (Why.SERVER_BUSY, changed("server-a", task="resize_prep")),
    (Why.SERVER_STATUS, changed("server-a", status="VERIFY_RESIZE")),
    (Why.FLAVOR_DIFFERS, changed("server-a", flavor="2")),
    (Why.BOOTS_FROM_VOLUME, changed("server-a", details={"image": ""})),
    (Why.OTHER_PROJECT, changed("server-a", project="tenant-1")),
    (Why.OTHER_IDENTITY, changed("server-a", subject="b")),
    (Why.VOLUME_MISSING, dropped("volume-a")),
    (Why.VOLUME_SIZE_DIFFERS, changed("volume-a", size=6)),
    (Why.VOLUME_DETACHED, changed("volume-a", servers=())),
    (Why.VOLUME_ELSEWHERE, changed("volume-a", servers=("server-b",))),
    (Why.VOLUME_ELSEWHERE, changed("volume-a", servers=("server-a", "server-b"))),
    (Why.PORT_MISSING, dropped("port-a")),
    (Why.PORT_UNPLUGGED, changed("port-a", device="")),
    (Why.GROUP_MISSING, dropped("group-a")),
]


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("why", "change"), IN_THE_CLOUD)
def test_what_differs_in_the_cloud_blocks_both_ways(
    why: Why, change: Change, direction: Direction
) -> None:
    record = record_of("a", stack=direction is Direction.RELEASE)

    found = judge(record, change, direction)

    assert (found.verdict, found.reason) == (Verdict.BLOCKED, why)
    assert len(found.message) > 20


RECORDS = [
    (Why.PINNED, record_of("a", pinned=True)),
    (Why.STATE_ERROR, record_of("a", state=State.ERROR)),
    (Why.DELETED, record_of("a", state=State.DELETED)),
    (Why.NOT_AN_INSTANCE, record_of("a", resources={})),
]


@pytest.mark.parametrize(("why", "record"), RECORDS)
def test_what_is_recorded_blocks(why: Why, record: Instance) -> None:
    found = judge(record)

    assert (found.verdict, found.reason) == (Verdict.BLOCKED, why)


STACKS: list[tuple[Why, Change]] = [
    (Why.STACK_MISSING, dropped("stack-a")),
    (Why.STACK_BUSY, changed("stack-a", status="UPDATE_IN_PROGRESS")),
    (Why.STACK_FAILED, changed("stack-a", status="UPDATE_FAILED", reason="no host")),
]


@pytest.mark.parametrize(("why", "change"), STACKS)
def test_a_stack_in_a_bad_state_blocks_the_way_out_of_it(why: Why, change: Change) -> None:
    found = judge(record_of("a", stack=True), change, Direction.RELEASE)

    assert (found.verdict, found.reason) == (Verdict.BLOCKED, why)


def test_a_stack_of_its_name_or_tag_blocks_the_way_in() -> None:
    strange = Stack(id="s", name="trove-a", status="CREATE_COMPLETE", subject="a")

    found = judge(record_of("a"), lambda cloud: cloud.put(strange))

    assert found.reason is Why.STACK_EXISTS
    assert "trove-a (s)" in found.message


@pytest.mark.parametrize("direction", Direction)
def test_what_is_as_recorded_can_be_moved(direction: Direction) -> None:
    found = judge(record_of("a", stack=direction is Direction.RELEASE), direction=direction)

    assert found == Judged(verdict=Verdict.ELIGIBLE)


def test_what_is_there_already_is_not_looked_at() -> None:
    record = record_of("a", stack=True, pinned=True)

    assert judge(record, dropped("server-a")).verdict is Verdict.ALREADY
    assert judge(record_of("a"), None, Direction.RELEASE).verdict is Verdict.ALREADY


def test_what_soaks_is_already_adopted_and_says_what_is_left() -> None:
    found = judge(record_of("a", stack=True, soaking=True))

    assert found.verdict is Verdict.ALREADY
    assert "commit" in found.message


def test_an_operation_or_a_migration_that_has_it_blocks() -> None:
    record = record_of("a")
    found = Planted(record).inventory()

    def why(claims: Claims) -> tuple[Why | None, str]:
        result = judged(record, found, Direction.ADOPT, claims)
        return result.reason, result.message

    assert why(Claims(operations={"b": "op-1"}))[0] is None
    operation, text = why(Claims(operations={"a": "op-1"}))
    assert (operation, "op-1" in text) == (Why.OPERATION_OPEN, True)
    migration, text = why(Claims(migrations={"a": "mig-1"}))
    assert (migration, "mig-1" in text) == (Why.IN_MIGRATION, True)


@pytest.mark.parametrize(
    ("risk", "change"),
    [
        (Risk.EXTRA_VOLUMES, changed("server-a", volumes=("volume-a", "volume-x"))),
        (Risk.DOOMED_VOLUME, changed("server-a", doomed=("volume-a",))),
    ],
)
def test_a_risk_does_not_block(risk: Risk, change: Change) -> None:
    assert judge(record_of("a"), change) == Judged(verdict=Verdict.ELIGIBLE, risks=(risk,))


def test_a_stopped_server_cannot_be_adopted_and_is_a_risk_on_its_way_out() -> None:
    stopped = changed("server-a", status="SHUTOFF")

    assert judge(record_of("a"), stopped).reason is Why.SERVER_STATUS
    out = judge(record_of("a", stack=True), stopped, Direction.RELEASE)
    assert (out.verdict, out.risks) == (Verdict.ELIGIBLE, (Risk.STOPPED,))


def test_a_big_volume_is_a_risk() -> None:
    assert judge(record_of("a", volume_size=100)).risks == (Risk.BIG_VOLUME,)
    assert judge(record_of("a", volume_size=99)).risks == ()


def test_an_instance_without_volume_and_group_can_be_moved() -> None:
    record = record_of("a")
    bare = replace(record, resources={SERVER: record.resources[SERVER]}, volume_size=0)
    server = Server(id="server-a", status="ACTIVE", flavor="1")

    found = judge(bare, lambda cloud: cloud.put(server))

    assert found.verdict is Verdict.ELIGIBLE
