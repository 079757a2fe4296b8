"""The suite finds what is wrong: each broken cloud fails at least one of its tests."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any, cast

import msgspec
import pytest

from handlers.base import Answer, Cloud
from handlers.errors import Ambiguous, Fault, Reason, Retryable, Terminal
from handlers.lacks import Lacks
from handlers.orders import NewStack, Rules, StackAdoption, StackUpdate
from handlers.resources import Kind, Resource, SecurityGroup, Server, Stack
from tests.contract.cloud import (
    test_cloud_adoption,
    test_cloud_details,
    test_cloud_lookups,
    test_cloud_network,
    test_cloud_resizes,
    test_cloud_rights,
    test_cloud_servers,
    test_cloud_stack_updates,
    test_cloud_stacks,
    test_cloud_volumes,
)
from tests.contract.cloud.bench import NOBODY, Bench
from tests.contract.cloud.places import memory

SUITE: tuple[ModuleType, ...] = (
    test_cloud_adoption,
    test_cloud_details,
    test_cloud_lookups,
    test_cloud_network,
    test_cloud_resizes,
    test_cloud_rights,
    test_cloud_servers,
    test_cloud_stack_updates,
    test_cloud_stacks,
    test_cloud_volumes,
)

Broken = dict[str, Callable[..., Any]]


class Replaced:
    """A cloud of which some methods are others."""

    def __init__(self, cloud: Cloud, methods: Broken) -> None:
        self._cloud = cloud
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._cloud, name)


def _each(answered: Callable[[Answer], Answer]) -> Callable[[Cloud], Broken]:
    """A cloud whose every answer to a mutating call is spoiled."""

    def spoil(cloud: Cloud) -> Broken:
        verbs = [name for name in dir(Cloud) if "_" in name and not name.startswith("_")]
        return {verb: partial(_spoiled, getattr(cloud, verb), answered) for verb in verbs}

    return spoil


def _spoiled(
    verb: Callable[..., Any], answered: Callable[[Answer], Answer], *args: Any, **more: Any
) -> Any:
    answer = verb(*args, **more)
    return answered(answer) if isinstance(answer, Answer) else answer


def _faults(wrong: Callable[[Fault], Fault | None]) -> Callable[[Cloud], Broken]:
    """A cloud whose faults are others; None: no fault at all."""

    def spoil(cloud: Cloud) -> Broken:
        verbs = [name for name in dir(Cloud) if "_" in name and not name.startswith("_")]
        return {verb: partial(_misjudged, getattr(cloud, verb), wrong) for verb in verbs}

    return spoil


def _misjudged(
    verb: Callable[..., Answer], wrong: Callable[[Fault], Fault | None], *args: Any, **more: Any
) -> Any:
    try:
        return verb(*args, **more)
    except Fault as fault:
        if other := wrong(fault):
            raise other from None
        return Answer(request_id=fault.request_id)


def _as(kind: type[Fault], instead_of: type[Fault]) -> Callable[[Fault], Fault]:
    def wrong(fault: Fault) -> Fault:
        if not isinstance(fault, instead_of):
            return fault
        return kind(fault.message, fault.reason, service=fault.service, request_id=fault.request_id)

    return wrong


def _one_by_one(cloud: Cloud, new: Rules) -> Answer:
    answer = Answer()
    for rule in new.rules:
        answer = cloud.create_rules(Rules(new.group, (rule,)))
    return answer


def _strict_delete(cloud: Cloud, kind: Kind, verb: str, thing: str) -> Answer:
    if not cloud.get(kind, [thing]):
        raise Terminal("not there", Reason.NOT_FOUND)
    answer: Answer = getattr(cloud, verb)(thing)
    return answer


def _takes_volumes_along(cloud: Cloud, server: str) -> Answer:
    seen = cloud.get(Kind.SERVER, [server])
    answer = cloud.delete_server(server)
    for one in seen:
        for volume in one.volumes if isinstance(one, Server) else ():
            cloud.reset_volume(volume, "error")
    return answer


def _without_role(found: tuple[Resource, ...]) -> tuple[Resource, ...]:
    return tuple(msgspec.structs.replace(one, role=None) for one in found)


def _without_ids(found: tuple[Resource, ...]) -> tuple[Resource, ...]:
    """Rules that cannot be deleted, because nobody knows their ids."""
    return tuple(
        msgspec.structs.replace(one, rules=tuple(rule.wanted for rule in one.rules))
        if isinstance(one, SecurityGroup)
        else one
        for one in found
    )


def _stacks_with(found: tuple[Resource, ...], **fields: Any) -> tuple[Resource, ...]:
    return tuple(
        msgspec.structs.replace(one, **fields) if isinstance(one, Stack) else one for one in found
    )


def _told_of(cloud: Cloud, kind: Kind, name: str, one: str, **fields: Any) -> Resource | None:
    """The stack in full, with some fields replaced."""
    found = cloud.in_full(kind, name, one)
    return _stacks_with((found,), **fields)[0] if found else None


def _created(cloud: Cloud, new: StackAdoption) -> Answer:
    """A second set of resources instead of an adoption."""
    fields = {name: getattr(new, name) for name in NewStack.__struct_fields__}
    return cloud.create_stack(NewStack(**fields))


def _done_too(cloud: Cloud, change: StackUpdate) -> Answer:
    """A preview that is an update as well."""
    answer = cloud.preview_stack(change)
    cloud.update_stack(change)
    return answer


class Remembers:
    """A listing of changes that goes on naming what was deleted."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._seen: dict[str, Resource] = {}

    def changed(self, kind: Kind, since: int) -> tuple[Resource, ...] | None:
        found = self._cloud.changed(kind, since)
        if found is None:
            return None
        self._seen |= {one.id: one for one in found}
        return tuple(one for one in self._seen.values() if one.kind is kind)

    def get(self, kind: Kind, ids: list[str]) -> tuple[Resource, ...]:
        self.changed(kind, 0)
        return self._cloud.get(kind, ids)


