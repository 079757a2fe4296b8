"""Looking: by id, by identity, by change; and deleting what is not there."""

import uuid
from collections.abc import Callable

import pytest

from handlers.base import Answer, Cloud
from handlers.resources import Kind
from tests.contract.cloud.bench import NOBODY, Bench


@pytest.mark.parametrize("kind", Kind)
def test_what_was_never_there_is_not_found(bench: Bench, kind: Kind) -> None:
    assert bench.cloud.get(kind, [NOBODY]) == ()
    assert bench.cloud.find(kind, [NOBODY]) == ()


@pytest.mark.parametrize("kind", Kind)
def test_asked_for_nothing_nothing_is_found(bench: Bench, kind: Kind) -> None:
    assert bench.cloud.get(kind, []) == ()
    assert bench.cloud.find(kind, []) == ()


def test_only_what_is_there_is_got_of_several_ids(bench: Bench) -> None:
    ports = {bench.port(bench.subject()), bench.port(bench.subject())}
    assert {port.id for port in bench.cloud.get(Kind.PORT, [NOBODY, *ports])} == ports


@pytest.mark.parametrize("kind", Kind)
def test_many_are_asked_for_at_once(bench: Bench, kind: Kind) -> None:
    """More names than fit into one URL."""
    many = [str(uuid.uuid4()) for _ in range(130 if kind is not Kind.VOLUME else 3)]
    mine = bench.subject()
    group = bench.group(mine)
    found = bench.cloud.find(kind, [*many, mine])
    assert [one.id for one in found] == ([group] if kind is Kind.SECURITY_GROUP else [])


@pytest.mark.parametrize("kind", [Kind.PORT, Kind.SECURITY_GROUP])
def test_network_has_no_listing_of_changes(bench: Bench, kind: Kind) -> None:
    assert bench.cloud.changed(kind, bench.place.now()) is None


@pytest.mark.parametrize("kind", [Kind.SERVER, Kind.VOLUME])
def test_nothing_has_changed_in_the_future(bench: Bench, kind: Kind) -> None:
    bench.volume(bench.subject())
    changed = bench.cloud.changed(kind, bench.place.now() + 3_600_000_000) or ()
    # Nova lists a server that is not scheduled yet whatever the filter says (measured on Nova 34)
    assert [one for one in changed if getattr(one, "task", None) != "scheduling"] == []


_DELETES: dict[str, Callable[[Cloud], Answer]] = {
    "server": lambda cloud: cloud.delete_server(NOBODY),
    "volume": lambda cloud: cloud.delete_volume(NOBODY),
    "port": lambda cloud: cloud.delete_port(NOBODY),
    "security_group": lambda cloud: cloud.delete_security_group(NOBODY),
    "rule": lambda cloud: cloud.delete_rule(NOBODY),
}


@pytest.mark.parametrize("kind", _DELETES)
def test_deleting_what_is_not_there_is_success(bench: Bench, kind: str) -> None:
    assert _DELETES[kind](bench.cloud).request_id
