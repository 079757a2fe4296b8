"""Heat: stacks. The only user of python-heatclient.

heatclient knows the paths and bodies of what is written; what it would send goes through our own
`Caller`, so that Heat is called with the same time-outs, faults and metrics as every other service,
and nothing twice. Look-ups, of which there are many, go to the `Caller` directly.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from heatclient.v1.actions import ActionManager  # type: ignore[import-untyped]
from heatclient.v1.stacks import StackManager  # type: ignore[import-untyped]

from handlers.base import Answer
from handlers.clouds.faults import fault_of
from handlers.clouds.openstack import decode, wire
from handlers.clouds.openstack.caller import Caller, Request, chunks
from handlers.clouds.openstack.heat_http import Heat, path
from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.errors import Ambiguous, Reason
from handlers.identity import STACK, resource_name, stack_tags
from handlers.orders import NewStack, StackAdoption, StackUpdate
from handlers.resources import Stack

T = TypeVar("T")

_GONE = "DELETE_COMPLETE"
_PAGE = 1000


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

    def in_full(self, name: str, one: str, *, outputs: bool = True) -> Stack | None:
        """With its outputs. A deleted stack is none, although Heat still tells of it by id."""
        request = Request(
            effect=Effect.LOOK,
            route="/stacks/{id}/{id}",
            ids=(name, one),
            params=() if outputs else (("resolve_outputs", "False"),),
        )
        answer = self._caller.look(wire.OneStack, request)
        if answer is None or answer.stack.stack_status == _GONE:
            return None
        return decode.stack(answer.stack, self._caller.project)

    def every(self) -> tuple[Stack, ...]:
        """All of the credentials' project. A marker that Heat does not know begins the listing anew
        (measured): a page without news is the end."""
        mine: dict[str, Stack] = {}
        params: tuple[tuple[str, str], ...] = (
            ("tenant", self._caller.project),
            ("limit", str(_PAGE)),
        )
        marker: tuple[tuple[str, str], ...] = ()
        while True:
            request = Request(effect=Effect.LOOK, route="/stacks", params=(*params, *marker))
            page = self._caller.look(wire.Stacks, request)
            items = page.items if page else []
            news = [one for one in items if one.id not in mine]
            mine.update((one.id, decode.stack(one, self._caller.project)) for one in news)
            if not news or len(items) < _PAGE:
                break
            marker = (("marker", items[-1].id),)
        return tuple(one for one in mine.values() if one.status != _GONE)

    def template(self, subject: str, stack: str) -> Mapping[str, Any] | None:
        return self._part(dict[str, Any], "template", subject, stack)

    def members(self, subject: str, stack: str) -> Mapping[str, str]:
        told = self._part(wire.StackResources, "resources", subject, stack)
        return {
            one.resource_name: one.physical_resource_id or ""
            for one in (told.resources if told else ())
        }

    def create(self, new: NewStack) -> Answer:
        return self._made(
            new, "CREATE_IN_PROGRESS", template=new.template, parameters=new.parameters
        )

    def adopt(self, new: StackAdoption) -> Answer:
        """Template and ids are taken from the data, the environment (and with it what no update may
        do) from the request: the engine reads nothing but the parameters of the data's.

        The answer says what was asked for. What Heat makes of it only a look-up tells.
        """
        data = adoption_data(new.template, new.parameters, new.members)
        return self._made(new, "ADOPT_IN_PROGRESS", adopt_stack_data=data)

    def _made(self, new: NewStack, status: str, **fields: Any) -> Answer:
        """Heat's answer names the id only."""
        name, tags = resource_name(new.subject), stack_tags(new.subject, new.write)
        made, request_id = self.make(
            name,
            environment=new.environment,
            tags=",".join(tags),
            timeout_mins=new.minutes,
            **fields,
        )
        stack = Stack(
            id=made,
            name=name,
            status=status,
            tags=tags,
            subject=new.subject,
            role=STACK,
            project=self._caller.project,
        )
        return Answer(resources=(stack,), request_id=request_id)

    def make(self, name: str, **fields: Any) -> tuple[str, str | None]:
        """Make a stack, without rollback; gives its id and the request's."""
        heat = Heat(self._caller, Effect.MAKE)
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
        heat = Heat(self._caller, Effect.CHANGE)
        at = path(resource_name(change.subject), change.stack)
        StackManager(heat).update(at, existing=True, **_patch(change))
        return Answer(request_id=heat.request_id)

    def preview(self, change: StackUpdate) -> Answer:
        """The client's own call would look the stack up first."""
        request = Request(
            effect=Effect.CHANGE,
            route="/stacks/{id}/{id}/preview",
            ids=(resource_name(change.subject), change.stack),
            body=_patch(change),
            verb="PATCH",
        )
        told, request_id = self._caller.make(wire.Preview, request)
        facts = {
            what: sorted(one.resource_name for one in some)
            for what, some in told.resource_changes.items()
        }
        return Answer(facts=facts, request_id=request_id)

    def check(self, subject: str, stack: str) -> Answer:
        heat = Heat(self._caller, Effect.CHANGE)
        ActionManager(heat).check(path(resource_name(subject), stack))
        return Answer(request_id=heat.request_id)

    def cancel_update(self, subject: str, stack: str) -> Answer:
        heat = Heat(self._caller, Effect.CHANGE)
        ActionManager(heat).cancel_without_rollback(path(resource_name(subject), stack))
        return Answer(request_id=heat.request_id)

    def delete(self, subject: str, stack: str) -> Answer:
        return self.remove(resource_name(subject), stack)

    def remove(self, name: str, stack: str) -> Answer:
        """Delete a stack of any name."""
        heat = Heat(self._caller, Effect.REMOVE)
        StackManager(heat).delete(path(name, stack))
        return Answer(request_id=heat.request_id)

    def _part(self, kind: type[T], part: str, subject: str, stack: str) -> T | None:
        """Heat tells of the parts of a deleted stack by its id for good: None for those too."""
        name = resource_name(subject)
        if self.in_full(name, stack, outputs=False) is None:
            return None
        request = Request(effect=Effect.LOOK, route="/stacks/{id}/{id}/" + part, ids=(name, stack))
        return self._caller.look(kind, request)

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


def adoption_data(
    template: Mapping[str, Any], parameters: Mapping[str, Any], members: Mapping[str, str]
) -> str:
    """`adopt_stack_data`, which Heat takes as text. Of a resource it reads the id alone."""
    data = {
        "template": template,
        "environment": {"parameters": parameters},
        "resources": {name: {"resource_id": one} for name, one in members.items()},
    }
    return msgspec.json.encode(data).decode()


def _patch(change: StackUpdate) -> dict[str, Any]:
    """A PATCH: what is not named stays as it is."""
    template = {} if change.template is None else {"template": change.template}
    return {
        **template,
        "parameters": change.parameters,
        "tags": ",".join(stack_tags(change.subject, change.write)),
        "timeout_mins": change.minutes,
        "disable_rollback": True,
    }
