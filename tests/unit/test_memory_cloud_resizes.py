"""Resizes of the in-memory cloud: flavor and volume, as measured on Nova 34 and Cinder 29."""

import pytest

from handlers.clouds.memory import MemoryCloud
from handlers.clouds.memory.faults import Outcome
from handlers.clouds.memory.refusal import Refusal
from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from handlers.orders import NewVolume
from handlers.resources import Kind
from tests.support.small_cloud import SmallCloud


@pytest.fixture
def small() -> SmallCloud:
    return SmallCloud()


# -- flavor ----------------------------------------------------------------------------------------


def test_resize_waits_for_the_verdict_with_the_new_flavor(small: SmallCloud) -> None:
    server = small.active()
    small.cloud.resize_server(server, "2")
    assert small.statuses(Kind.SERVER, server, 3.5) == [
        "RESIZE/resize_prep",
        "RESIZE/resize_migrating",
        "RESIZE/resize_finish",
        "VERIFY_RESIZE",
    ]
    assert small.see_server(server).flavor == "2"


def test_attached_volume_moves_along_with_a_resize(small: SmallCloud) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume])
    small.cloud.resize_server(server, "2")
    assert small.statuses(Kind.VOLUME, volume, 3.5) == [
        "in-use",
        "reserved",
        "attaching",
        "in-use",
    ]


def test_confirm_shows_after_a_moment_and_only_once(small: SmallCloud) -> None:
    server = small.resized()
    small.cloud.confirm_resize(server)
    assert small.see_server(server).status == "VERIFY_RESIZE"
    with pytest.raises(Ambiguous, match="has not been resized"):
        small.cloud.confirm_resize(server)
    small.wait(1)
    assert (small.see_server(server).status, small.see_server(server).flavor) == ("ACTIVE", "2")
    with pytest.raises(Ambiguous, match="vm_state active"):
        small.cloud.confirm_resize(server)


def test_revert_brings_the_old_flavor_back(small: SmallCloud) -> None:
    server = small.resized()
    small.cloud.revert_resize(server)
    assert small.statuses(Kind.SERVER, server, 2) == ["REVERT_RESIZE/resize_reverting", "ACTIVE"]
    assert small.see_server(server).flavor == "1"


def test_resize_to_the_same_flavor_is_ambiguous_and_to_an_unknown_one_is_refused(
    small: SmallCloud,
) -> None:
    server = small.active()
    with pytest.raises(Ambiguous, match="must change flavor"):
        small.cloud.resize_server(server, "1")
    with pytest.raises(Terminal) as caught:
        small.cloud.resize_server(server, "nope")
    assert caught.value.reason is Reason.NOT_FOUND


def test_second_resize_is_refused_while_one_runs_or_waits(small: SmallCloud) -> None:
    server = small.active()
    small.cloud.resize_server(server, "2")
    for _ in range(2):
        with pytest.raises(Ambiguous, match="Cannot 'resize'"):
            small.cloud.resize_server(server, "3")
        small.wait(3)


def test_failed_resize_leaves_error_with_the_old_flavor_and_can_be_reset(
    small: SmallCloud,
) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume])
    small.spoil("resize_server", Outcome.ERROR, "the host said no")
    small.cloud.resize_server(server, "2")
    small.wait(4)
    seen = small.see_server(server)
    assert (seen.status, seen.flavor, seen.fault) == ("ERROR", "1", "the host said no")
    assert small.see_volume(volume).status == "in-use"
    small.cloud.reset_server(server)
    assert (small.see_server(server).status, small.see_server(server).fault) == ("ACTIVE", None)


def test_a_server_is_in_error_before_its_fault_shows(small: SmallCloud) -> None:
    server = small.active()
    small.spoil("resize_server", Outcome.ERROR, "the host said no")
    small.cloud.resize_server(server, "2")
    looks = []
    for _ in range(100):
        small.wait(0.05)
        seen = small.see_server(server)
        look = (seen.status, seen.task, seen.fault)
        if look not in looks:
            looks.append(look)
    assert looks[-2:] == [("ERROR", "resize_migrating", None), ("ERROR", None, "the host said no")]


