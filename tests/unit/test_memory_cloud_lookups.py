"""Look-ups of the in-memory cloud: delta listings, list lag, and how many calls they are."""

import threading

import pytest

from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds, Times
from handlers.errors import Reason, Terminal
from handlers.instance import Scope
from handlers.operation import SECOND
from handlers.orders import NewVolume
from handlers.resources import Kind, Service
from tests.support.small_cloud import OTHER, SUBJECT, SmallCloud


@pytest.fixture
def small() -> SmallCloud:
    return SmallCloud()


def changed(small: SmallCloud, kind: Kind, since: int) -> list[str]:
    found = small.cloud.changed(kind, since)
    assert found is not None
    return [one.id for one in found]


def test_changed_servers_are_listed_but_not_deleted_ones(small: SmallCloud) -> None:
    server = small.active()
    assert changed(small, Kind.SERVER, small.time) == [server]
    small.wait(10)
    assert changed(small, Kind.SERVER, small.time) == []
    small.cloud.delete_server(server)
    assert changed(small, Kind.SERVER, small.time) == [server]
    small.wait(5)
    assert changed(small, Kind.SERVER, small.time - 5 * SECOND) == []


def test_new_volume_is_not_in_the_delta_until_it_is_available(small: SmallCloud) -> None:
    since = small.time
    new = NewVolume(subject=SUBJECT, role="volume/data", size=1)
    volume = small.cloud.create_volume(new).resources[0].id
    assert changed(small, Kind.VOLUME, since) == []
    small.wait(1)
    assert changed(small, Kind.VOLUME, since) == [volume]


def test_attaching_does_not_show_in_changes_of_servers(small: SmallCloud) -> None:
    server, volume = small.active(), small.volume()
    small.wait(10)
    since = small.time
    small.attach(server, volume)
    small.wait(1)
    assert changed(small, Kind.SERVER, since) == []
    assert changed(small, Kind.VOLUME, since) == [volume]


def test_delta_is_counted_in_whole_seconds(small: SmallCloud) -> None:
    server = small.active()
    small.wait(0.9)
    assert changed(small, Kind.SERVER, small.time) == [server]


@pytest.mark.parametrize("kind", [Kind.PORT, Kind.SECURITY_GROUP])
def test_network_has_no_delta(small: SmallCloud, kind: Kind) -> None:
    assert small.cloud.changed(kind, 0) is None


def test_new_thing_lags_in_listings_but_can_be_had_by_its_id() -> None:
    small = SmallCloud(times=Times(list_lag=(2.0, 2.0)))
    port = small.port()
    assert small.cloud.find(Kind.PORT, [SUBJECT]) == ()
    assert small.see_port(port).id == port
    small.wait(2)
    assert [one.id for one in small.cloud.find(Kind.PORT, [SUBJECT])] == [port]


def test_find_gives_all_matches_of_the_subjects_only(small: SmallCloud) -> None:
    one, two, other = small.port(), small.port(), small.port(OTHER)
    assert {each.id for each in small.cloud.find(Kind.PORT, [SUBJECT])} == {one, two}
    assert {each.id for each in small.cloud.find(Kind.PORT, [OTHER])} == {other}
    assert small.cloud.find(Kind.PORT, []) == ()


def test_other_projects_are_seen_by_id_only(small: SmallCloud) -> None:
    port = small.port()
    other = MemoryCloud(small.state, project="somebody else")
    assert other.find(Kind.PORT, [SUBJECT]) == ()
    assert other.get(Kind.PORT, [port])[0].project == small.cloud.project


def test_calls_are_counted_as_requests_would_be(small: SmallCloud) -> None:
    small.cloud.get(Kind.SERVER, ["a", "b", "b"])
    small.cloud.get(Kind.PORT, ["a", "b"])
    small.cloud.find(Kind.VOLUME, ["a", "b"])
    small.cloud.find(Kind.SERVER, ["a", "b"])
    assert small.state.counts == {
        (Service.COMPUTE, "get_server"): 2,
        (Service.NETWORK, "get_port"): 1,
        (Service.BLOCK_STORAGE, "find_volume"): 2,
        (Service.COMPUTE, "find_server"): 1,
    }


def test_same_seed_and_calls_give_the_same_cloud() -> None:
    def play() -> list[object]:
        small = SmallCloud(times=Times(), seed=7)
        server = small.server(ports=[small.port()], volumes=[small.volume()])
        return [server, small.statuses(Kind.SERVER, server, 5), small.state.inventory()]

    assert play() == play()


def test_state_says_when_something_happens_next(small: SmallCloud) -> None:
    assert small.state.next_due is None
    small.server()
    assert small.state.next_due == small.time + SECOND


def test_clouds_are_found_by_name_and_unknown_ones_are_refused(small: SmallCloud) -> None:
    clouds = MemoryClouds({"one": small.cloud})
    assert clouds.of(Scope("one", "r", "p")) is small.cloud
    with pytest.raises(Terminal) as caught:
        clouds.of(Scope("two", "r", "p"))
    assert caught.value.reason is Reason.INVALID
    assert MemoryClouds({"": small.cloud}).of(Scope("two", "r", "p")) is small.cloud


def test_threads_may_share_a_state() -> None:
    state = CloudState(times=Times(server_bind=(0.0, 0.0), server_build=(0.0, 0.0)))
    cloud = MemoryCloud(state)

    def work() -> None:
        for _ in range(50):
            group = cloud.create_security_group(SUBJECT, "security-group", "").resources[0].id
            cloud.find(Kind.SECURITY_GROUP, [SUBJECT])
            cloud.delete_security_group(group)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.inventory() == {}
    assert len({one.id for one in state.audit.made}) == 200
