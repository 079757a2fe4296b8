"""Whether instances that change hands are one manager's or the other's, and unharmed."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from consumer.ledger.base import Ledger
from handlers.identity import resource_name
from handlers.instance import Instance
from handlers.keys import STACK, VOLUME
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.template import name_of
from tests.contract.managers.inventory import SeenStack
from tests.contract.managers.project import HttpProject
from tests.real.traits import LASTING, Traits, changes, look


class Standing:
    """Compares instances with what they were when `note` was called last.

    `doomed` are those whose volume Nova is to delete with the server while they are native.
    """

    def __init__(self, project: HttpProject, ledger: Ledger, doomed: Collection[str]) -> None:
        self._project = project
        self._ledger = ledger
        self._doomed = doomed
        self.traits: dict[str, Traits] = {}

    def note(self, subjects: Collection[str]) -> Iterator[str]:
        """Remember how they are now; tells of those that are not whole."""
        now = look(self._project, subjects)
        for subject, traits in now.items():
            if len(traits.server) != 1 or len(traits.volumes) != 1 or len(traits.groups) != 1:
                yield f"{subject} is not whole: {traits}"
            if (before := self.traits.get(subject)) is not None:
                yield from (f"{subject}: {text}" for text in changes(before, traits, LASTING))
        self.traits |= now

    def wrong(self, managers: Mapping[str, str], but: Collection[str] = ()) -> Iterator[str]:
        """What was changed of these instances but the traits `but`, and what is not as it must be
        for the manager that each is said to belong to."""
        now = look(self._project, managers)
        stacks: dict[str, list[SeenStack]] = {}
        for stack in self._project.stacks():
            stacks.setdefault(stack.name, []).append(stack)
        fields = [each for each in Traits.__struct_fields__ if each not in {*but, "doomed"}]
        for subject, manager in managers.items():
            told = [*changes(self.traits[subject], now[subject], fields)]
            told += self._ownership(subject, manager, stacks.get(resource_name(subject), []))
            doomed = now[subject].volumes if self._is_doomed(subject, manager) else ()
            if now[subject].doomed != doomed:
                told.append(f"Nova would delete {now[subject].doomed} with it, not {doomed}")
            yield from (f"{subject} of {manager}: {text}" for text in told)

    def _is_doomed(self, subject: str, manager: str) -> bool:
        return subject in self._doomed and manager != ORCHESTRATOR

    def _ownership(self, subject: str, manager: str, stacks: list[SeenStack]) -> Iterator[str]:
        record = self._ledger.instance(subject)
        if record is None or record.manager != manager or record.soaking:
            yield f"between: the record says {record}"
            return
        if manager != ORCHESTRATOR:
            if stacks or STACK in record.resources:
                yield f"between: there is a stack, {stacks}, of {record.resources}"
            return
        if [each.id for each in stacks] != [record.resources[STACK].id]:
            yield f"between: its stacks are {stacks}, recorded is {record.resources[STACK].id}"
            return
        yield from self._content(record, stacks[0])

    def _content(self, record: Instance, stack: SeenStack) -> Iterator[str]:
        """A stack that holds exactly what is recorded, and retains nothing but the volume."""
        if not stack.status.endswith("_COMPLETE"):
            yield f"its stack is {stack.status}"
        path = f"/stacks/{stack.name}/{stack.id}"
        held = self._project.get("orchestration", f"{path}/resources")["resources"]
        there = {each["physical_resource_id"] for each in held}
        wanted = {ref.id for key, ref in record.resources.items() if key != STACK}
        if there != wanted:
            yield f"between: its stack holds {there}, not {wanted}"
        template: dict[str, Any] = self._project.get("orchestration", f"{path}/template")
        retained = {
            name
            for name, one in template["resources"].items()
            if one.get("deletion_policy") == "Retain"
        }
        if retained != {name_of(VOLUME)}:
            yield f"between: its stack retains {sorted(retained)}"
