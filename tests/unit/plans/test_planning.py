"""Plans: whose turn is when, what is asked of ledger and cloud, and the file."""

import msgspec
import pytest
from msgspec.structs import replace

from consumer.fleet import summary
from consumer.fleet.eligibility import Risk, Verdict, Why
from consumer.fleet.plan import BadPlan, Entry, fingerprint, read, written
from consumer.fleet.planner import Meter, Unrecorded, Wish, plan_of
from consumer.fleet.turns import batches, seconds, with_turns
from consumer.ledger.fleet import Direction, Settings
from consumer.ledger.memory import MemoryLedger
from handlers.instance import Instance, Scope
from handlers.lacks import Lacks
from handlers.resources import Kind, Server, Service, Stack
from tests.unit.plans.planted import PROJECT, Planted, record_of

CREATED = "2026-01-02T03:04:05Z"
WISH = Wish(direction=Direction.ADOPT, cloud="trove", region="RegionOne")


def entry(name: str, size: int = 1, shape: str = "s", *risks: Risk, project: str = "p") -> Entry:
    return Entry(
        instance=name,
        project=project,
        verdict=Verdict.ELIGIBLE,
        risks=risks,
        shape=shape,
        volume_size=size,
    )


def ledger_with(*records: Instance) -> MemoryLedger:
    ledger = MemoryLedger(lambda: 0)
    ledger.import_records(records)
    return ledger


# -- turns ----------------------------------------------------------------------------------------


def turns(entries: list[Entry], **settings: object) -> list[list[str]]:
    made = with_turns(entries, msgspec.convert(settings, Settings))
    assert [each.place for each in made] == list(range(len(entries)))
    return [[each.instance for each in batch] for batch in batches(made)]


def test_small_volumes_go_first_and_risks_last() -> None:
    entries = [entry("a", 9), entry("b", 1, "s", Risk.STOPPED), entry("c", 2), entry("d", 3)]

    assert turns(entries, canary=1, batch=2) == [["c"], ["d", "a"], ["b"]]


def test_the_canary_has_one_of_each_shape_before_a_second_one() -> None:
    entries = [entry("a", 1), entry("b", 2), entry("c", 8, "other"), entry("d", 3)]

    assert turns(entries, canary=2, batch=9) == [["a", "c"], ["b", "d"]]
    assert turns(entries, canary=3, batch=9) == [["a", "c", "b"], ["d"]]


def test_without_a_canary_the_first_batch_is_number_one() -> None:
    made = with_turns([entry("a")], Settings(canary=0))

    assert [each.batch for each in made] == [1]


def test_other_orders() -> None:
    entries = [entry("c", 1, project="q"), entry("b", 2), entry("a", 3)]

    assert turns(entries, canary=0, order="project") == [["b", "a", "c"]]
    assert turns(entries, canary=0, order="id") == [["a", "b", "c"]]


def test_the_estimate_follows_the_tightest_limit() -> None:
    entries = [entry(str(number)) for number in range(60)]

    def lasts(**settings: int) -> float:
        limits = Settings(canary=0, batch=60, concurrency=60, per_project=60, soak=0, rate=10_000)
        chosen = msgspec.structs.replace(limits, **settings)
        return seconds(with_turns(entries, chosen), chosen)

    assert lasts() < 11
    assert lasts(concurrency=6) == lasts(per_project=6) == 100
    assert lasts(rate=60) == 69
    assert lasts(concurrency=6, soak=50) == 150


# -- planning -------------------------------------------------------------------------------------


def test_each_kind_is_listed_once_and_nothing_else_is_asked() -> None:
    records = [record_of(f"i{number}") for number in range(30)]
    cloud = Planted(*records)

    plan = plan_of(WISH, ledger_with(*records), cloud, CREATED)

    assert len(plan.eligible) == 30
    assert sorted(cloud.asked) == sorted(["lacks", *(f"every {kind}" for kind in Kind)])


def test_missing_servers_are_asked_for_by_id_within_a_bound() -> None:
    records = [record_of(f"i{number:02}") for number in range(30)]
    cloud = Planted(*records)
    for record in records:
        cloud.drop(f"server-{record.id}")
    cloud.elsewhere["server-i00"] = Server(id="server-i00", project="tenant-1")

    plan = plan_of(WISH, ledger_with(*records), cloud, CREATED)

    assert "get 20 server" in cloud.asked
    reasons = [each.reason for each in plan.instances]
    assert reasons[0] is Why.OTHER_PROJECT
    assert set(reasons[1:]) == {Why.SERVER_MISSING}


