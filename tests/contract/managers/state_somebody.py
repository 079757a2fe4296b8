"""`Somebody` and what Heat stores, on a state."""

from collections.abc import Callable

from handlers.clouds.memory import CloudState
from handlers.clouds.memory.doing import Doing
from handlers.clouds.memory.faults import Call
from handlers.clouds.memory.orchestration import StackChange, StackSpec
from handlers.clouds.memory.things import StackThing
from handlers.resources import Service
from tests.contract.managers.inventory import SeenStack, Stored
from tests.contract.managers.somebody import THEIRS, resolved, retained_by

#: Seconds that each of these things may take, and between two looks.
_PATIENCE, _LOOK = 120.0, 0.5


class StateSomebody:
    """Another user of the project; `sleep` lets the time pass that things take."""

    def __init__(self, state: CloudState, sleep: Callable[[float], None]) -> None:
        self._state = state
        self._sleep = sleep

    def deletes_server(self, server: str) -> None:
        self._do(Service.COMPUTE, lambda doing: self._state.compute.delete(doing, server))
        self._until(lambda: server not in self._state.core.servers)

    def resizes_server(self, server: str, flavor: str) -> None:
        compute, servers = self._state.compute, self._state.core.servers
        self._do(Service.COMPUTE, lambda doing: compute.resize(doing, server, flavor))
        self._until(lambda: servers[server].status == "VERIFY_RESIZE")
        self._do(Service.COMPUTE, lambda doing: compute.confirm(doing, server))
        self._until(lambda: servers[server].status == "ACTIVE")

    def extends_volume(self, volume: str, size: int) -> None:
        storage, volumes = self._state.storage, self._state.core.volumes
        self._do(Service.BLOCK_STORAGE, lambda doing: storage.extend(doing, volume, size))
        self._until(lambda: volumes[volume].status == "in-use")

    def makes_stack(self, name: str) -> str:
        made: list[StackThing] = []
        spec = StackSpec(name=name, template=THEIRS)
        create, project = self._state.orchestration.create, self._state.project
        self._do(Service.ORCHESTRATION, lambda doing: made.append(create(doing, project, spec)))
        self._until(lambda: made[0].status != "IN_PROGRESS")
        return made[0].id

    def begins_update(self, stack: SeenStack, **parameters: str) -> None:
        change = StackChange(parameters=parameters, existing=True)
        heat, project = self._state.orchestration, self._state.project
        self._do(
            Service.ORCHESTRATION,
            lambda doing: heat.update(doing, project, stack.name, stack.id, change),
        )

    def updates_stack(self, stack: SeenStack, **parameters: str) -> str:
        self.begins_update(stack, **parameters)
        thing = self._state.core.stacks[stack.id]
        self._until(lambda: thing.status != "IN_PROGRESS")
        return f"{thing.action}_{thing.status}"

    def deletes_stack(self, stack: SeenStack) -> None:
        heat, project = self._state.orchestration, self._state.project
        self._do(
            Service.ORCHESTRATION,
            lambda doing: heat.delete(doing, project, stack.name, stack.id),
        )
        self._until(lambda: stack.id not in self._state.core.stacks)

    def abandons_stack(self, stack: SeenStack) -> None:
        heat, project = self._state.orchestration, self._state.project
        self._do(
            Service.ORCHESTRATION,
            lambda doing: heat.abandon(doing, project, stack.name, stack.id),
        )
        self._until(lambda: stack.id not in self._state.core.stacks)

    def _do(self, service: Service, what: Callable[[Doing], object]) -> None:
        self._state.gate.call(Call(service, "done_by_somebody"), what)

    def _until(self, holds: Callable[[], bool]) -> None:
        core, waited = self._state.core, 0.0
        while True:
            with core.lock:
                core.advance()
                if holds():
                    return
            assert waited < _PATIENCE, "what somebody else began did not come to its end"
            self._sleep(_LOOK)
            waited += _LOOK


def stored_of(state: CloudState, stack: SeenStack) -> Stored:
    """The stack's parameters, and a preview of an update that changes nothing."""
    core, heat = state.core, state.orchestration
    with core.lock:
        core.advance()
        thing = core.stacks[stack.id]
        ids = {row.name: row.physical for row in heat.resources(thing)}
        doing = Doing(Call(Service.ORCHESTRATION, "previewed_by_somebody"), "req-preview")
        same = StackChange(template=resolved(thing.template, ids), existing=True)
        preview = heat.preview_update(doing, state.project, stack.name, stack.id, same)
        kept = heat.parameters(thing)
        retained = retained_by(thing.template)
    return Stored(
        parameters=kept,
        members=ids,
        retained=retained,
        replaced=frozenset(preview["replaced"]),
        added=frozenset(preview["added"]),
        deleted=frozenset(preview["deleted"]),
    )