BROKEN: dict[str, Callable[[Cloud], Broken]] = {
    "find forgets": lambda cloud: {"find": lambda kind, subjects: ()},
    "find finds one of several": lambda cloud: {"find": lambda k, s: cloud.find(k, s)[:1]},
    "find loses the role": lambda cloud: {"find": lambda k, s: _without_role(cloud.find(k, s))},
    "find takes the first subject only": lambda cloud: {
        "find": lambda k, s: cloud.find(k, list(s)[:1])
    },
    "get forgets": lambda cloud: {"get": lambda kind, ids: ()},
    "get hides the ids of rules": lambda cloud: {
        "get": lambda k, ids: _without_ids(cloud.get(k, ids))
    },
    "changed is never told": lambda cloud: {"changed": lambda kind, since: None},
    "changed forgets": lambda cloud: {
        "changed": lambda kind, since: None if cloud.changed(kind, since) is None else ()
    },
    "changed knows no time": lambda cloud: {"changed": lambda kind, since: cloud.changed(kind, 0)},
    "changed names the deleted": lambda cloud: {
        name: getattr(remembers, name)
        for remembers in [Remembers(cloud)]
        for name in ("changed", "get")
    },
    "rules are made one by one": lambda cloud: {"create_rules": partial(_one_by_one, cloud)},
    "no request id": _each(lambda answer: msgspec.structs.replace(answer, request_id=None)),
    "answers name nothing": _each(lambda answer: msgspec.structs.replace(answer, resources=())),
    "deleting an absent server fails": lambda cloud: {
        "delete_server": partial(_strict_delete, cloud, Kind.SERVER, "delete_server")
    },
    "deleting an absent port fails": lambda cloud: {
        "delete_port": partial(_strict_delete, cloud, Kind.PORT, "delete_port")
    },
    "a server takes its volumes along": lambda cloud: {
        "delete_server": partial(_takes_volumes_along, cloud)
    },
    "stacks have no tags": lambda cloud: {
        "get": lambda k, ids: _stacks_with(cloud.get(k, ids), tags=())
    },
    "stacks tell no outputs": lambda cloud: {
        "in_full": lambda k, name, one: _told_of(cloud, k, name, one, outputs={})
    },
    "stacks give no reason": lambda cloud: {
        "get": lambda k, ids: _stacks_with(cloud.get(k, ids), reason="")
    },
    "stacks never fail": lambda cloud: {
        "get": lambda k, ids: _stacks_with(cloud.get(k, ids), status="UPDATE_COMPLETE")
    },
    "an update loses the parameters": lambda cloud: {
        "update_stack": lambda change: cloud.update_stack(
            msgspec.structs.replace(change, parameters={})
        )
    },
    "an update loses the template": lambda cloud: {
        "update_stack": lambda change: cloud.update_stack(
            msgspec.structs.replace(change, template=None)
        )
    },
    "an adoption loses the belts": lambda cloud: {
        "adopt_stack": lambda new: cloud.adopt_stack(msgspec.structs.replace(new, environment={}))
    },
    "an adoption makes twins": lambda cloud: {"adopt_stack": partial(_created, cloud)},
    "a preview does what it tells": lambda cloud: {"preview_stack": partial(_done_too, cloud)},
    "a check does not look": lambda cloud: {"check_stack": lambda *_: Answer(request_id="x")},
    "stacks tell no members": lambda cloud: {"stack_members": lambda *_: {}},
    "stacks tell no template": lambda cloud: {"stack_template": lambda *_: None},
    "volumes are not doomed": lambda cloud: {
        "doom_volume": lambda *_, **__: Answer(request_id="x")
    },
    "whole listings are cut": lambda cloud: {"every": lambda kind: cloud.every(kind)[:0]},
    "details are kept back": lambda cloud: {
        "in_full": lambda kind, name, one: (
            cloud.in_full(kind, name, one)
            if kind is Kind.STACK
            else next(iter(cloud.get(kind, [one])), None)
        )
    },
    "there is always something lacking": lambda cloud: {
        "lacks": lambda: (Lacks(what="", remedy=""),)
    },
    "repeats look done": _faults(lambda fault: None if isinstance(fault, Ambiguous) else fault),
    "repeats look refused": _faults(_as(Terminal, Ambiguous)),
    "busy looks refused": _faults(_as(Terminal, Retryable)),
    "refused looks busy": _faults(_as(Retryable, Terminal)),
    "refused looks lost": _faults(_as(Ambiguous, Terminal)),
    "faults have no reason": _faults(lambda fault: type(fault)(fault.message)),
}


def _runs() -> Iterator[Callable[[Bench], None]]:
    """Every test of the suite, with each of its parameters."""
    for module in SUITE:
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if not name.startswith("test_"):
                continue
            marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
            if not marks:
                yield test
            for mark in marks:
                argument, values = mark.args
                yield from (partial(test, **{argument: value}) for value in values)


def _passes(run: Callable[[Bench], None], spoil: Callable[[Cloud], Broken]) -> bool:
    place = memory()
    guest, cloud = (cast(Cloud, Replaced(one, spoil(one))) for one in (place.guest, place.cloud))
    try:
        run(Bench(msgspec.structs.replace(place, cloud=cloud, guest=guest)))
    except (Exception, pytest.fail.Exception):
        return False
    return True


@pytest.mark.parametrize("name", BROKEN)
def test_suite_rejects_a_cloud_where(name: str) -> None:
    assert not all(_passes(run, BROKEN[name]) for run in _runs())


def test_suite_accepts_a_cloud_where_nothing_is_replaced() -> None:
    assert all(_passes(run, lambda cloud: {}) for run in _runs())
    assert len(list(_runs())) > 60
    assert memory().cloud.get(Kind.SERVER, [NOBODY]) == ()