def test_more_stacks_than_the_project_may_have_are_blocked_from_the_end() -> None:
    records = [record_of(name, volume_size=size) for size, name in enumerate("abcd", 1)]
    cloud = Planted(*records)
    cloud.put(Stack(id="s", status="CREATE_COMPLETE", subject="other"))

    plan = plan_of(replace(WISH, max_stacks=3), ledger_with(*records), cloud, CREATED)

    assert [each.instance for each in plan.eligible] == ["a", "b"]
    left = {each.instance: each.reason for each in plan.instances if each.place < 0}
    assert left == {"c": Why.STACK_LIMIT, "d": Why.STACK_LIMIT}
    unlimited = plan_of(replace(WISH, max_stacks=0), ledger_with(*records), cloud, CREATED)
    assert len(unlimited.eligible) == 4


def test_records_of_another_cloud_are_left_out() -> None:
    far = record_of("far", scope=Scope(cloud="other", region="RegionOne", project="p"))
    near = record_of("near")

    plan = plan_of(WISH, ledger_with(far, near), Planted(near), CREATED)

    assert [each.instance for each in plan.instances] == ["near"]


@pytest.mark.parametrize("names", [("nobody",), ("a", "nobody")])
def test_a_named_instance_without_a_record_is_told(names: tuple[str, ...]) -> None:
    a = record_of("a")

    with pytest.raises(Unrecorded, match="nobody"):
        plan_of(replace(WISH, instances=names), ledger_with(a), Planted(a), CREATED)


def test_a_plan_can_be_narrowed() -> None:
    records = [
        record_of("a"),
        record_of("b"),
        record_of("c", scope=Scope(cloud="trove", region="RegionOne", project="q")),
    ]
    ledger, cloud = ledger_with(*records), Planted(*records)

    def of(wish: Wish) -> list[str]:
        return sorted(each.instance for each in plan_of(wish, ledger, cloud, CREATED).instances)

    assert of(replace(WISH, instances=("b",))) == ["b"]
    assert of(replace(WISH, instances=("b", "a"))) == ["a", "b"]
    assert of(replace(WISH, project="q")) == ["c"]
    assert of(WISH) == ["a", "b", "c"]


def test_a_cloud_that_lacks_something_is_not_ready() -> None:
    a, cloud = record_of("a"), Planted(record_of("a"))
    cloud.lacking = (Lacks(what="no adoption", remedy="enable_stack_adopt = true"),)

    plan = plan_of(WISH, ledger_with(a), cloud, CREATED)

    assert not plan.is_ready and plan.eligible
    assert "enable_stack_adopt = true" in summary.markdown(plan)


def test_the_way_out_of_stacks_needs_no_adoption() -> None:
    a = record_of("a", stack=True)
    cloud = Planted(a)

    plan = plan_of(replace(WISH, direction=Direction.RELEASE), ledger_with(a), cloud, CREATED)

    assert plan.is_ready
    assert "lacks" not in cloud.asked


def test_the_meter_counts_by_service() -> None:
    meter = Meter()
    for seconds_ in (0.5, 0.25):
        meter(Service.COMPUTE, "GET", "/servers/detail", "200", seconds_)

    assert {name: (c.requests, c.seconds) for name, c in meter.cost.items()} == {
        "compute": (2, 0.75)
    }


# -- the file -------------------------------------------------------------------------------------


def small_plan() -> bytes:
    a = record_of("a")
    return written(plan_of(WISH, ledger_with(a), Planted(a), CREATED))


def test_a_plan_is_read_as_it_was_written() -> None:
    plan = read(small_plan())

    assert plan.id.startswith("adopt-20260102-030405-")
    assert (plan.project, plan.select) == (PROJECT, "all")
    assert plan.instances[0].fingerprint == fingerprint(record_of("a"))
    assert written(plan) == small_plan()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"canary": 1', b'"canary": 0'), (b'"place": 0', b'"place": 1'), (b"tenant-1", b"tenant-2")],
)
def test_an_edited_plan_is_refused(old: bytes, new: bytes) -> None:
    content = small_plan()
    assert old in content

    with pytest.raises(BadPlan, match="edited"):
        read(content.replace(old, new))


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(BadPlan, match="no plan"):
        read(b"{}")
    with pytest.raises(BadPlan, match="no plan"):
        read(b"hello")
    with pytest.raises(BadPlan, match="format 9"):
        read(small_plan().replace(b'"format": 1', b'"format": 9'))


def test_any_change_of_a_record_changes_its_fingerprint() -> None:
    record = record_of("a")
    others = [
        replace(record, flavor="2"),
        replace(record, pinned=True),
        replace(record, resources={}),
    ]

    assert len({fingerprint(each) for each in (record, *others)}) == 4


def test_blocked_instances_of_every_reason_are_shown_first() -> None:
    records = [record_of(f"a{number:02}", pinned=True) for number in range(20)]
    records.append(record_of("z"))
    cloud = Planted(*records)
    cloud.drop("port-z")

    plan = plan_of(WISH, ledger_with(*records), cloud, CREATED)

    shown = summary.blocked(plan)
    assert len(shown) == summary.SHOWN
    assert [each.instance for each in shown[:2]] == ["a00", "z"]
    assert summary.counts(plan) == [("blocked", "pinned", 20), ("blocked", "port_missing", 1)]
