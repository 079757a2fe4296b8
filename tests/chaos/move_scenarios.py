"""The scenarios of MIGRATION: every move of an instance, and what drives it back."""

from collections.abc import Callable

from handlers.clouds.memory.faults import FaultRule, Outcome, Spoil
from handlers.clouds.memory.settings import Abilities
from handlers.commands import AdoptInstance, Body, ReleaseInstance
from handlers.errors import Reason
from handlers.migration import NAME as MIGRATION
from tests.chaos.scenario import (
    PROJECT,
    Named,
    Scenario,
    Start,
    add_rules,
    grow,
    refused,
    resize,
    update_rules,
)

#: Seconds that a move may take where it is to run out of time.
_SHORT = 30


def adopt(*, commit: bool = True, freeze: int | None = None) -> Callable[[Named], Body]:
    return lambda named: AdoptInstance(project=PROJECT, commit=commit, max_freeze=freeze)


def release(named: Named) -> Body:
    return ReleaseInstance(project=PROJECT)


_ONLY = frozenset({MIGRATION})
_STAYS = FaultRule(effect=Spoil(Outcome.STUCK), verb="adopt_stack", times=1)
_KEEPS = FaultRule(effect=Spoil(Outcome.ERROR), verb="delete_stack", times=1)

MOVES: tuple[Scenario, ...] = (
    Scenario(name="adopt", start=Start.NATIVE, body=adopt(), after=resize("3")),
    Scenario(name="adopt-imported", start=Start.IMPORTED, body=adopt(), after=grow),
    Scenario(name="adopt-to-soak", start=Start.IMPORTED, body=adopt(commit=False), after=adopt()),
    Scenario(name="adopt-and-back", start=Start.NATIVE, body=adopt(commit=False), after=release),
    Scenario(name="adopt-commit", start=Start.SOAKING, body=adopt(), after=resize("1")),
    Scenario(name="adopt-again", start=Start.ADOPTED, body=adopt(), after=release),
    Scenario(
        name="adopt-unchecked",
        start=Start.IMPORTED,
        body=adopt(),
        after=adopt(),
        always=(refused("check_stack", 400),),
        fails=Reason.REFUSED,
    ),
    Scenario(
        name="adopt-harmful",
        start=Start.IMPORTED,
        body=adopt(),
        after=resize("3"),
        harmful=True,
        fails=Reason.DRIFT,
    ),
    Scenario(
        name="adopt-uncommitted",
        start=Start.IMPORTED,
        body=adopt(),
        after=adopt(commit=False),
        always=(refused("update_stack", 403),),
        fails=Reason.REFUSED,
    ),
    Scenario(
        name="adopt-late",
        start=Start.IMPORTED,
        body=adopt(freeze=_SHORT),
        after=adopt(),
        always=(_STAYS,),
        fails=Reason.DEADLINE,
    ),
    Scenario(
        name="adopt-twins",
        start=Start.IMPORTED,
        body=adopt(),
        after=grow,
        abilities=Abilities(twins=True),
        fails=Reason.UNSUPPORTED,
    ),
    Scenario(
        name="adopt-disabled",
        start=Start.IMPORTED,
        body=adopt(),
        after=resize("3"),
        abilities=Abilities(adoption=False),
        fails=Reason.UNSUPPORTED,
    ),
    Scenario(
        name="adopt-taken",
        start=Start.TAKEN,
        body=adopt(),
        after=resize("3"),
        fails=Reason.EXISTS,
    ),
    Scenario(
        name="adopt-drifted",
        start=Start.DRIFTED,
        body=adopt(),
        after=resize("3"),
        refused=_ONLY,
        fails=Reason.DRIFT,
    ),
    Scenario(name="release", start=Start.STACKED, body=release, after=resize("3")),
    Scenario(name="release-soaking", start=Start.SOAKING, body=release, after=adopt()),
    Scenario(name="release-adopted", start=Start.ADOPTED, body=release, after=add_rules),
    Scenario(name="release-again", start=Start.NATIVE, body=release, after=update_rules),
    Scenario(
        name="release-undone",
        start=Start.ADOPTED,
        body=release,
        after=release,
        always=(refused("update_stack", 403),),
        fails=Reason.REFUSED,
    ),
    Scenario(
        name="release-resisted",  # by Heat once: then it is asked again
        start=Start.STACKED,
        body=release,
        after=adopt(),
        always=(_KEEPS,),
    ),
)
