"""One row against the cloud and the ledger: what matches, and everything that may not."""

from typing import Any

import pytest
from msgspec.structs import replace

from consumer.imports.rows import REMEDY, Row, Verdict, Why
from handlers.instance import Instance, Ref, Scope, State
from handlers.resources import Kind, Port, Rule, SecurityGroup, Server, Stack, Volume
from tests.unit.imports.fleet import (
    MYSQL,
    SERVICE,
    TENANT,
    Book,
    Sky,
    compared,
    parts,
    reasons,
    row,
    subject,
)

SCOPE = Scope("trove", "RegionOne", TENANT)


def recorded(n: int, **values: Any) -> Instance:
    """The record that an import of instance n makes."""
    (made,) = compared(Sky(*parts(n)), row(n)).judgements
    assert made.record is not None
    return replace(made.record, **values)


def verdict_of(sky: Sky, one: Row, **more: Any) -> tuple[Verdict, list[Why]]:
    (found,) = compared(sky, one, **more).judgements
    return found.verdict, reasons(found)


# -- what matches ---------------------------------------------------------------------------------


def test_an_instance_as_trove_leaves_it_becomes_a_record_of_natives() -> None:
    (found,) = compared(Sky(*parts(1)), row(1)).judgements

    assert found.verdict is Verdict.NEW
    assert found.record == Instance(
        id=subject(1),
        scope=SCOPE,
        manager="natives",
        resources={
            "server": Ref(Kind.SERVER, "server-1", "server"),
            "volume/data": Ref(Kind.VOLUME, "volume-1", "volume/data"),
            "port/named-0": Ref(Kind.PORT, "port-1-a", "port/named-0"),
            "port/named-1": Ref(Kind.PORT, "port-1-b", "port/named-1"),
            "security-group": Ref(Kind.SECURITY_GROUP, "group-1", "security-group"),
        },
        flavor="2",
        volume_size=5,
        rules=(Rule(MYSQL, "10.0.0.0/8"),),
    )


def test_ports_are_recorded_in_the_order_in_which_they_are_named() -> None:
    named = replace(row(1), ports=("port-1-b", "port-1-a"))

    (found,) = compared(Sky(*parts(1)), named).judgements

    assert found.record is not None
    assert found.record.ids(Kind.PORT) == ("port-1-b", "port-1-a")


def test_values_that_the_source_does_not_know_are_the_cloud_s() -> None:
    (found,) = compared(Sky(*parts(1)), replace(row(1), flavor="", volume_size=0)).judgements

    assert found.record is not None
    assert (found.record.flavor, found.record.volume_size) == ("2", 5)


def test_an_instance_without_a_volume_or_a_group_matches() -> None:
    sky = Sky(*parts(1))
    for one in ("volume-1", "group-1"):
        sky.lose(one)

    (found,) = compared(sky, replace(row(1), volume="", volume_size=0)).judgements

    assert found.verdict is Verdict.NEW
    assert found.record is not None
    assert (found.record.volume_size, found.record.rules) == (0, ())


@pytest.mark.parametrize("one", ["volume-1", "port-1-a"])
def test_what_carries_no_name_is_the_instance_s_when_it_is_attached(one: str) -> None:
    sky = Sky(*parts(1))
    sky.change(one, subject=None)

    assert verdict_of(sky, row(1)) == (Verdict.NEW, [])


def test_resources_may_lie_in_the_instance_s_own_project() -> None:
    sky = Sky(*parts(1))
    sky.change("port-1-a", project=TENANT)

    assert verdict_of(sky, row(1)) == (Verdict.NEW, [])


def test_a_group_is_known_by_the_name_that_old_troves_gave_it() -> None:
    sky = Sky(*parts(1))
    sky.change("group-1", subject=None, name=f"SecGroup_{subject(1)}")

    (found,) = compared(sky, row(1)).judgements

    assert found.record is not None
    assert found.record.ids(Kind.SECURITY_GROUP) == ("group-1",)


def test_a_row_of_another_region_is_elsewhere() -> None:
    assert verdict_of(Sky(), replace(row(1), region="Two")) == (Verdict.ELSEWHERE, [])


# -- what does not --------------------------------------------------------------------------------

