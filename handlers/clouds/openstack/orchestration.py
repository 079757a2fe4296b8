"""Heat: stacks. The only user of python-heatclient.

heatclient knows the paths and bodies of what is written; what it would send goes through our own
`Caller`, so that Heat is called with the same time-outs, faults and metrics as every other service,
and nothing twice. Look-ups, of which there are many, go to the `Caller` directly.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import msgspec
from heatclient.v1.actions import ActionManager  # type: ignore[import-untyped]
from heatclient.v1.stacks import StackManager  # type: ignore[import-untyped]

from handlers.base import Answer, NewStack, StackUpdate
from handlers.clouds.faults import fault_of
from handlers.clouds.openstack import decode, wire
from handlers.clouds.openstack.caller import Caller, Request, chunks
from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.errors import Ambiguous, Reason
from handlers.identity import STACK, resource_name, stack_tags
from handlers.resources import Stack

_GONE = "DELETE_COMPLETE"


class Orchestration:
    """The calls of `Cloud` that go to Heat.

    `no_trusts` says why Keystone may have refused a trust to these credentials, or None.
    """

    def __init__(self, caller: Caller, no_trusts: Callable[[], str | None]) -> None:
        self._caller = caller
        self._no_trusts = no_trusts

    def get(self, ids: Collection[str]) -> tuple[Stack, ...]:
        """One listing for all: Heat takes many ids."""
        return tuple(one for one in self._list("id", ids) if one.id in ids)

    def find(self, subjects: Collection[str]) -> tuple[Stack, ...]:
        found = self.named(map(resource_name, subjects))
        return tuple(one for one in found if one.subject in subjects)

    def named(self, names: Iterable[str]) -> list[Stack]:
        """Those of the credentials' project: an administrator is shown every project's."""
        project = self._caller.project
        found = self._list("name", names, ("tenant", project))
        return [one for one in found if one.project == project]

    def in_full(self, name: str, one: str) -> Stack | None:
        """With its outputs. A deleted stack is none, although Heat still tells of it by id."""
        request = Request(effect=Effect.LOOK, route="/stacks/{id}/{id}", ids=(name, one))
        answer = self._caller.look(wire.OneStack, request)
        if answer is None or answer.stack.stack_status == _GONE:
            return None
        return decode.stack(answer.stack, self._caller.project)

    def create(self, new: NewStack) -> Answer:
        name, tags = resource_name(new.subject), stack_tags(new.subject, new.write)
        made, request_id = self.make(
            name,
            template=new.template,
            environment=new.environment,
            parameters=new.parameters,
            tags=",".join(tags),
            timeout_mins=new.minutes,
        )
        stack = Stack(
            id=made,
            name=name,
            status="CREATE_IN_PROGRESS",  # Heat's answer names the id only
            tags=tags,
            subject=new.subject,
            role=STACK,
            project=self._caller.project,
        )
        return Answer(resources=(stack,), request_id=request_id)

    def make(self, name: str, **fields: Any) -> tuple[str, str | None]:
        """Make a stack, without rollback; gives its id and the request's."""
        heat = _Heat(self._caller, Effect.MAKE)
        try:
            body = StackManager(heat).create(
                stack_name=name, files={}, disable_rollback=True, **fields
            )
        except Ambiguous as fault:
            # the trust is made before the stack, and Heat answers 500 without a text (measured)
            if fault.reason is not Reason.CLOUD_ERROR or not (why := self._no_trusts()):
                raise
            raise fault_of(
                Refusal(
                    service=self._caller.service.value,
                    effect=Effect.MAKE,
                    trouble=Trouble.TRUSTS,
                    text=why,
                    request_id=fault.request_id,
                )
            ) from None
        return str(body["stack"]["id"]), heat.request_id

    def update(self, change: StackUpdate) -> Answer:
        """A PATCH: what is not named stays as it is."""
        heat = _Heat(self._caller, Effect.CHANGE)
        StackManager(heat).update(
            _path(resource_name(change.subject), change.stack),
            existing=True,
            parameters=change.parameters,
            tags=",".join(stack_tags(change.subject, change.write)),
            timeout_mins=change.minutes,
            disable_rollback=True,
        )
        return Answer(request_id=heat.request_id)

    def cancel_update(self, subject: str, stack: str) -> Answer:
        heat = _Heat(self._caller, Effect.CHANGE)
        ActionManager(heat).cancel_without_rollback(_path(resource_name(subject), stack))
        return Answer(request_id=heat.request_id)

    def delete(self, subject: str, stack: str) -> Answer:
        return self.remove(resource_name(subject), stack)

    def remove(self, name: str, stack: str) -> Answer:
        """Delete a stack of any name."""
        heat = _Heat(self._caller, Effect.REMOVE)
        StackManager(heat).delete(_path(name, stack))
        return Answer(request_id=heat.request_id)

    def _list(self, key: str, values: Iterable[str], *filters: tuple[str, str]) -> list[Stack]:
        """What is deleted is left out: for a moment a listing by id still has it."""
        found: list[Stack] = []
        for some in chunks(values):
            params = (*((key, value) for value in some), *filters)
            request = Request(effect=Effect.LOOK, route="/stacks", params=params)
            page = self._caller.look(wire.Stacks, request)
            seen = (one for one in (page.items if page else ()) if one.stack_status != _GONE)
            found += (decode.stack(one, self._caller.project) for one in seen)
        return found


class _Body(msgspec.Struct, frozen=True):
    """An answer, as far as heatclient reads it."""

    said: dict[str, Any]
    content: ClassVar[bytes] = b""
    headers: ClassVar[Mapping[str, str]] = {"content-type": "application/json"}

    def json(self) -> dict[str, Any]:
        return self.said


class _Heat:
    """What heatclient's managers take for their HTTP client, for one call."""

    def __init__(self, caller: Caller, effect: Effect) -> None:
        self.request_id: str | None = None
        self._caller = caller
        self._effect = effect

    def credentials_headers(self) -> dict[str, str]:
        """None: the token says who we are."""
        return {}

    def post(self, url: str, data: Any, headers: Any = None) -> _Body:
        request = self._request("POST", url, data)
        if self._effect is not Effect.MAKE:
            return self._act(request)
        made, self.request_id = self._caller.make(wire.MadeStack, request)
        return _Body({"stack": {"id": made.stack.id}})

    def patch(self, url: str, data: Any, headers: Any = None) -> _Body:
        return self._act(self._request("PATCH", url, data))

    def delete(self, url: str) -> _Body:
        return self._act(self._request("DELETE", url, None))

    def _act(self, request: Request) -> _Body:
        self.request_id = self._caller.act(request)
        return _Body({})

    def _request(self, verb: str, url: str, data: Any) -> Request:
        """`/stacks/NAME/ID/actions`: the second and third part are for the stack alone."""
        _, first, *rest = url.split("/")
        ids, more = rest[:2], rest[2:]
        route = "/".join(("", first, *("{id}" for _ in ids), *more))
        return Request(
            effect=self._effect,
            route=route,
            ids=tuple(map(unquote, ids)),
            body=data,
            verb=verb,
        )


def _path(name: str, stack: str) -> str:
    """How heatclient is told of a stack."""
    return f"{quote(name, safe='')}/{quote(stack, safe='')}"
