"""The eyes: what they believe, and how few requests they need for it."""

from collections.abc import Collection

from consumer.observer import Ask, Observer
from consumer.policy import Policy
from consumer.telemetry.base import Silent
from handlers.errors import Retryable
from handlers.instance import Scope
from handlers.operation import SECOND, Micros
from handlers.resources import (
    UNKNOWN,
    Absent,
    ById,
    ByIdentity,
    Kind,
    Present,
    Resource,
    Service,
    Volume,
)

SCOPE = Scope(cloud="cloud", region="region", project="tenant")
POLICY = Policy()
START: Micros = 1_000 * SECOND


class ScriptedCloud:
    """Answers look-ups from three tables and remembers what it was asked."""

    project = "service"

    def __init__(self) -> None:
        self.delta: dict[str, Resource] = {}
        self.there: dict[str, Resource] = {}
        self.asked: list[tuple[str, object]] = []
        self.down = False
        self.broken: set[str] = set()
        self.defect = False

    def of(self, scope: Scope) -> "ScriptedCloud":
        return self

    def changed(self, kind: Kind, since: Micros) -> tuple[Resource, ...] | None:
        self._ask("changed", since)
        return None if kind is Kind.PORT else tuple(self.delta.values())

    def get(self, kind: Kind, ids: Collection[str]) -> tuple[Resource, ...]:
        self._ask("get", tuple(ids))
        if self.broken & set(ids):
            raise Retryable("internal server error")
        if self.defect:
            raise ValueError("an answer that nobody thought of")
        return tuple(self.there[each] for each in ids if each in self.there)

    def find(self, kind: Kind, subjects: Collection[str]) -> tuple[Resource, ...]:
        self._ask("find", tuple(subjects))
        return tuple(each for each in self.there.values() if each.subject in subjects)

    def _ask(self, verb: str, what: object) -> None:
        if self.down:
            raise Retryable("connection refused")
        self.asked.append((verb, what))

    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.asked]


class Bench:
    """An observer on a scripted cloud, and a clock to turn."""

    def __init__(self) -> None:
        self.now = START
        self.cloud = ScriptedCloud()
        self.eyes = Observer(
            Service.BLOCK_STORAGE,
            self.cloud,  # type: ignore[arg-type]
            POLICY,
            lambda: self.now,
            Silent(),
        )

    def look(self, *queries: ById | ByIdentity, floor: Micros = 0) -> None:
        self.eyes.refresh([Ask(SCOPE, query, floor) for query in queries])


def volume(name: str, status: str = "available", subject: str | None = None) -> Volume:
    return Volume(id=name, status=status, subject=subject)


V1 = ById(Kind.VOLUME, "v1")
OWNED = ByIdentity(Kind.VOLUME, "subject")


def test_nobody_looked_means_unknown() -> None:
    assert Bench().eyes.see(SCOPE, V1, after=0) is UNKNOWN


def test_the_first_look_at_an_id_is_a_look_up() -> None:
    bench = Bench()

    bench.look(V1)

    assert bench.cloud.asked == [("get", ("v1",))]
    assert bench.eyes.see(SCOPE, V1, after=0) == Absent(START)


def test_a_delta_listing_that_does_not_name_it_proves_nothing() -> None:
    bench = Bench()
    bench.eyes.tell(SCOPE, volume("v1", "creating"), START)
    bench.now += SECOND

    bench.look(V1)

    assert bench.cloud.verbs() == ["changed"]
    assert bench.eyes.see(SCOPE, V1, after=START + 1) is UNKNOWN


def test_a_delta_listing_that_names_it_proves_presence() -> None:
    bench = Bench()
    bench.eyes.tell(SCOPE, volume("v1", "creating"), START)
    bench.now += SECOND
    bench.cloud.delta["v1"] = volume("v1", "available")

    bench.look(V1)

    assert bench.eyes.see(SCOPE, V1, after=START + 1) == Present((volume("v1"),), bench.now)


def test_all_that_wait_share_one_delta_listing() -> None:
    bench = Bench()
    for number in range(200):
        bench.eyes.tell(SCOPE, volume(f"v{number}", "creating"), START)
    bench.now += SECOND

    bench.look(*(ById(Kind.VOLUME, f"v{number}") for number in range(200)))

    assert len(bench.cloud.asked) == 1


def test_a_delta_listing_reaches_back_by_the_skew_of_the_clocks() -> None:
    bench = Bench()
    bench.eyes.tell(SCOPE, volume("v1", "creating"), START)
    bench.now += SECOND

    bench.look(V1)

    assert bench.cloud.asked == [("changed", START - POLICY.skew)]


def test_a_silent_listing_is_doubted_after_a_while() -> None:
    bench = Bench()
    bench.eyes.tell(SCOPE, volume("v1", "creating"), START)
    bench.now += POLICY.patience

    bench.look(V1)

    assert "get" in bench.cloud.verbs()


