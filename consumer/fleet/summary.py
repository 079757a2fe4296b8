"""A plan in short: what a person looks at before starting it. Values, and a Markdown page."""

from collections import Counter
from collections.abc import Iterator, Sequence

from consumer.fleet.eligibility import Verdict
from consumer.fleet.plan import Entry, Plan
from consumer.fleet.turns import batches, seconds

#: Blocked instances that a summary names.
SHOWN = 10


def counts(plan: Plan) -> list[tuple[str, str, int]]:
    """(verdict, reason, instances), the verdicts in their order, frequent reasons first."""
    found = Counter((each.verdict, each.reason or "") for each in plan.instances)
    order = list(Verdict)
    return [
        (str(verdict), str(reason), number)
        for (verdict, reason), number in sorted(
            found.items(), key=lambda pair: (order.index(pair[0][0]), -pair[1], pair[0][1])
        )
    ]


def blocked(plan: Plan) -> list[Entry]:
    """The first blocked instances, one of each reason before a second one of any."""
    seen: Counter[str] = Counter()
    ranked = []
    for each in (each for each in plan.instances if each.verdict is Verdict.BLOCKED):
        ranked.append((seen[str(each.reason)], each))
        seen[str(each.reason)] += 1
    return [each for _, each in sorted(ranked, key=lambda pair: pair[0])][:SHOWN]


def turns(plan: Plan) -> list[tuple[str, int, int, int]]:
    """(name, instances, projects, GiB of volumes) per batch."""
    return [
        (
            f"batch {some[0].batch}" if some[0].batch else "canary",
            len(some),
            len({each.project for each in some}),
            sum(each.volume_size for each in some),
        )
        for some in batches(plan.eligible)
    ]


def risks(plan: Plan) -> dict[str, int]:
    """How many eligible instances carry which risk."""
    found = Counter(str(risk) for each in plan.eligible for risk in each.risks)
    return dict(sorted(found.items()))


def estimate(plan: Plan) -> float:
    """Seconds that the migration takes, about, if nothing goes wrong."""
    return seconds(plan.eligible, plan.settings)


def markdown(plan: Plan) -> str:
    """The summary as a page."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"# Migration plan {plan.id}"
    yield ""
    yield f"* made {plan.created} for {plan.cloud}/{plan.region}, project {plan.project}"
    yield f"* direction: {plan.direction}; instances: {plan.select}"
    yield f"* fingerprint: {plan.fingerprint}"
    yield f"* about {estimate(plan) / 60:.0f} minutes, if nothing goes wrong"
    for each in plan.lacks:
        yield f"* **the cloud lacks something**: {each.what}. {each.remedy}"
    yield from _table("Instances", ("verdict", "reason", "instances"), counts(plan))
    yield from _table("Risks", ("risk", "instances"), list(risks(plan).items()))
    head = ("batch", "instances", "projects", "GiB")
    yield from _table("Batches", head, turns(plan))
    rows = [(each.instance, str(each.reason), each.message) for each in blocked(plan)]
    yield from _table("Blocked, the first ones", ("instance", "reason", "what to do"), rows)
    asked = [(name, cost.requests, f"{cost.seconds:.1f}") for name, cost in plan.cost.items()]
    yield from _table("What planning asked", ("service", "requests", "seconds"), asked)


def _table(title: str, head: tuple[str, ...], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"## {title}"
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"
