"""Stacks to test on: a group alone, which is quick, or a whole instance."""

from collections.abc import Mapping
from typing import Any

from handlers.commands import CreateInstance, CreateSecurityGroup
from handlers.identity import resource_name
from handlers.orders import NewStack, StackUpdate
from handlers.parts import DataVolume, Network
from handlers.resources import Kind, Stack
from handlers.template import Document, group_document, instance_document
from tests.contract.cloud.bench import Bench, only

#: How long Heat may work on a stack of this suite, in minutes.
MINUTES = 5


class Stacked:
    """A bench with stacks, one per subject."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.cloud = bench.cloud

    # -- what to make ---------------------------------------------------------------------------

    def group(self, subject: str) -> NewStack:
        """A stack of a security group."""
        body = CreateSecurityGroup(project="contract", name="a group")
        return new_stack(subject, group_document(subject, body))

    def instance(self, subject: str, **more: Any) -> NewStack:
        """A stack of group, port, volume of 1 GiB and server."""
        site = self.bench.site
        fields: dict[str, Any] = {
            "project": "contract",
            "name": "contract",
            "flavor": site.flavor,
            "image": site.image,
            "networks": (Network(network=site.network, role="user"),),
            "volume": DataVolume(size=1),
            **more,
        }
        return new_stack(subject, instance_document(subject, CreateInstance(**fields)))

    # -- how it goes ----------------------------------------------------------------------------

    def made(self, new: NewStack) -> Stack:
        """The stack, CREATE_COMPLETE, in full."""
        begun = only(self.cloud.create_stack(new), Stack)
        ended = self.rested(begun.id)
        assert ended.status == "CREATE_COMPLETE", ended.reason
        return self.in_full(ended)

    def rested(self, stack: str) -> Stack:
        """The stack, when nothing is in progress any more."""

        def look() -> Stack | None:
            found = self.bench.one(Kind.STACK, stack)
            return found if isinstance(found, Stack) and not found.is_busy else None

        return self.bench.until(look)

    def updated(self, stack: Stack, write: str = "next", **parameters: Any) -> Stack:
        """The stack, when an update has ended."""
        self.cloud.update_stack(change(stack, write, **parameters))
        return self.rested(stack.id)

    def in_full(self, stack: Stack) -> Stack:
        found = self.cloud.in_full(Kind.STACK, stack.name, stack.id)
        assert isinstance(found, Stack)
        return found


def new_stack(subject: str, document: Document, **parameters: Any) -> NewStack:
    """A POST of a document, with other values for some parameters."""
    values: Mapping[str, Any] = {**document.parameters, **parameters}
    return NewStack(
        subject=subject,
        template=document.template,
        environment=document.environment,
        parameters=values,
        write="first",
        minutes=MINUTES,
    )


def change(stack: Stack, write: str = "next", **parameters: Any) -> StackUpdate:
    """An update of some parameters."""
    assert stack.subject is not None
    return StackUpdate(
        subject=stack.subject,
        stack=stack.id,
        parameters=parameters,
        write=write,
        minutes=MINUTES,
    )


def ids(stack: Stack) -> dict[str, str]:
    """What a stack's outputs name, without the addresses."""
    outputs = stack.outputs or {}
    return {name: value for name, value in outputs.items() if isinstance(value, str)}


def name_of(subject: str) -> str:
    """The name of a subject's stack."""
    return resource_name(subject)