ROWS: list[tuple[dict[str, Any], Why]] = [
    ({"project": ""}, Why.INCOMPLETE),
    ({"server": ""}, Why.INCOMPLETE),
    ({"task": 5, "doing": "The instance is building."}, Why.BUSY),
    ({"task": 81, "doing": "Build error: Server."}, Why.FAILED),
    ({"server": "nowhere"}, Why.MISSING),
    ({"volume": "nowhere"}, Why.MISSING),
    ({"ports": ("port-1-a", "port-1-b", "nowhere")}, Why.MISSING),
    ({"security_group": "nowhere"}, Why.MISSING),
    ({"flavor": "3"}, Why.FLAVOR),
    ({"volume_size": 6}, Why.VOLUME_SIZE),
    ({"ports": ("port-1-a",)}, Why.EXTRA),
    ({"volume": ""}, Why.INCOMPLETE),
    ({"volume": "", "volume_size": 0}, Why.EXTRA),
]


@pytest.mark.parametrize(("values", "why"), ROWS)
def test_a_row_that_says_something_else_is_left_out(values: dict[str, Any], why: Why) -> None:
    verdict, whys = verdict_of(Sky(*parts(1)), replace(row(1), **values))

    assert verdict is Verdict.MISMATCH
    assert why in whys


CLOUD: list[tuple[str, dict[str, Any], Why]] = [
    ("server-1", {"status": "ERROR", "fault": "No valid host"}, Why.FAILED),
    ("server-1", {"status": "VERIFY_RESIZE"}, Why.BUSY),
    ("server-1", {"task": "rebooting"}, Why.BUSY),
    ("server-1", {"subject": None}, Why.IDENTITY),
    ("server-1", {"subject": subject(2)}, Why.IDENTITY),
    ("server-1", {"project": "strangers"}, Why.PROJECT),
    ("volume-1", {"status": "error_extending"}, Why.FAILED),
    ("volume-1", {"status": "extending"}, Why.BUSY),
    ("volume-1", {"subject": subject(2)}, Why.IDENTITY),
    ("volume-1", {"servers": ()}, Why.ATTACHMENT),
    ("volume-1", {"servers": ("server-1", "server-9")}, Why.ATTACHMENT),
    ("volume-1", {"project": "strangers"}, Why.PROJECT),
    ("port-1-a", {"subject": subject(2)}, Why.IDENTITY),
    ("port-1-a", {"project": "strangers"}, Why.PROJECT),
    ("port-1-a", {"device": ""}, Why.EXTRA),
    ("group-1", {"project": "strangers"}, Why.PROJECT),
]


@pytest.mark.parametrize(("resource", "values", "why"), CLOUD)
def test_an_instance_that_is_not_as_trove_left_it_is_left_out(
    resource: str, values: dict[str, Any], why: Why
) -> None:
    sky = Sky(*parts(1))
    sky.change(resource, **values)

    assert verdict_of(sky, row(1)) == (Verdict.MISMATCH, [why])


def test_a_named_port_that_is_not_plugged_in_is_left_out() -> None:
    sky = Sky(*parts(1), Port(id="loose", project=SERVICE))
    named = replace(row(1), ports=("port-1-a", "port-1-b", "loose"))

    assert verdict_of(sky, named) == (Verdict.MISMATCH, [Why.ATTACHMENT])


@pytest.mark.parametrize("name", ["default", f"trove_sg-{subject(2)}"])
def test_a_named_group_must_be_the_instance_s(name: str) -> None:
    other = SecurityGroup(id="group-9", name=name, project=SERVICE)
    sky = Sky(*parts(1), other)
    sky.lose("group-1")

    found = verdict_of(sky, replace(row(1), security_group="group-9"))

    assert found == (Verdict.MISMATCH, [Why.IDENTITY])


@pytest.mark.parametrize(
    "double",
    [
        Server(id="double", subject=subject(1), project=SERVICE),
        Volume(id="double", subject=subject(1), project=SERVICE),
        Port(id="double", subject=subject(1), project=SERVICE),
        SecurityGroup(id="double", subject=subject(1), project=SERVICE),
    ],
)
def test_a_double_that_a_deletion_would_take_along_is_told(
    double: Server | Volume | Port | SecurityGroup,
) -> None:
    (found,) = compared(Sky(*parts(1), double), row(1)).judgements

    assert set(reasons(found)) == {Why.EXTRA}
    assert any("double" in each.text for each in found.mismatches)


def test_an_instance_that_a_stack_has_is_left_out() -> None:
    stack = Stack(id="stack-1", name=f"trove-{subject(1)}", subject=subject(1), project=SERVICE)

    assert verdict_of(Sky(*parts(1), stack), row(1)) == (Verdict.MISMATCH, [Why.STACK])


