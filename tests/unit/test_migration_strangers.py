"""What others did to a stack or to its record, and moves that come after it."""

import pytest

from handlers.clouds.memory.faults import FaultRule, Outcome, Refuse, Spoil
from handlers.commands import ResizeInstance
from handlers.errors import Reason
from handlers.instance import State
from handlers.keys import SERVER, STACK
from handlers.operation import SECOND, Operation, Phase
from handlers.orders import StackUpdate
from tests.unit.migrated import PROJECT, Bench, native, reason


def _updates(bench: Bench, **parameters: object) -> None:
    """Somebody gives the stack other values, and Heat takes them."""
    stack = bench.stacks[0].id
    bench.cloud.update_stack(
        StackUpdate(
            subject=bench.subject, stack=stack, parameters=parameters, write="stranger", minutes=5
        )
    )
    bench.clock.sleep(60)
    bench.state.core.advance()
    assert bench.stacks[0].status == "COMPLETE"


def _resumed(bench: Bench, op: Operation) -> Operation:
    bench.world.ledger.reopen(op.id, "operator", bench.clock.now() + 600 * SECOND)
    bench.world.run()
    found = bench.world.ledger.operation(op.id)
    assert found is not None
    return found


def test_a_later_commit_does_not_take_back_what_somebody_changed() -> None:
    bench = Bench()
    bench.adopt(commit=False)
    _updates(bench, flavor="3")
    before = native(bench)

    assert reason(bench.adopt()) is Reason.DRIFT

    assert native(bench) == before
    assert bench.record.soaking and bench.record.state is State.ACTIVE


def test_a_later_commit_of_a_server_that_is_gone_is_refused() -> None:
    bench = Bench()
    bench.adopt(commit=False)
    bench.cloud.delete_server(bench.record.resources[SERVER].id)
    bench.clock.sleep(60)

    assert reason(bench.adopt()) is Reason.NOT_FOUND
    assert bench.record.soaking


@pytest.mark.parametrize("soaks", [True, False])
def test_policies_are_set_whatever_values_heat_has(soaks: bool) -> None:
    bench = Bench("natives" if soaks else "orchestrator")
    if soaks:
        bench.adopt(commit=False)
    _updates(bench, flavor="3")
    bench.send(ResizeInstance(project=PROJECT, flavor="2"))
    before = native(bench)

    op = bench.adopt() if soaks else bench.release()

    assert op.phase is Phase.SUCCEEDED
    assert native(bench) == before


@pytest.mark.parametrize("failures", [0, 2])
def test_a_check_that_nobody_ends_is_asked_for_again(failures: int) -> None:
    bench = Bench("orchestrator")
    before = native(bench)
    if failures:
        spoilt = Spoil(outcome=Outcome.ERROR, text="no")
        bench.state.inject(FaultRule(effect=spoilt, verb="update_stack", times=failures))
    else:
        _is_checked_while_ill(bench)
    stuck = Spoil(outcome=Outcome.STUCK)
    bench.state.inject(FaultRule(effect=stuck, verb="check_stack", times=1))

    assert bench.release().phase is Phase.SUCCEEDED
    assert native(bench) == before
    assert not bench.stacks


def _is_checked_while_ill(bench: Bench) -> None:
    (server,) = bench.state.core.servers.values()
    server.status = "ERROR"
    bench.cloud.check_stack(bench.subject, bench.stacks[0].id)
    bench.clock.sleep(60)
    bench.state.core.advance()
    server.status = "ACTIVE"


def test_a_move_of_what_was_pinned_since_is_not_resumed() -> None:
    bench = Bench("orchestrator")
    bench.state.inject(FaultRule(effect=Refuse(status=400), verb="delete_stack", times=1))
    op = bench.release()
    assert op.phase is Phase.FAILED
    bench.world.ledger.pin(bench.subject, pinned=True)

    with pytest.raises(ValueError, match="unpin it first"):
        _resumed(bench, op)

    bench.world.ledger.pin(bench.subject, pinned=False)
    assert _resumed(bench, op).phase.is_final
    assert STACK not in bench.record.resources or bench.stacks
