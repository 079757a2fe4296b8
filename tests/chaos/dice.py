"""Random schedules: everything that can go wrong, thrown together. The seed says it all."""

from random import Random

from handlers.clouds.memory.faults import Delay, Effect, FaultRule, Late
from handlers.keys import STACK
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.chaos.crossings import LEDGER_CALLS
from tests.chaos.faultkinds import FAULTS
from tests.chaos.scenario import Start
from tests.chaos.scenarios import CASES, SCENARIOS, Case
from tests.chaos.schedule import Do, Schedule, Strike

_CHECKPOINTS = ("before-intent", "after-intent", "after-call", "before-finish", "after-finish")
_LEDGER = tuple(f"{when}-{call}" for call in LEDGER_CALLS for when in ("before", "after"))

#: How often a place is struck; what comes often in a run may be struck late in it.
_NTH = {"in-look": 15, "in-call": 8, "before-intent": 8, "after-intent": 8, "after-call": 8}

_VERBS = (
    *("create_server", "create_volume", "create_port", "create_security_group", "create_rules"),
    *("delete_server", "delete_volume", "delete_port", "delete_security_group", "delete_rule"),
    *("resize_server", "confirm_resize", "revert_resize", "reset_server"),
    *("extend_volume", "reset_volume"),
    *("create_stack", "update_stack", "delete_stack", "cancel_stack_update", "*_stack"),
    *("create_*", "delete_*", "*_server", "*_volume", "find_*", "get_*", "changed_*", "*"),
)

_DOES = (
    *(Do.CRASH, Do.CRASH, Do.CRASH, Do.PAUSE, Do.PAUSE, Do.STOP, Do.UNAVAILABLE),
    *(Do.DELETE, Do.NEXT, Do.AGAIN, Do.OTHER),
)

#: Where Heat is at work, besides.
_DOES_TO_HEAT = (Do.ENGINE, Do.ENGINE, Do.MEDDLE)

#: Where an instance changes hands, besides.
_DOES_TO_MOVES = (Do.CANCEL, Do.VANISH)
_VERBS_OF_MOVES = (
    *("adopt_stack", "check_stack", "preview_stack", "doom_volume", "doom_volume"),
    *("get_stack*", "get_*_in_full"),
)

#: An engine that comes back finds what was asked for in its last ten seconds.
_SECONDS = {Do.PAUSE: (3.0, 12.0, 25.0, 45.0, 80.0), Do.ENGINE: (1.0, 8.0, 12.0, 40.0)}


def has_stack(case: Case) -> bool:
    """Whether the subject's things are Heat's, and an update without a change changes nothing."""
    no = (Start.FOREIGN, Start.STRANGER, Start.MISLED)
    return case.manager != NATIVES and SCENARIOS[case.scenario].start not in no


def roll(seed: int) -> Schedule:
    """The schedule of a seed: 0 to 4 strikes and 0 to 3 faults on any case."""
    dice = Random(seed)
    case = dice.choice(CASES)
    return Schedule(
        manager=case.manager,
        scenario=case.scenario,
        seed=seed,
        workers=dice.choice((1, 2, 2, 3)),
        strikes=tuple(_strike(dice, case) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 4)))),
        faults=tuple(_fault(dice, case) for _ in range(dice.choice((0, 0, 1, 1, 2, 3)))),
        lag=dice.choice((0.0, 0.0, 3.0)),
    )


def _strike(dice: Random, case: Case) -> Strike:
    does = (*_DOES, *_DOES_TO_HEAT) if has_stack(case) else _DOES
    do = dice.choice((*does, *_DOES_TO_MOVES) if case.manager == MIGRATION else does)
    places = (
        _LEDGER if do is Do.UNAVAILABLE else (*_CHECKPOINTS * 3, *_LEDGER, "in-call", "in-look")
    )
    at = dice.choice(places)
    return Strike(
        at=at,
        do=do,
        nth=dice.randint(1, _NTH.get(at, 2 if "finish" in at or "accept" in at else 12)),
        seconds=dice.choice(_SECONDS.get(do, (0.0,))),
    )


def _fault(dice: Random, case: Case) -> FaultRule:
    verbs = (*_VERBS, *_VERBS_OF_MOVES) if case.manager == MIGRATION else _VERBS
    verb, effect = dice.choice(verbs), _effect(dice)
    match dice.randrange(4):
        case 0:
            return FaultRule(effect=effect, verb=verb, nth=dice.randint(1, 4))
        case 1:
            chance, times = dice.choice((0.1, 0.3, 0.6)), dice.randint(1, 6)
            return FaultRule(effect=effect, verb=verb, probability=chance, times=times)
        case 2:
            return FaultRule(effect=effect, verb=verb, times=dice.randint(1, 3))
        case _:
            return FaultRule(effect=effect, verb=verb)


def _effect(dice: Random) -> Effect:
    effect = dice.choice(tuple(FAULTS.values()))
    if isinstance(effect, Late):
        return Late(seconds=round(dice.uniform(0.5, 9.5), 1), status=effect.status)
    if isinstance(effect, Delay):
        return Delay(seconds=round(dice.uniform(0.1, 9.5), 1))
    return effect


def roll_late(seed: int) -> Schedule:
    """A create of which a part, or the stack, lands long after everybody stopped waiting for it.

    So it is made a second time. The build takes long enough for the late one to land before the
    operation ends; half of the time the worker dies with its call under way.
    """
    dice = Random(seed)
    verb, step = dice.choice(
        (
            ("create_volume", "volume/data"),
            ("create_port", "port/user-0"),
            ("create_port", "port/management-0"),
            ("create_security_group", "security-group"),
            ("create_stack", STACK),
            ("create_stack", STACK),
        )
    )
    manager = ORCHESTRATOR if step == STACK else NATIVES
    crash = Strike(at="in-call", step=step, do=Do.CRASH)
    late = Late(seconds=round(dice.uniform(20, 80), 1))
    return Schedule(
        scenario="create",
        manager=manager,
        seed=seed,
        workers=dice.choice((1, 2)),
        strikes=(crash,) if dice.random() < 0.5 else (),
        faults=(FaultRule(effect=late, verb=verb, role=step, times=1),),
        lag=dice.choice((0.0, 3.0)),
        slow=True,
        beyond=True,
    )
