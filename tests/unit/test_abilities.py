"""Clouds that lack what a migration needs: what they say, and what they do in spite of it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from handlers import lacks
from handlers.clouds.memory import Abilities
from handlers.clouds.memory.faults import FaultRule, Outcome, Spoil
from handlers.clouds.memory.settings import Quotas
from handlers.errors import Reason, Retryable, Terminal
from handlers.lacks import Lacks
from handlers.resources import Kind, Stack
from tests.contract.cloud.adopted import Live, adopted, gone, live, order
from tests.contract.cloud.bench import Bench
from tests.contract.cloud.places import MemoryPlace, memory
from tests.contract.cloud.simulated import SimulatedPlace, simulator
from tests.contract.cloud.stacked import Stacked, ids

Where = MemoryPlace | SimulatedPlace


@pytest.fixture(params=["memory", "simulator"])
def place(request: pytest.FixtureRequest) -> Iterator[Where]:
    """A cloud whose services can be configured anew."""
    with ExitStack() as stack:
        in_memory = request.param == "memory"
        yield memory() if in_memory else stack.enter_context(simulator())


@pytest.fixture
def bench(place: Where) -> Iterator[Bench]:
    bench = Bench(place)
    yield bench
    place.state.set_abilities(Abilities())
    bench.clean()
    assert bench.left() == []


def test_adoption_that_is_not_enabled_names_the_setting(place: Where, bench: Bench) -> None:
    one = live(bench)
    place.state.set_abilities(Abilities(adoption=False))
    with pytest.raises(Terminal, match="enable_stack_adopt = true") as caught:
        bench.cloud.adopt_stack(order(one))
    assert caught.value.reason is Reason.UNSUPPORTED
    assert "Stack Adopt is not supported" in caught.value.message
    assert bench.cloud.lacks() == (lacks.ADOPTION,)
    assert bench.cloud.every(Kind.STACK) == ()


def test_heat_that_loses_the_data_makes_a_second_set_and_is_found_out(
    place: Where, bench: Bench
) -> None:
    one = live(bench)
    place.state.set_abilities(Abilities(twins=True))
    assert bench.cloud.lacks() == (lacks.TWINS,)
    before = one.seen()
    stack = adopted(one, order(one, retain=[]))
    assert stack.status == "CREATE_COMPLETE"
    twins = ids(Stacked(bench).in_full(stack))
    assert twins.keys() == one.members.keys()
    assert not set(twins.values()) & set(one.members.values())
    assert not any(gone(one, stack).values())
    assert one.seen() == before


def test_old_nova_is_named_before_anything_is_tried(place: Where) -> None:
    """A connection asks for the versions once, when it is made."""
    place.state.set_abilities(Abilities(compute=(2, 79)))
    assert place.cloud.lacks() == (lacks.DOOMING,)


def test_old_nova_dooms_no_volume(place: Where, bench: Bench) -> None:
    one = live(bench)
    place.state.set_abilities(Abilities(compute=(2, 84)))
    with pytest.raises(Terminal, match=r"Ussuri.*2\.85") as caught:
        bench.cloud.doom_volume(one.server, one.volume, doomed=True)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_full_project_is_told_with_the_limit(place: Where, bench: Bench) -> None:
    subject = bench.subject()
    Stacked(bench).made(Stacked(bench).group(subject))
    place.state.set_quotas(Quotas(stacks=1))
    assert bench.cloud.lacks() == (lacks.ROOM,)
    place.state.set_abilities(Abilities(adoption=False))
    assert bench.cloud.lacks() == (lacks.ADOPTION, lacks.ROOM)
    place.state.set_quotas(Quotas(stacks=2))
    assert bench.cloud.lacks() == (lacks.ADOPTION,)


def test_heat_without_an_engine_is_asked_again_later(place: Where, bench: Bench) -> None:
    place.state.orchestration.kill_engine()
    with pytest.raises(Retryable):
        bench.cloud.lacks()
    place.state.orchestration.start_engine()


def test_adoption_that_nobody_carries_on_stays_and_harms_nothing(
    place: Where, bench: Bench
) -> None:
    one = live(bench)
    before = one.seen()
    stuck = FaultRule(verb="adopt_stack", effect=Spoil(Outcome.STUCK), times=1)
    place.state.inject(stuck)
    bench.cloud.adopt_stack(order(one))
    _stays(bench, one)
    (stack,) = bench.cloud.find(Kind.STACK, [one.subject])
    assert isinstance(stack, Stack)
    assert not any(gone(one, stack).values())
    assert one.seen() == before


def test_engine_that_dies_leaves_an_adoption_in_progress_for_good(
    place: Where, bench: Bench
) -> None:
    one = live(bench)
    bench.cloud.adopt_stack(order(one))
    heat = place.state.orchestration
    heat.kill_engine()
    heat.start_engine()
    _stays(bench, one)
    (stack,) = bench.cloud.find(Kind.STACK, [one.subject])
    assert isinstance(stack, Stack)
    assert not any(gone(one, stack).values())


def test_every_lack_has_a_remedy() -> None:
    known = [each for each in vars(lacks).values() if isinstance(each, Lacks)]
    assert len(known) == 4
    assert all(each.what and each.remedy for each in known)


def _stays(bench: Bench, one: Live) -> None:
    for _ in range(20):
        (stack,) = bench.cloud.find(Kind.STACK, [one.subject])
        assert isinstance(stack, Stack)
        assert stack.status == "ADOPT_IN_PROGRESS"
        bench.place.pause()