def test_doubt_doubles_so_that_long_waits_stay_cheap() -> None:
    bench = Bench()
    bench.cloud.there["v1"] = volume("v1", "creating")
    bench.eyes.tell(SCOPE, volume("v1", "creating"), START)

    for _ in range(600):
        bench.now += SECOND
        bench.look(V1)

    assert bench.cloud.verbs().count("get") <= 7


def test_a_kind_without_a_delta_filter_is_looked_up_in_one_batch() -> None:
    bench = Bench()
    ports = [ById(Kind.PORT, "p1"), ById(Kind.PORT, "p2")]
    bench.look(*ports)
    bench.now += SECOND
    bench.cloud.asked.clear()

    bench.look(*ports)

    assert ("get", ("p1", "p2")) in bench.cloud.asked


def test_absence_is_not_believed_before_the_last_call_is_over() -> None:
    bench = Bench()

    bench.look(OWNED)

    assert bench.eyes.see(SCOPE, OWNED, after=0, quiet=START + SECOND) is UNKNOWN
    assert bench.eyes.see(SCOPE, OWNED, after=0, quiet=START) == Absent(START)


def test_presence_is_believed_at_once() -> None:
    bench = Bench()
    bench.cloud.there["v1"] = volume("v1", subject="subject")

    bench.look(OWNED)

    assert isinstance(bench.eyes.see(SCOPE, OWNED, after=0, quiet=START + SECOND), Present)


def test_nothing_older_than_the_last_act_counts() -> None:
    bench = Bench()
    bench.cloud.there["v1"] = volume("v1")

    bench.look(V1)

    assert bench.eyes.see(SCOPE, V1, after=START) is UNKNOWN


def test_an_operation_is_not_served_with_what_was_seen_before_it_was_taken() -> None:
    bench = Bench()
    bench.cloud.there["v1"] = volume("v1")
    bench.look(V1)
    bench.now += SECOND

    bench.look(V1, floor=bench.now)

    assert bench.cloud.verbs() == ["get", "get"]
    assert isinstance(bench.eyes.see(SCOPE, V1, after=START + 1), Present)


def test_identity_finds_all_matches_of_many_subjects_in_one_request() -> None:
    bench = Bench()
    bench.cloud.there = {
        "a": volume("a", subject="subject"),
        "b": volume("b", subject="subject"),
        "c": volume("c", subject="other"),
    }

    bench.look(OWNED, ByIdentity(Kind.VOLUME, "other"))

    assert bench.cloud.verbs() == ["find"]
    seen = bench.eyes.see(SCOPE, OWNED, after=0)
    assert isinstance(seen, Present)
    assert [each.id for each in seen.matches] == ["a", "b"]


def test_a_known_id_that_carries_no_identity_is_found_too() -> None:
    bench = Bench()
    bench.cloud.there["v1"] = volume("v1")
    query = ByIdentity(Kind.VOLUME, "subject", ("v1",))

    bench.look(query)

    assert isinstance(bench.eyes.see(SCOPE, query, after=0), Present)


def test_a_service_that_is_down_leaves_unknown_and_says_why() -> None:
    bench = Bench()
    bench.cloud.down = True

    bench.look(V1)

    assert bench.eyes.see(SCOPE, V1, after=0) is UNKNOWN
    assert "refused" in str(bench.eyes.fault(SCOPE, V1))


def test_a_service_that_came_back_is_believed_again() -> None:
    bench = Bench()
    bench.cloud.down = True
    bench.look(V1)
    bench.cloud.down = False
    bench.now += SECOND

    bench.look(V1)

    assert bench.eyes.fault(SCOPE, V1) is None
    assert bench.eyes.see(SCOPE, V1, after=0) == Absent(bench.now)


def test_a_thing_that_the_service_cannot_show_does_not_hide_the_others() -> None:
    bench = Bench()
    queries = [ById(Kind.VOLUME, f"v{number}") for number in range(5)]
    bench.cloud.there = {query.id: volume(query.id) for query in queries}
    bench.cloud.broken = {"v2"}
    for _ in range(4):
        bench.look(*queries)
        bench.now += SECOND

    seen = [bench.eyes.see(SCOPE, query, after=0) for query in queries]
    faults = [bench.eyes.fault(SCOPE, query) for query in queries]

    assert [each is UNKNOWN for each in seen] == [False, False, True, False, False]
    assert [each is not None for each in faults] == [False, False, True, False, False]


def test_a_service_that_is_down_is_not_asked_for_each_thing() -> None:
    bench = Bench()
    queries = [ById(Kind.VOLUME, f"v{number}") for number in range(5)]
    bench.cloud.broken = {query.id for query in queries}
    for _ in range(4):
        bench.look(*queries)
        bench.now += SECOND

    assert len(bench.cloud.asked) == 4


def test_a_defect_in_a_look_up_counts_as_a_look() -> None:
    """Otherwise what was never seen would be asked for again and again without a pause."""
    bench = Bench()
    bench.cloud.defect = True
    bench.look(V1)

    assert not bench.eyes.fresh(SCOPE, V1)
