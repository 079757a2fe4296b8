"""The values of a record: flavor, size and rules, and what Heat believes of them."""

from collections.abc import Iterator

from handlers.instance import Instance
from handlers.resources import SecurityGroup, Server, Stack, Volume
from handlers.template import FLAVOR, VOLUME_SIZE
from tests.chaos.watch import Sight


def wrong(record: Instance, sight: Sight) -> Iterator[str]:
    """Where things have other values than the record says."""
    for each in sight.values():
        if isinstance(each, Server) and each.flavor != record.flavor:
            yield f"the flavor is {each.flavor}, the record says {record.flavor}"
        if isinstance(each, Volume) and each.size != record.volume_size:
            yield f"the volume has {each.size} GiB, the record says {record.volume_size}"
        if isinstance(each, SecurityGroup):
            rules = {rule.wanted for rule in each.rules}
            if rules != {rule.wanted for rule in record.rules}:
                yield "the rules are others than the record says"
        if isinstance(each, Stack):
            yield from misled(record, each)


def misled(record: Instance, stack: Stack) -> Iterator[str]:
    """Where Heat believes something else: the next update starts from that."""
    true = {FLAVOR: record.flavor, VOLUME_SIZE: record.volume_size}
    for view in ("wanted", "applied"):
        for name, value in (stack.outputs or {}).get(view, {}).items():
            if str(value or "") != str(true[name] or ""):
                yield f"the stack's {view} {name} is {value}, the record says {true[name]}"
