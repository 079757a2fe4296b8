"""Servers of the in-memory cloud: the sequences and refusals measured on Nova 34."""

import msgspec
import pytest

from handlers.clouds.memory.faults import Outcome
from handlers.errors import Ambiguous, Reason, Terminal
from handlers.resources import Kind
from tests.support.small_cloud import SUBJECT, SmallCloud

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def small() -> SmallCloud:
    return SmallCloud()


# -- build ---------------------------------------------------------------------------------------


def test_server_builds_and_takes_its_port_and_volume(small: SmallCloud) -> None:
    port, volume = small.port(), small.volume()
    server = small.server(ports=[port], volumes=[volume])
    assert small.see_volume(volume).status == "reserved"
    assert small.see_port(port).device == ""
    assert small.statuses(Kind.SERVER, server, 3.5) == [
        "BUILD/scheduling",
        "BUILD/spawning",
        "ACTIVE",
    ]
    assert (small.see_port(port).device, small.see_port(port).status) == (server, "ACTIVE")
    assert small.see_volume(volume).servers == (server,)
    assert small.see_volume(volume).status == "in-use"


def test_server_carries_its_identity(small: SmallCloud) -> None:
    server = small.see_server(small.active())
    assert (server.subject, server.role, server.flavor) == (SUBJECT, "server", "1")
    assert server.project == small.cloud.project


def test_failed_build_ends_in_error_with_its_fault_and_frees_what_it_took(
    small: SmallCloud,
) -> None:
    port, volume = small.port(), small.volume()
    small.spoil("create_server", Outcome.ERROR, "Exceeded maximum number of retries.")
    server = small.active(ports=[port], volumes=[volume])
    assert small.see_server(server).status == "ERROR"
    assert small.see_server(server).fault == "Exceeded maximum number of retries."
    assert small.see_port(port).device == ""
    assert small.see_volume(volume).status == "available"


def test_server_without_a_host_fails_before_its_port_is_bound(small: SmallCloud) -> None:
    port = small.port()
    small.spoil("create_server", Outcome.NO_HOST)
    server = small.server(ports=[port])
    assert small.statuses(Kind.SERVER, server, 2) == ["BUILD/scheduling", "ERROR"]


def test_stuck_build_never_changes(small: SmallCloud) -> None:
    small.spoil("create_server", Outcome.STUCK)
    server = small.server()
    small.wait(86_400)
    assert small.see_server(server).status == "BUILD"


def test_flapping_build_is_done_then_back_then_done(small: SmallCloud) -> None:
    small.spoil("create_server", Outcome.FLAP)
    server = small.server()
    small.wait(2.95)
    assert small.statuses(Kind.SERVER, server, 2) == ["BUILD/spawning", "ACTIVE", "BUILD", "ACTIVE"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("flavor", NOBODY), ("image", NOBODY), ("ports", (NOBODY,)), ("volumes", (NOBODY,))],
)
def test_server_of_unknown_things_is_refused_at_once(
    small: SmallCloud, name: str, value: str | tuple[str]
) -> None:
    new = msgspec.structs.replace(small.new_server(), **{name: value})
    with pytest.raises(Terminal) as caught:
        small.cloud.create_server(new)
    assert caught.value.reason is Reason.NOT_FOUND
    assert small.state.inventory() == {}


# -- a port made beforehand is no lock -------------------------------------------------------------


def test_second_server_on_a_bound_port_is_refused(small: SmallCloud) -> None:
    port = small.port()
    small.active(ports=[port])
    with pytest.raises(Ambiguous, match="still in use"):
        small.server(ports=[port])


def test_second_server_inside_the_window_fails_and_takes_the_port_from_the_first(
    small: SmallCloud,
) -> None:
    port = small.port()
    first = small.server(ports=[port])
    small.wait(0.5)
    second = small.server(ports=[port])
    small.wait(3)
    assert small.see_server(first).status == "ACTIVE"
    assert small.see_server(second).status == "ERROR"
    assert (small.see_port(port).device, small.see_port(port).status) == ("", "DOWN")


def test_server_whose_port_went_meanwhile_fails(small: SmallCloud) -> None:
    port = small.port()
    server = small.server(ports=[port])
    small.cloud.delete_port(port)
    small.wait(3)
    assert small.see_server(server).status == "ERROR"
    assert "not found" in (small.see_server(server).fault or "")


@pytest.mark.parametrize("verb", ["resize_server", "confirm_resize", "revert_resize"])
@pytest.mark.parametrize("outcome", [Outcome.STUCK, Outcome.FLAP])
def test_resize_can_hang_and_flap(small: SmallCloud, verb: str, outcome: Outcome) -> None:
    server = small.active()
    small.spoil(verb, outcome)
    small.cloud.resize_server(server, "2")
    small.wait(10)
    if verb != "resize_server":
        (small.cloud.confirm_resize if "confirm" in verb else small.cloud.revert_resize)(server)
        small.wait(10)
    done = "VERIFY_RESIZE" if verb == "resize_server" else "ACTIVE"
    assert (small.see_server(server).status == done) is (outcome is Outcome.FLAP)


# -- delete ----------------------------------------------------------------------------------------


def test_deleted_server_is_listed_as_deleted_for_a_moment_and_its_port_survives(
    small: SmallCloud,
) -> None:
    port, volume = small.port(), small.volume()
    server = small.active(ports=[port], volumes=[volume])
    small.cloud.delete_server(server)
    assert small.statuses(Kind.SERVER, server, 2) == ["ACTIVE/deleting", "DELETED", "gone"]
    assert small.see_port(port).device == ""
    assert small.see_volume(volume).status == "available"


def test_server_deleted_before_it_has_a_host_is_gone_at_once(small: SmallCloud) -> None:
    volume = small.volume()
    server = small.server(volumes=[volume])
    small.cloud.delete_server(server)
    assert not small.has(Kind.SERVER, server)
    assert small.see_volume(volume).status == "available"


def test_server_deleted_while_spawning_looks_active_before_it_goes(small: SmallCloud) -> None:
    server = small.server()
    small.wait(2)
    small.cloud.delete_server(server)
    assert small.statuses(Kind.SERVER, server, 1.5) == [
        "BUILD/deleting",
        "ACTIVE",
        "DELETED",
        "gone",
    ]


def test_deleting_twice_and_deleting_nothing_are_successes(small: SmallCloud) -> None:
    server = small.active()
    for _ in range(2):
        assert small.cloud.delete_server(server).resources == ()
    small.wait(2)
    assert small.cloud.delete_server(server).resources == ()


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome.STUCK, "ACTIVE"), (Outcome.ERROR, "ERROR")]
)
def test_deletion_can_fail_and_hang(small: SmallCloud, outcome: Outcome, status: str) -> None:
    server = small.active()
    small.spoil("delete_server", outcome)
    small.cloud.delete_server(server)
    small.wait(60)
    assert small.see_server(server).status == status
    small.cloud.delete_server(server)
    small.wait(60)
    assert small.has(Kind.SERVER, server) == (outcome is Outcome.STUCK)
