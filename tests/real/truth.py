"""What must be in the cloud, and what is wrong about what is there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.contract.managers.inventory import Inventory, RuleKey
from tests.real.phases import Expected


def wrong(there: Inventory, owners: Mapping[str, str], expected: Expected | None) -> Iterator[str]:
    """What is lost, doubled, leaked or not as it must be, one line each; `owners` maps the subjects
    to the managers that they belong to."""
    wanted = owners if expected else {}
    stacks = [subject for subject, manager in wanted.items() if manager == ORCHESTRATOR]
    yield from _counts(
        "server", (s.metadata.get("trove_instance_id", "") for s in there.servers), wanted
    )
    yield from _counts("volume", (_subject(one.name) for one in there.volumes), wanted)
    yield from _counts("port", (_subject(one.name) for one in there.ports), wanted, each=2)
    yield from _counts("group", (_subject(one.name) for one in there.groups), wanted)
    yield from _counts("stack", (_subject(one.name) for one in there.stacks), stacks)
    yield from (f"leaked: {other}" for other in there.others)
    if expected:
        yield from _differences(there, expected)


def _differences(there: Inventory, expected: Expected) -> Iterator[str]:
    rules: set[RuleKey] = {("tcp", 3306, 3306, cidr) for cidr in expected.cidrs}
    checks: Iterable[tuple[str, object, object]] = (
        *(
            (f"server {s.id}", (s.status, s.flavor), ("ACTIVE", expected.flavor))
            for s in there.servers
        ),
        *((f"volume {v.id}", (v.status, v.size), ("in-use", expected.size)) for v in there.volumes),
        *((f"group {g.id}", set(g.rules), rules) for g in there.groups),
        *((f"stack {s.id}", s.status.rpartition("_")[2], "COMPLETE") for s in there.stacks),
    )
    for what, is_now, must_be in checks:
        if is_now != must_be:
            yield f"wrong: {what} is {is_now}, not {must_be}"


def _counts(kind: str, found: Iterable[str], wanted: Iterable[str], each: int = 1) -> Iterator[str]:
    counts = Counter(found)
    for subject in wanted:
        number = counts.pop(subject, 0)
        if number < each:
            yield f"lost: {subject} has {number} {kind}(s), not {each}"
        if number > each:
            yield f"doubled: {subject} has {number} {kind}(s), not {each}"
    for subject, number in counts.items():
        yield f"leaked: {number} {kind}(s) of {subject or 'nobody'}"


def _subject(name: str) -> str:
    return name.partition("-")[2]
