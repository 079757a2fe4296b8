"""A small cloud with a Heat in virtual time, and short ways to have stacks in it."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any, TypeVar

from msgspec.structs import replace

from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call, Effect, FaultRule
from handlers.clouds.memory.orchestration import StackChange, StackFilters, StackSpec
from handlers.clouds.memory.things import ServerThing, StackResource, StackThing, VolumeThing
from handlers.resources import Service
from tests.support.small_cloud import EXACT, SUBJECT, SmallCloud
from tests.support.stacks import NAME, template

Answered = TypeVar("Answered")

#: Times without a range. The three leaves of an instance's template begin at 0, 1 and 2 seconds.
STEADY = replace(
    EXACT,
    heat_step=(0.1, 0.1),
    heat_leaf=(1.0, 1.0),
    heat_poll=(1.0, 1.0),
    heat_retry=(1.0, 1.0),
    heat_cancel=(5.0, 5.0),
    heat_purge=(0.1, 0.1),
    rule_gap=(0.2, 0.2),
)

VALUES = {"name": NAME, "size": 1, "secret": "xyzzy", "tags": [f"trove_instance_id_{SUBJECT}"]}

ATTACHMENT = {
    "type": "OS::Cinder::VolumeAttachment",
    "properties": {
        "instance_uuid": {"get_resource": "server"},
        "volume_id": {"get_resource": "volume"},
    },
}


class SmallHeat(SmallCloud):
    """`tests.support.stacks` says what the stack is made of."""

    def __init__(self, faults: Iterable[FaultRule] = ()) -> None:
        super().__init__(faults, STEADY)
        self.heat = self.state.orchestration
        self.project = self.state.project

    # -- templates ------------------------------------------------------------------------------

    def document(self, *drop: str, **resources: Mapping[str, Any]) -> dict[str, Any]:
        """The template of an instance, without some resources and with others."""
        made = deepcopy(template(self.network))
        for name in drop:
            del made["resources"][name]
            made["outputs"].pop(name, None)
        made["resources"].update(resources)
        return made

    def unordered(self) -> dict[str, Any]:
        """With an attachment: so server and volume do not wait for one another."""
        made = self.document(attachment=ATTACHMENT)
        del made["resources"]["server"]["properties"]["block_device_mapping_v2"]
        return made

    # -- calls ----------------------------------------------------------------------------------

    def call(self, verb: str, effect: Callable[[Doing], Answered]) -> Answered:
        """A call as anybody makes it."""
        return self.state.gate.call(Call(Service.ORCHESTRATION, verb), effect)

    def spec(self, document: Mapping[str, Any] | None = None, **more: Any) -> StackSpec:
        fields = {"name": NAME, "parameters": VALUES, **more}
        return StackSpec(template=document or self.document(), **fields)

    def begin(self, document: Mapping[str, Any] | None = None, **more: Any) -> StackThing:
        """A stack that is begun."""
        spec = self.spec(document, **more)
        return self.call("create_stack", lambda doing: self.heat.create(doing, self.project, spec))

    def stack(self, document: Mapping[str, Any] | None = None, **more: Any) -> StackThing:
        """A stack that is made."""
        stack = self.begin(document, **more)
        assert self.end(stack) == "CREATE_COMPLETE", stack.reason
        return stack

    def patch(self, stack: StackThing, **parameters: Any) -> None:
        """Other values for some parameters."""
        self.change(stack, StackChange(existing=True, parameters=parameters))

    def change(self, stack: StackThing, change: StackChange) -> None:
        at = self.at(stack)
        self.call("update_stack", lambda doing: self.heat.update(doing, *at, change))

    def patched(self, stack: StackThing, **parameters: Any) -> str:
        """How an update ends."""
        self.patch(stack, **parameters)
        return self.end(stack)

    def delete(self, stack: StackThing) -> None:
        self.call("delete_stack", lambda doing: self.heat.delete(doing, *self.at(stack)))

    def cancel(self, stack: StackThing, *, rollback: bool = False) -> None:
        at = self.at(stack)
        self.call("cancel", lambda doing: self.heat.cancel(doing, *at, rollback=rollback))

    def at(self, stack: StackThing) -> tuple[str, str, str]:
        return self.project, stack.name, stack.id

    def hit(self, verb: str, effect: Effect, times: int | None = 1) -> None:
        """What the next calls of `verb` meet, whoever makes them."""
        self.state.inject(FaultRule(verb=verb, times=times, effect=effect))

    # -- what is seen ---------------------------------------------------------------------------

    def end(self, stack: StackThing, seconds: float = 200) -> str:
        """Action and status when nothing is in progress any more, or after so many seconds."""
        until = self.time + int(seconds * 1_000_000)
        while self.status(stack).endswith("IN_PROGRESS") and self.time < until:
            self.wait(0.1)
        return self.status(stack)

    def status(self, stack: StackThing) -> str:
        """Action and status now."""
        self.listed()
        return f"{stack.action}_{stack.status}"

    def listed(self, **filters: Any) -> list[str]:
        """Names of the stacks in a listing."""
        wanted = StackFilters(**{key: frozenset(each) for key, each in filters.items()})
        found = self.call("find_stack", lambda _: self.heat.list(self.project, wanted))
        return [one.name for one in found]

    def outputs(self, stack: StackThing) -> dict[str, Any]:
        found = self.call("get_stack", lambda _: self.heat.outputs(stack))
        return {each["output_key"]: each["output_value"] for each in found}

    def row(self, stack: StackThing, name: str) -> StackResource:
        return stack.resources[name]

    def server_of(self, stack: StackThing) -> ServerThing:
        return self.state.core.servers[self.row(stack, "server").physical]

    def volume_of(self, stack: StackThing) -> VolumeThing:
        return self.state.core.volumes[self.row(stack, "volume").physical]

    def ids(self, stack: StackThing) -> dict[str, str]:
        """Physical ids by name."""
        return {row.name: row.physical for row in stack.rows}

    def changes(self) -> dict[str, int]:
        """Calls of ours that changed something, by verb: Heat's own are not counted."""
        found = self.state.counts
        return {verb: count for (_, verb), count in found.items() if "stack" not in verb}
