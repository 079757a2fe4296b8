"""What only a look at one thing tells, whole listings, and volumes that go with their server."""

import pytest

from handlers.errors import Reason, Terminal
from handlers.identity import ROLE_KEY, SUBJECT_KEY, server_tag
from handlers.resources import Kind, Port, SecurityGroup, Server, Volume
from tests.contract.cloud.adopted import KINDS, Live, live, without
from tests.contract.cloud.bench import NOBODY, Bench
from tests.contract.cloud.stacked import Stacked


def test_look_in_full_tells_the_details_and_all_that_a_listing_tells(bench: Bench) -> None:
    one = live(bench, metadata={"k": "v"}, tags=("red",), config_drive=True)
    for name, told in one.seen().items():
        seen = bench.one(KINDS[name], one.members[name])
        assert without(told, "details") == without(seen, "details")
        assert getattr(seen, "details", None) is None
    _server_is_told(one)
    _rest_is_told(one)


def _server_is_told(one: Live) -> None:
    server = one.bench.cloud.in_full(Kind.SERVER, "", one.server)
    assert isinstance(server, Server)
    details = server.details or {}
    assert (details["image"], details["config_drive"]) == (one.bench.site.image, True)
    assert sorted(details["tags"]) == sorted(["red", server_tag(one.subject)])
    assert details["metadata"] == {"k": "v", SUBJECT_KEY: one.subject, ROLE_KEY: "server"}


def _rest_is_told(one: Live) -> None:
    cloud = one.bench.cloud
    volume = cloud.in_full(Kind.VOLUME, "", one.volume)
    assert isinstance(volume, Volume)
    assert volume.details is not None
    assert volume.details["type"]
    assert volume.details["metadata"] == {SUBJECT_KEY: one.subject, ROLE_KEY: "data"}
    port = cloud.in_full(Kind.PORT, "", one.members["port_user-0"])
    assert isinstance(port, Port)
    assert port.details is not None
    assert port.details["network"] == one.bench.site.network
    (fixed,) = port.details["fixed_ips"]
    assert (fixed["ip_address"],) == port.addresses
    assert fixed["subnet_id"]
    assert port.details["description"].endswith("role=port/user-0")
    group = cloud.in_full(Kind.SECURITY_GROUP, "", one.members["security-group"])
    assert isinstance(group, SecurityGroup)
    assert group.details == {"description": "trove-resources role=security-group"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.STACK])
def test_what_is_not_there_is_told_as_none(bench: Bench, kind: Kind) -> None:
    assert bench.cloud.in_full(kind, "", NOBODY) is None


def test_whole_listing_has_everything_of_the_project(bench: Bench) -> None:
    stacked = Stacked(bench)
    subject = bench.subject()
    stack = stacked.made(stacked.instance(subject))
    found = bench.cloud.stack_members(subject, stack.id)
    for kind, one in {Kind.STACK: stack.id, **{KINDS[name]: found[name] for name in KINDS}}.items():
        every = bench.cloud.every(kind)
        assert len({each.id for each in every}) == len(every)
        assert {each.project for each in every} == {bench.cloud.project}
        (mine,) = (each for each in every if each.id == one)
        assert mine == bench.one(kind, one)


def test_launch_is_counted_anew_by_a_resize_and_by_its_revert(bench: Bench) -> None:
    first = bench.server(bench.subject())
    assert first.launched
    bench.let_a_second_pass()
    bench.cloud.resize_server(first.id, bench.site.other_flavor)
    resized = bench.server_in("VERIFY_RESIZE", first.id)
    assert resized.launched > first.launched
    bench.let_a_second_pass()
    bench.cloud.revert_resize(first.id)
    assert bench.server_in("ACTIVE", first.id).launched > resized.launched


def test_volume_is_doomed_and_saved_while_its_server_runs(bench: Bench) -> None:
    one = live(bench)
    before = one.seen()
    assert _doomed(one) == ()
    assert bench.cloud.doom_volume(one.server, one.volume, doomed=True).request_id
    assert _doomed(one) == (one.volume,)
    bench.cloud.doom_volume(one.server, one.volume, doomed=True)
    assert _doomed(one) == (one.volume,)
    bench.cloud.doom_volume(one.server, one.volume, doomed=False)
    assert one.seen() == before


def test_doomed_volume_goes_with_its_server(bench: Bench) -> None:
    one = live(bench)
    bench.cloud.doom_volume(one.server, one.volume, doomed=True)
    bench.cloud.delete_server(one.server)
    bench.gone(Kind.SERVER, one.server)
    bench.gone(Kind.VOLUME, one.volume)


def test_saved_volume_survives_its_server(bench: Bench) -> None:
    one = live(bench)
    for doomed in (True, False):
        bench.cloud.doom_volume(one.server, one.volume, doomed=doomed)
    bench.cloud.delete_server(one.server)
    bench.gone(Kind.SERVER, one.server)
    assert bench.volume_in("available", one.volume).subject == one.subject


def test_volume_of_another_server_is_not_doomed(bench: Bench) -> None:
    subject = bench.subject()
    server, volume = bench.server(subject), bench.volume(subject)
    for one, other in ((server.id, volume.id), (NOBODY, volume.id)):
        with pytest.raises(Terminal) as caught:
            bench.cloud.doom_volume(one, other, doomed=True)
        assert caught.value.reason is Reason.NOT_FOUND


def test_cloud_that_lacks_nothing_says_so_and_is_left_as_it_was(bench: Bench) -> None:
    before = {one.id for one in bench.cloud.every(Kind.STACK)}
    assert bench.cloud.lacks() == ()
    names = {one.name for one in bench.cloud.every(Kind.STACK) if one.id not in before}
    assert not any(name.startswith("trove-resources-preflight") for name in names)


def _doomed(one: Live) -> tuple[str, ...]:
    server = one.bench.one(Kind.SERVER, one.server)
    assert isinstance(server, Server)
    (listed,) = one.bench.cloud.find(Kind.SERVER, [one.subject])
    assert isinstance(listed, Server)
    assert listed.doomed == server.doomed
    return server.doomed
