"""Flavor resizes: begun, confirmed, reverted, failed, and called twice."""

from collections.abc import Callable

import pytest

from handlers.base import Answer, Cloud
from handlers.errors import Ambiguous, Reason, Terminal
from handlers.resources import Kind
from tests.contract.cloud.bench import NOBODY, Bench


def test_confirmed_resize_changes_the_flavor_and_repeats_do_no_harm(bench: Bench) -> None:
    subject, other = bench.subject(), bench.site.other_flavor
    volume = bench.volume(subject)
    server = bench.server(subject, volumes=(volume.id,))
    since = bench.place.now()
    assert bench.cloud.resize_server(server.id, other).request_id
    with pytest.raises(Ambiguous):
        bench.cloud.resize_server(server.id, other)
    assert bench.server_in("VERIFY_RESIZE", server.id).flavor == other
    assert server.id in [one.id for one in bench.cloud.changed(Kind.SERVER, since) or ()]
    with pytest.raises(Ambiguous):
        bench.cloud.resize_server(server.id, other)
    assert bench.cloud.confirm_resize(server.id).request_id
    with pytest.raises(Ambiguous):
        bench.cloud.confirm_resize(server.id)
    assert bench.server_in("ACTIVE", server.id).flavor == other
    for repeat in (bench.cloud.confirm_resize, bench.cloud.revert_resize):
        with pytest.raises(Ambiguous):
            repeat(server.id)
    with pytest.raises(Ambiguous):
        bench.cloud.resize_server(server.id, other)
    assert bench.volume_in("in-use", volume.id).servers == (server.id,)


def test_reverted_resize_brings_the_flavor_back(bench: Bench) -> None:
    server = bench.server(bench.subject())
    bench.cloud.resize_server(server.id, bench.site.other_flavor)
    bench.server_in("VERIFY_RESIZE", server.id)
    assert bench.cloud.revert_resize(server.id).request_id
    assert bench.server_in("ACTIVE", server.id).flavor == server.flavor


def test_failed_resize_says_why_and_the_server_is_set_active_by_hand(bench: Bench) -> None:
    server = bench.server(bench.subject(), metadata=bench.place.breaks_resize())
    bench.cloud.resize_server(server.id, bench.site.other_flavor)
    broken = bench.server_in("ERROR", server.id)
    assert broken.fault
    assert broken.flavor == server.flavor
    assert bench.cloud.reset_server(server.id).request_id
    assert bench.server_in("ACTIVE", server.id).flavor == server.flavor


def test_resize_to_an_unknown_flavor_is_refused(bench: Bench) -> None:
    server = bench.server(bench.subject())
    with pytest.raises(Terminal) as caught:
        bench.cloud.resize_server(server.id, "nobody-has-this")
    assert caught.value.reason is Reason.NOT_FOUND
    assert bench.server_in("ACTIVE", server.id).flavor == server.flavor


_VERBS: dict[str, Callable[[Cloud], Answer]] = {
    "resize": lambda cloud: cloud.resize_server(NOBODY, "1"),
    "confirm": lambda cloud: cloud.confirm_resize(NOBODY),
    "revert": lambda cloud: cloud.revert_resize(NOBODY),
    "reset": lambda cloud: cloud.reset_server(NOBODY),
}


@pytest.mark.parametrize("verb", _VERBS)
def test_no_verb_works_on_a_server_that_is_not_there(bench: Bench, verb: str) -> None:
    with pytest.raises(Terminal) as caught:
        _VERBS[verb](bench.cloud)
    assert caught.value.reason is Reason.NOT_FOUND