def test_resize_without_a_host_goes_back_to_what_it_was(small: SmallCloud) -> None:
    server = small.active()
    small.spoil("resize_server", Outcome.NO_HOST)
    small.cloud.resize_server(server, "2")
    assert small.statuses(Kind.SERVER, server, 4) == ["RESIZE/resize_prep", "ACTIVE"]
    assert small.see_server(server).flavor == "1"


def test_resize_while_the_volume_extends_ends_in_error(small: SmallCloud) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume])
    small.spoil("extend_volume", Outcome.STUCK)
    small.cloud.extend_volume(volume, 2)
    small.cloud.resize_server(server, "2")
    small.wait(4)
    assert small.see_server(server).status == "ERROR"
    assert "extending" in (small.see_server(server).fault or "")


def test_only_an_administrator_sets_a_status(small: SmallCloud) -> None:
    server, volume = small.active(), small.volume()
    tenant = MemoryCloud(small.state, admin=False)
    with pytest.raises(Terminal):
        tenant.reset_server(server)
    with pytest.raises(Terminal):
        tenant.reset_volume(volume, "available")


# -- volume ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("attached", [False, True])
def test_volume_grows_in_use_or_not(small: SmallCloud, attached: bool) -> None:
    volume = small.volume()
    if attached:
        small.active(volumes=[volume])
    before = small.see_volume(volume).status
    small.cloud.extend_volume(volume, 5)
    assert small.see_volume(volume).size == 1
    assert small.statuses(Kind.VOLUME, volume, 1.2) == ["extending", before]
    assert small.see_volume(volume).size == 5


@pytest.mark.parametrize("size", [1, 2])
def test_shrinking_or_staying_is_refused(small: SmallCloud, size: int) -> None:
    volume = small.volume(size=2)
    with pytest.raises(Ambiguous, match="must be greater"):
        small.cloud.extend_volume(volume, size)


def test_second_extend_is_refused_while_one_runs(small: SmallCloud) -> None:
    volume = small.volume()
    small.cloud.extend_volume(volume, 2)
    with pytest.raises(Ambiguous, match="currently extending"):
        small.cloud.extend_volume(volume, 3)


def test_failed_extend_keeps_the_size_and_can_be_reset(small: SmallCloud) -> None:
    volume = small.volume()
    small.spoil("extend_volume", Outcome.ERROR)
    small.cloud.extend_volume(volume, 2)
    small.wait(1)
    assert (small.see_volume(volume).status, small.see_volume(volume).size) == (
        "error_extending",
        1,
    )
    small.cloud.reset_volume(volume, "available")
    assert small.see_volume(volume).status == "available"


def test_extend_that_the_server_did_not_hear_of_shows_in_its_actions_only(
    small: SmallCloud,
) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume])
    small.spoil("extend_volume", Outcome.UNTOLD)
    small.cloud.extend_volume(volume, 2)
    small.wait(1)
    assert (small.see_volume(volume).status, small.see_volume(volume).size) == ("in-use", 2)
    actions = small.state.core.servers[server].actions
    assert (actions[-1].name, actions[-1].message) == ("extend_volume", "Error")


# -- attachments ----------------------------------------------------------------------------------


def test_volume_comes_to_a_living_server_and_goes(small: SmallCloud) -> None:
    server, volume = small.active(), small.volume()
    small.attach(server, volume)
    assert small.statuses(Kind.VOLUME, volume, 1.2) == ["reserved", "in-use"]
    small.detach(server, volume)
    assert small.statuses(Kind.VOLUME, volume, 1.2) == ["detaching", "available"]
    assert small.see_server(server).volumes == ()