def test_everything_that_does_not_match_is_told_at_once() -> None:
    sky = Sky(*parts(1))
    sky.change("server-1", status="ERROR", flavor="9")
    sky.change("volume-1", size=6)

    assert verdict_of(sky, row(1)) == (
        Verdict.MISMATCH,
        [Why.FAILED, Why.FLAVOR, Why.VOLUME_SIZE],
    )


def test_a_server_without_identity_is_told_with_the_command_that_gives_it_one() -> None:
    sky = Sky(*parts(1))
    sky.change("server-1", subject=None)

    (found,) = compared(sky, row(1)).judgements

    command = f"openstack server set --property trove_instance_id={subject(1)} server-1"
    assert command in found.mismatches[0].text


def test_values_of_the_cloud_are_taken_when_that_is_asked_for() -> None:
    other = replace(row(1), flavor="3", volume_size=6)

    (found,) = compared(Sky(*parts(1)), other, take=True).judgements

    assert found.verdict is Verdict.NEW
    assert found.record is not None
    assert (found.record.flavor, found.record.volume_size) == ("2", 5)
    assert len(found.notes) == 2


def test_taking_the_cloud_s_values_excuses_nothing_else() -> None:
    sky = Sky(*parts(1))
    sky.change("server-1", status="ERROR")

    assert verdict_of(sky, row(1), take=True) == (Verdict.MISMATCH, [Why.FAILED])


# -- what two rows or two records claim -----------------------------------------------------------


def test_rows_that_name_the_same_resource_are_both_left_out() -> None:
    thief = replace(row(2), volume="volume-1")

    found = compared(Sky(*parts(1), *parts(2)), row(1), thief).judgements

    assert all(Why.SHARED in reasons(each) for each in found)


def test_an_instance_in_two_rows_is_left_out_twice() -> None:
    found = compared(Sky(*parts(1)), row(1), row(1)).judgements

    assert all(each.verdict is Verdict.MISMATCH for each in found)


def test_a_row_of_another_region_takes_nothing_from_anybody() -> None:
    twin = replace(row(1), region="Two")

    found = compared(Sky(*parts(1)), row(1), twin).judgements

    assert [each.verdict for each in found] == [Verdict.NEW, Verdict.ELSEWHERE]


def test_what_is_recorded_for_another_instance_cannot_be_imported() -> None:
    owner = recorded(1, id=subject(7))

    verdict, whys = verdict_of(Sky(*parts(1)), row(1), book=Book(owner))

    assert (verdict, set(whys)) == (Verdict.MISMATCH, {Why.SHARED})


def test_what_a_deleted_instance_had_may_be_imported() -> None:
    gone = recorded(1, id=subject(7), state=State.DELETED)

    assert verdict_of(Sky(*parts(1)), row(1), book=Book(gone)) == (Verdict.NEW, [])


# -- what is recorded -----------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{}, {"flavor": "9"}, {"manager": "orchestrator"}])
def test_a_record_of_the_same_ids_is_known_whatever_happened_to_it(values: dict[str, Any]) -> None:
    book = Book(recorded(1, **values))

    assert verdict_of(Sky(*parts(1)), row(1), book=book) == (Verdict.KNOWN, [])


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"server": "server-9"}, Why.RECORDED),
        ({"volume": "volume-9"}, Why.RECORDED),
        ({"ports": ("port-9",)}, Why.RECORDED),
        ({"security_group": "group-9"}, Why.RECORDED),
        ({"project": "strangers"}, Why.RECORDED),
    ],
)
def test_a_record_of_other_ids_is_told(named: dict[str, Any], why: Why) -> None:
    book = Book(recorded(1))

    found = verdict_of(Sky(*parts(1)), replace(row(1), **named), book=book)

    assert found == (Verdict.MISMATCH, [why])


def test_a_record_that_lacks_what_the_row_names_is_known_with_a_note() -> None:
    whole = recorded(1)
    rest = {key: ref for key, ref in whole.resources.items() if ref.kind is not Kind.VOLUME}

    (found,) = compared(Sky(), row(1), book=Book(replace(whole, resources=rest))).judgements

    assert (found.verdict, found.notes) == (Verdict.KNOWN, ("recorded without volume-1",))


def test_a_tombstone_is_told_and_not_brought_back_to_life() -> None:
    book = Book(recorded(1, state=State.DELETED))

    assert verdict_of(Sky(*parts(1)), row(1), book=book) == (Verdict.MISMATCH, [Why.DELETED])


def test_every_reason_has_a_remedy() -> None:
    assert set(REMEDY) == set(Why)
