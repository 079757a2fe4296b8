"""Servers: made, found, deleted."""

import pytest

from handlers.errors import Ambiguous, Reason, Retryable, Terminal
from handlers.resources import Kind, Port, Server
from tests.contract.cloud.bench import NOBODY, Bench, only


def test_new_server_is_answered_and_found_at_once(bench: Bench) -> None:
    subject = bench.subject()
    answer = bench.cloud.create_server(bench.order(subject))
    server = only(answer, Server)
    assert (server.subject, server.role, server.status) == (subject, "server", "BUILD")
    assert answer.request_id
    (found,) = bench.cloud.find(Kind.SERVER, [subject])
    assert (found.id, found.subject, found.role) == (server.id, subject, "server")
    assert bench.one(Kind.SERVER, server.id) is not None


def test_server_with_everything_becomes_active(bench: Bench) -> None:
    subject, since = bench.subject(), bench.place.now()
    port, volume = bench.port(subject), bench.volume(subject)
    order = {"user_data": "#!/bin/sh\necho '€'\n", "config_drive": True, "tags": ("blue",)}
    server = bench.server(
        subject, ports=(port,), volumes=(volume.id,), metadata={"color": "blue"}, **order
    )
    assert (server.flavor, server.fault) == (bench.site.flavor, None)
    assert (server.volumes, server.project) == ((volume.id,), bench.cloud.project)
    assert bench.volume_in("in-use", volume.id).servers == (server.id,)
    plugged = bench.one(Kind.PORT, port)
    assert isinstance(plugged, Port)
    assert (plugged.device, plugged.status) == (server.id, "ACTIVE")
    changed = bench.cloud.changed(Kind.SERVER, since) or ()
    assert [one.status for one in changed if one.id == server.id] == ["ACTIVE"]


def test_deleting_a_server_spares_its_volume_and_port(bench: Bench) -> None:
    subject, since = bench.subject(), bench.place.now()
    port, volume = bench.port(subject), bench.volume(subject)
    server = bench.server(subject, ports=(port,), volumes=(volume.id,))
    with pytest.raises(Retryable):
        bench.cloud.delete_volume(volume.id)
    assert bench.cloud.delete_server(server.id).request_id
    bench.cloud.delete_server(server.id)
    assert bench.gone(Kind.SERVER, server.id)
    bench.cloud.delete_server(server.id)
    assert bench.cloud.find(Kind.SERVER, [subject]) == ()
    assert server.id not in [one.id for one in bench.cloud.changed(Kind.SERVER, since) or ()]
    assert bench.volume_in("available", volume.id).servers == ()
    free = bench.one(Kind.PORT, port)
    assert isinstance(free, Port)
    assert (free.device, free.status) == ("", "DOWN")


def test_server_deleted_while_it_is_built_is_gone(bench: Bench) -> None:
    subject = bench.subject()
    server = only(bench.cloud.create_server(bench.order(subject)), Server)
    bench.cloud.delete_server(server.id)
    assert bench.gone(Kind.SERVER, server.id)
    assert bench.until(lambda: bench.cloud.find(Kind.SERVER, [subject]) == ())


def test_second_server_on_the_same_port_may_be_our_own(bench: Bench) -> None:
    subject = bench.subject()
    port = bench.port(subject)
    bench.server(subject, ports=(port,))
    with pytest.raises(Ambiguous):
        bench.cloud.create_server(bench.order(subject, ports=(port,)))
    assert len(bench.cloud.find(Kind.SERVER, [subject])) == 1


def test_second_server_with_the_same_volume_may_be_our_own(bench: Bench) -> None:
    subject = bench.subject()
    volume = bench.volume(subject)
    bench.server(subject, volumes=(volume.id,))
    with pytest.raises(Ambiguous):
        bench.cloud.create_server(bench.order(subject, volumes=(volume.id,)))
    assert len(bench.cloud.find(Kind.SERVER, [subject])) == 1


@pytest.mark.parametrize("wrong", ["flavor", "image", "port", "volume"])
def test_server_of_something_that_is_not_there_is_refused(bench: Bench, wrong: str) -> None:
    subject = bench.subject()
    more: dict[str, object] = {wrong: NOBODY}
    if wrong in ("port", "volume"):
        more = {wrong + "s": (NOBODY,)}
    with pytest.raises(Terminal) as caught:
        bench.cloud.create_server(bench.order(subject, **more))
    assert caught.value.reason is Reason.NOT_FOUND
    assert caught.value.service == "compute"
    assert caught.value.request_id
    assert bench.cloud.find(Kind.SERVER, [subject]) == ()


def test_server_in_an_unknown_zone_is_refused(bench: Bench) -> None:
    with pytest.raises(Terminal) as caught:
        bench.cloud.create_server(bench.order(bench.subject(), zone="nobody-has-this"))
    assert caught.value.reason is Reason.REFUSED
