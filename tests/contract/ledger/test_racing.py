"""Workers that do the same at the same moment: one wins, nothing is lost, nothing doubled."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from consumer.ledger.base import Ledger, Verdict
from handlers.errors import Stale
from handlers.operation import SECOND, Operation, Phase
from tests.contract.ledger.builders import (
    EPOCH,
    accept,
    failure,
    offer,
    opened,
    opener,
    record,
    removal,
    success,
)
from tests.contract.ledger.racing import at_once
from tests.contract.ledger.sites import Site

TTL = 30 * SECOND


def test_two_workers_accept_the_same_command_once(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(10):
        calls = [partial(view.accept, [offer(f"c{n}")], "w") for view in (one, two)]
        verdicts = at_once(calls)
        assert sorted(map(repr, verdicts)) == sorted(map(repr, [(Verdict.KNOWN,), (Verdict.NEW,)]))
    assert len(one.operations()) == 10


def test_commands_of_one_subject_that_two_workers_accept_get_an_order(site: Site) -> None:
    views = [site.ledger, site.another()]
    calls = [
        partial(views[n % 2].accept, [offer(f"c{n}{m}") for m in range(3)], f"w{n}")
        for n in range(6)
    ]
    verdicts = at_once(calls)
    assert verdicts == [(Verdict.NEW,) * 3] * 6
    order: list[str] = []
    while found := site.ledger.open("w1", opener, 10):
        (op,) = found
        order.append(op.id)
        site.ledger.finish(success(op, site.clock.now()))
    assert len(order) == 18
    for n in range(6):
        assert [name for name in order if name[1] == str(n)] == [f"c{n}{m}" for m in range(3)]


def test_two_workers_never_open_the_same_subject(site: Site) -> None:
    views = [site.ledger, site.another(), site.another()]
    for n in range(8):
        accept(site.ledger, *(offer(f"c{n}{m}{k}", f"s{n}{m}") for m in range(4) for k in range(2)))
        calls = [partial(view.open, f"w{place}", opener, 10) for place, view in enumerate(views)]
        results = at_once(calls)
        ops = [op for result in results for op in ops_of(result)]
        assert sorted(op.id for op in ops) == [f"c{n}{m}0" for m in range(4)]
        assert {op.id: op.owner for op in ops} == {
            op.id: op.owner for op in site.ledger.operations([Phase.FORWARD]) if op.id[1] == str(n)
        }


def ops_of(result: object) -> tuple[Operation, ...]:
    assert isinstance(result, tuple), result
    return result


def test_of_two_saves_of_one_version_one_wins(site: Site) -> None:
    one, two = site.ledger, site.another()
    op = opened(one)
    for n in range(10):
        views = {"one": one, "two": two}
        results = at_once(
            [partial(view.save, op.note(EPOCH, f"{name} {n}")) for name, view in views.items()]
        )
        won = [result for result in results if isinstance(result, Operation)]
        lost = [result for result in results if isinstance(result, Stale)]
        assert (len(won), len(lost)) == (1, 1)
        assert one.operation("c1") == won[0]
        op = won[0]


def test_an_operation_that_two_workers_end_ends_once(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(6):
        op = opened(one, f"c{n}", f"s{n}")
        at = site.clock.now()
        good = partial(one.finish, success(op, at, record(f"s{n}")))
        bad = partial(two.finish, failure(op, at, None))
        results = at_once([good, bad])
        assert sorted(type(result).__name__ for result in results) == ["Operation", "Stale"]
        kinds = [event.type.rpartition(".")[2] for event in one.events(f"c{n}")]
        won = isinstance(results[0], Operation)
        assert kinds == ["start", "end" if won else "error"]
        assert (one.instance(f"s{n}") is not None) is won


def test_the_rows_of_a_dead_worker_are_taken_once(site: Site) -> None:
    takers = [f"w{n}" for n in range(4)]
    for name in (*takers, "dead"):
        site.ledger.register(name, "host")
    names = {opened(site.ledger, f"c{n}", f"s{n}", worker="dead").id for n in range(12)}
    site.ledger.retire("dead")
    views = {name: site.another() for name in takers}
    results = at_once([partial(views[name].take_over, name, TTL, 5) for name in takers])
    rest = [site.ledger.take_over("w0", TTL, 5) for _ in range(3)]
    taken = [op for result in [*results, *rest] for op in ops_of(result)]
    assert Counter(op.id for op in taken) == Counter(names)
    for op in taken:
        assert site.ledger.save(op).owner == op.owner


def test_the_owner_that_was_thought_dead_and_its_taker_do_not_both_write(site: Site) -> None:
    site.ledger.register("w2", "host")
    paused, taker = site.ledger, site.another()
    for n in range(8):
        name = f"dead{n}"
        site.ledger.register(name, "host")
        op = opened(paused, f"c{n}", f"s{n}", worker=name)
        site.ledger.retire(name)
        calls: list[Callable[[], object]] = [
            partial(paused.save, op.mark("server")),
            partial(taker.take_over, "w2", TTL, 10),
        ]
        saved, taken = at_once(calls)
        if isinstance(saved, Stale):
            assert ops_of(taken) == (replace(op, owner="w2", version=op.version + 1),)
        else:
            (row,) = ops_of(taken) or taker.take_over("w2", TTL, 10)
            assert (row.owner, row.done) == ("w2", frozenset({"server"}))


def test_a_delete_that_comes_while_its_subject_is_saved_leaves_its_mark(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(8):
        op = opened(one, f"c{n}", f"s{n}")
        calls: list[Callable[[], object]] = [
            partial(one.save, op.mark("server")),
            partial(two.accept, [removal(f"d{n}", f"s{n}")], "w2"),
        ]
        saved, verdicts = at_once(calls)
        assert isinstance(saved, Operation)
        assert verdicts == (Verdict.NEW,)
        assert one.cancelled("w1")[f"c{n}"] == f"d{n}"


def test_saves_from_many_threads_are_all_written(site: Site) -> None:
    ops = [opened(site.ledger, f"c{n}", f"s{n}") for n in range(8)]

    def life(ledger: Ledger, op: Operation) -> Operation:
        for n in range(6):
            op = ledger.save(op.note(EPOCH + n, "looked"))
        return ledger.finish(success(op, EPOCH, record(op.subject)))

    views = [site.ledger, site.another()]
    results = at_once([partial(life, views[n % 2], op) for n, op in enumerate(ops)])
    assert [result.phase for result in results if isinstance(result, Operation)] == [
        Phase.SUCCEEDED
    ] * 8
    assert len(site.ledger.instances()) == 8
    assert len(site.ledger.unsent(100)) == 16


def test_a_stale_save_drops_only_itself(site: Site) -> None:
    ops = [opened(site.ledger, f"c{n}", f"s{n}") for n in range(8)]
    stale = {op.id for op in ops[::3]}
    for op in ops[::3]:
        site.ledger.save(op.note(EPOCH, "first"))
    results = at_once([partial(site.ledger.save, op.note(EPOCH, "second")) for op in ops])
    lost = {op.id for op, result in zip(ops, results, strict=True) if isinstance(result, Stale)}
    assert lost == stale
    assert {op.id for op in site.ledger.operations() if op.timeline[-1].what == "first"} == stale


def test_a_resume_and_a_later_operation_do_not_both_run(site: Site) -> None:
    one, two = site.ledger, site.another()
    for n in range(6):
        one.finish(failure(opened(one, f"c{n}", f"s{n}"), site.clock.now()))
        accept(one, offer(f"d{n}", f"s{n}"))
        calls: list[Callable[[], object]] = [
            partial(one.reopen, f"c{n}", "w1", EPOCH + TTL),
            partial(two.open, "w2", opener, 10),
        ]
        at_once(calls)
        running = [
            op.id for op in one.operations([Phase.FORWARD, Phase.UNDO]) if op.subject == f"s{n}"
        ]
        assert len(running) == 1