@pytest.mark.parametrize(
    ("verb", "status"), [("attach_volume", "reserved"), ("detach_volume", "detaching")]
)
def test_attaching_and_detaching_can_hang(small: SmallCloud, verb: str, status: str) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume] if verb == "detach_volume" else [])
    small.spoil(verb, Outcome.STUCK)
    (small.attach if verb == "attach_volume" else small.detach)(server, volume)
    small.wait(60)
    assert small.see_volume(volume).status == status


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [("attach_volume", "available", "available"), ("detach_volume", "in-use", "in-use")],
)
def test_attaching_and_detaching_can_fail(
    small: SmallCloud, verb: str, before: str, after: str
) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume] if before == "in-use" else [])
    small.spoil(verb, Outcome.ERROR)
    (small.attach if verb == "attach_volume" else small.detach)(server, volume)
    small.wait(1)
    assert small.see_volume(volume).status == after


def test_attached_volume_is_refused_to_another_server(small: SmallCloud) -> None:
    volume = small.volume()
    small.active(volumes=[volume])
    with pytest.raises(Refusal, match="status must be available"):
        small.attach(small.active(), volume)


def test_nothing_is_detached_from_a_server_in_error(small: SmallCloud) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume])
    small.spoil("resize_server", Outcome.ERROR)
    small.cloud.resize_server(server, "2")
    small.wait(4)
    with pytest.raises(Refusal, match="vm_state error"):
        small.detach(server, volume)
    with pytest.raises(Refusal, match="not found"):
        small.detach(server, small.volume())


# -- a volume's life -------------------------------------------------------------------------------


def test_volume_in_error_is_made_by_the_fault_plan(small: SmallCloud) -> None:
    small.spoil("create_volume", Outcome.ERROR)
    assert small.see_volume(small.volume()).status == "error"


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome.STUCK, "deleting"), (Outcome.ERROR, "error_deleting")]
)
def test_deletion_of_a_volume_can_hang_and_fail(
    small: SmallCloud, outcome: Outcome, status: str
) -> None:
    volume = small.volume()
    small.spoil("delete_volume", outcome)
    small.cloud.delete_volume(volume)
    small.wait(60)
    assert small.see_volume(volume).status == status


@pytest.mark.parametrize("outcome", [Outcome.STUCK, Outcome.FLAP])
def test_creation_of_a_volume_can_hang_and_flap(small: SmallCloud, outcome: Outcome) -> None:
    small.spoil("create_volume", outcome)
    volume = small.volume()
    seen = small.statuses(Kind.VOLUME, volume, 3)
    assert seen == (
        ["creating"] if outcome is Outcome.STUCK else ["available", "creating", "available"]
    )


def test_extend_can_flap(small: SmallCloud) -> None:
    volume = small.volume()
    small.spoil("extend_volume", Outcome.FLAP)
    small.cloud.extend_volume(volume, 2)
    small.wait(0.95)
    assert small.statuses(Kind.VOLUME, volume, 2) == [
        "extending",
        "available",
        "extending",
        "available",
    ]


def test_volume_deleted_before_it_is_scheduled_is_gone_at_once(small: SmallCloud) -> None:
    made = small.cloud.create_volume(NewVolume(subject="a", role="volume/data", size=1))
    small.cloud.delete_volume(made.resources[0].id)
    assert not small.has(Kind.VOLUME, made.resources[0].id)


def test_volume_in_use_cannot_be_deleted_until_its_server_is_gone(small: SmallCloud) -> None:
    volume = small.volume()
    server = small.active(volumes=[volume])
    with pytest.raises(Retryable, match="must be available"):
        small.cloud.delete_volume(volume)
    small.cloud.delete_server(server)
    small.wait(1)
    small.cloud.delete_volume(volume)
    assert small.statuses(Kind.VOLUME, volume, 1.2) == ["deleting", "gone"]
    assert small.cloud.delete_volume(volume).resources == ()
