"""Placement: which new subjects become stacks."""

from collections import Counter
from uuid import UUID

import pytest

from consumer.config import Settings
from consumer.config.fleet import Migration
from consumer.wiring import placement_of
from handlers.commands import Body, Command, CreateInstance, CreateSecurityGroup
from handlers.parts import Network
from handlers.placement import Placement, hundredth

ONE = "7f1c6d0e-3b0f-4a53-9a59-6f0f4f6f2d11"


def create(project: str = "p-1", flavor: str = "small") -> CreateInstance:
    return CreateInstance(
        project=project, name="db", flavor=flavor, image="i", networks=(Network(network="n"),)
    )


def engine(placement: Placement, body: Body, subject: str = ONE) -> str:
    return placement.engine(Command(id="c", subject=subject, source="test", body=body))


def test_every_new_instance_becomes_a_stack_unless_said_otherwise() -> None:
    assert engine(Placement(), create()) == "orchestrator"


def test_no_new_instance_becomes_a_stack_at_nought_percent() -> None:
    subjects = [str(UUID(int=n)) for n in range(500)]

    assert {engine(Placement(percent=0), create(), one) for one in subjects} == {"natives"}


def test_the_share_is_about_the_percentage() -> None:
    placement = Placement(percent=30)

    share = Counter(engine(placement, create(), str(UUID(int=n))) for n in range(10_000))

    assert 2_800 < share["orchestrator"] < 3_200


def test_whoever_is_chosen_stays_chosen_when_the_percentage_rises() -> None:
    subjects = [str(UUID(int=n)) for n in range(1_000)]

    def chosen(percent: int) -> set[str]:
        placement = Placement(percent=percent)
        return {one for one in subjects if engine(placement, create(), one) == "orchestrator"}

    assert chosen(10) < chosen(11) < chosen(50) < chosen(100) == set(subjects)


@pytest.mark.parametrize(
    ("subject", "part"), [(ONE, 75), (str(UUID(int=0)), 68), ("group-1", 82), ("", 52)]
)
def test_the_part_that_an_id_falls_into_never_changes(subject: str, part: int) -> None:
    assert hundredth(subject) == part


@pytest.mark.parametrize(
    ("placement", "body", "expected"),
    [
        (Placement(projects=frozenset({"p-1"})), create(), "orchestrator"),
        (Placement(projects=frozenset({"p-2"})), create(), "natives"),
        (Placement(flavors=frozenset({"small"})), create(), "orchestrator"),
        (Placement(flavors=frozenset({"large"})), create(), "natives"),
        (
            Placement(flavors=frozenset({"large"})),
            CreateSecurityGroup(project="p-1", name="g"),
            "orchestrator",
        ),
        (
            Placement(projects=frozenset({"p-2"})),
            CreateSecurityGroup(project="p-1", name="g"),
            "natives",
        ),
        (Placement(percent=0), CreateSecurityGroup(project="p-1", name="g"), "natives"),
    ],
)
def test_only_listed_projects_and_flavors_become_stacks(
    placement: Placement, body: Body, expected: str
) -> None:
    assert engine(placement, body) == expected


def test_the_settings_say_who_becomes_a_stack() -> None:
    given = Migration(new_instances_percent=40, flavors=("small",), projects=("p-1", "p-2"))

    placement = placement_of(Settings(migration=given))

    assert placement == Placement(
        percent=40, flavors=frozenset({"small"}), projects=frozenset({"p-1", "p-2"})
    )


def test_without_settings_everything_new_becomes_a_stack() -> None:
    assert placement_of(Settings()) == Placement()
