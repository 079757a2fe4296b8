"""Where processes are killed while instances change hands, and what is called back in the middle.

A round gives every instance one move. A move that is to be called back is killed at a crossing and
cancelled while nobody has it, so that the next worker takes the way back; that way has crossings of
its own. test_move_kills.py holds this table to the plans of handlers/migration.py.
"""

from collections.abc import Collection, Sequence
from itertools import cycle

import msgspec
from msgspec.structs import replace

from consumer.ledger.fleet import Direction
from handlers.commands import AdoptInstance, Body, ReleaseInstance
from handlers.errors import Reason
from handlers.migration import COMMIT, LET_GO, RETAIN
from handlers.migration import NAME as MIGRATION
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from handlers.steps.doom import DOOM
from handlers.steps.twin import TWIN
from tests.real.mines import AFTER_ASK, AFTER_SAVE, BEFORE_ASK, BEFORE_SAVE, CONDUCTOR
from tests.real.phases import TENANT
from tests.real.targets import BACK, BOUNDARIES, END, ENDS, Crossing, Target

ADOPT, RELEASE = "instance.adopt", "instance.release"
STACK, CHECK, PREVIEW = "stack", "check", "preview"
BEFORE, INTENT, CALL = BOUNDARIES

#: Seconds: the shortest `max_freeze`. A dead worker is found later than that.
SHORTEST = 10

#: Steps that only an instance has whose volume Nova deletes with the server.
_DOOMED = (DOOM, BACK + DOOM)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One move, the crossings at which its worker is killed, and the one where it is called back.

    A job with `doomed` needs an instance whose volume Nova deletes with the server.
    """

    kills: tuple[Crossing, ...]
    called_back: Crossing | None = None
    doomed: bool = False


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs for different instances; `manager` owns those whose move was not called back, and
    `back` those whose was. `everybody` moves, also without a job. `reason` is what ends those that
    are called back: an operator, or their own deadline, which passes while nobody has them."""

    name: str
    body: Body
    jobs: tuple[Job, ...]
    manager: str
    back: str
    everybody: bool = True
    reason: Reason = Reason.OPERATOR


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One instance's part of a round."""

    subject: str
    targets: tuple[Target, ...] = ()
    called_back: Target | None = None


def at(command: str, step: str, *boundaries: str) -> tuple[Crossing, ...]:
    """The crossings of a step of MIGRATION."""
    return tuple(Crossing(MIGRATION, command, step, each) for each in boundaries)


def rounds() -> tuple[Round, ...]:
    """All of them; after them every instance is native."""
    adopt, release = AdoptInstance(project=TENANT), ReleaseInstance(project=TENANT)
    return (
        Round(
            name="adoptions that are called back",
            body=adopt,
            jobs=_ADOPTIONS_BACK,
            manager=ORCHESTRATOR,
            back=NATIVES,
            everybody=False,
        ),
        Round(
            name="adoptions whose freeze takes too long",
            body=AdoptInstance(project=TENANT, max_freeze=SHORTEST),
            jobs=_TOO_LONG,
            manager=ORCHESTRATOR,
            back=NATIVES,
            everybody=False,
            reason=Reason.DEADLINE,
        ),
        Round(
            name="adoptions",
            body=adopt,
            jobs=_single(_ADOPTIONS),
            manager=ORCHESTRATOR,
            back=NATIVES,
        ),
        Round(
            name="releases that are called back",
            body=release,
            jobs=_RELEASES_BACK,
            manager=NATIVES,
            back=ORCHESTRATOR,
            everybody=False,
        ),
        Round(
            name="releases",
            body=release,
            jobs=_single(_RELEASES),
            manager=NATIVES,
            back=ORCHESTRATOR,
        ),
    )


def program(*, small: bool) -> tuple[Round | Direction, ...]:
    """Rounds, and migrations in a direction. A small run makes the plain moves by migrations only,
    and dies once at each kind of call."""
    called_back, late, adoptions, releases_back, releases = rounds()
    if not small:
        moves = (called_back, late, adoptions, releases_back, releases)
        return (*moves, Direction.ADOPT, Direction.RELEASE)
    return (
        replace(called_back, jobs=_SMALL_ADOPTIONS_BACK),
        Direction.ADOPT,
        replace(releases_back, jobs=_RELEASES_BACK[:1]),
        Direction.RELEASE,
    )


def turns(a_round: Round, subjects: Sequence[str], doomed: Collection[str]) -> list[list[Turn]]:
    """Who does what, one list after the other: jobs that are called back have an instance each,
    others share them."""
    shared = [job for job in a_round.jobs if job.called_back is None]
    alone = [job for job in a_round.jobs if job.called_back is not None]
    found = [[_turn(one, [job]) for one, job in lot] for lot in _lots(alone, subjects, doomed)]
    if shared or a_round.everybody:
        found.append(_shared(shared, subjects, doomed))
    return found


def _shared(jobs: Sequence[Job], subjects: Sequence[str], doomed: Collection[str]) -> list[Turn]:
    """Each instance moves once, with the kills of several jobs."""
    anybody = cycle(sorted(subjects, key=lambda one: one in doomed))
    fitting = cycle([one for one in subjects if one in doomed] or subjects)
    chosen: dict[str, list[Job]] = {one: [] for one in subjects}
    for job in jobs:
        chosen[next(fitting if job.doomed else anybody)].append(job)
    return [_turn(one, some) for one, some in chosen.items()]


def _lots(
    jobs: Sequence[Job], subjects: Sequence[str], doomed: Collection[str]
) -> list[list[tuple[str, Job]]]:
    """As few lots as possible, in which no instance has two jobs."""
    lots: list[list[tuple[str, Job]]] = []
    rest = sorted(jobs, key=lambda job: not job.doomed)
    while rest:
        free = sorted(subjects, key=lambda one: one in doomed)
        lot: list[tuple[str, Job]] = []
        for job in list(rest):
            fits = [one for one in free if one in doomed or not job.doomed]
            if fits:
                lot.append((fits[0], job))
                free.remove(fits[0])
                rest.remove(job)
        if not lot:
            raise ValueError(f"no instance fits {rest}")
        lots.append(lot)
    return lots


def _turn(subject: str, jobs: Sequence[Job]) -> Turn:
    back = next((job.called_back for job in jobs if job.called_back), None)
    return Turn(
        subject=subject,
        targets=tuple(Target(subject, each) for job in jobs for each in job.kills),
        called_back=Target(subject, back) if back else None,
    )


def _single(crossings: Sequence[Crossing]) -> tuple[Job, ...]:
    return tuple(Job(kills=(each,), doomed=each.step in _DOOMED) for each in crossings)


def _back(command: str, called_back: tuple[str, str], *kills: tuple[str, str]) -> Job:
    """Called back at a step and boundary, then killed at steps and boundaries of the way back."""
    steps = [called_back[0], *(BACK + step for step, _ in kills)]
    return Job(
        kills=tuple(Crossing(MIGRATION, command, BACK + step, each) for step, each in kills),
        called_back=Crossing(MIGRATION, command, *called_back),
        doomed=any(step in _DOOMED for step in steps),
    )


_BEFORE_FINISH, _AFTER_FINISH = ENDS

_ADOPTIONS = (
    *(
        one
        for step in (DOOM, STACK, CHECK, PREVIEW, COMMIT)
        for one in at(ADOPT, step, *BOUNDARIES)
    ),
    *at(ADOPT, END, *ENDS),
)
_SMALL_ADOPTIONS = (
    *at(ADOPT, DOOM, CALL),
    *at(ADOPT, STACK, INTENT),
    *at(ADOPT, PREVIEW, BEFORE),
    *at(ADOPT, COMMIT, CALL),
)
_RELEASES = (
    *(one for step in (RETAIN, LET_GO, DOOM) for one in at(RELEASE, step, *BOUNDARIES)),
    *at(RELEASE, END, *ENDS),
)
_SMALL_RELEASES = (
    *at(RELEASE, RETAIN, CALL),
    *at(RELEASE, LET_GO, CALL),
    *at(RELEASE, DOOM, INTENT),
)

_ADOPTIONS_BACK = (
    _back(ADOPT, (COMMIT, CALL), (COMMIT, BEFORE), (STACK, INTENT), (DOOM, CALL)),
    _back(ADOPT, (COMMIT, CALL), (COMMIT, INTENT), (TWIN, CALL), (STACK, CALL)),
    _back(ADOPT, (COMMIT, CALL), (COMMIT, CALL), (TWIN, BEFORE), (DOOM, INTENT)),
    _back(ADOPT, (COMMIT, INTENT), (TWIN, INTENT), (STACK, BEFORE), (DOOM, BEFORE)),
    _back(ADOPT, (DOOM, CALL), (DOOM, INTENT), (END, _AFTER_FINISH)),
    _back(ADOPT, (STACK, CALL), (STACK, CALL), (END, _BEFORE_FINISH)),
    _back(ADOPT, (STACK, INTENT), (END, _AFTER_FINISH)),
    _back(ADOPT, (PREVIEW, CALL), (TWIN, CALL), (STACK, INTENT)),
)
_TOO_LONG = (
    _back(ADOPT, (STACK, INTENT)),
    _back(ADOPT, (STACK, CALL), (TWIN, BEFORE)),
    _back(ADOPT, (CHECK, CALL), (STACK, CALL)),
    _back(ADOPT, (COMMIT, CALL), (COMMIT, INTENT)),
)
_SMALL_ADOPTIONS_BACK = (
    _back(ADOPT, (COMMIT, CALL), (COMMIT, CALL), (DOOM, INTENT)),
    _back(ADOPT, (STACK, CALL), (STACK, CALL)),
)
_RELEASES_BACK = (
    _back(RELEASE, (RETAIN, CALL), (RETAIN, CALL), (END, _BEFORE_FINISH)),
    _back(RELEASE, (RETAIN, CALL), (RETAIN, INTENT), (END, _AFTER_FINISH)),
    _back(RELEASE, (LET_GO, BEFORE), (RETAIN, BEFORE)),
    _back(RELEASE, (RETAIN, INTENT), (END, _AFTER_FINISH)),
)


def conducted(direction: Direction, *, small: bool = False) -> tuple[Crossing, ...]:
    """The crossings of the conductor of a migration in this direction; in a small run a few, and
    some of the moves themselves."""
    adopts = direction is Direction.ADOPT
    stages = ("observed", "verified", *(("soaking",) if adopts else ()), "committed")
    saves = [
        Crossing(CONDUCTOR, str(direction), stage, each)
        for stage in stages
        for each in (BEFORE_SAVE, AFTER_SAVE)
    ]
    asks = [
        Crossing(CONDUCTOR, "ask", verb, each)
        for verb in (("adopt", "commit") if adopts else ("release",))
        for each in (BEFORE_ASK, AFTER_ASK)
    ]
    if small:
        return (saves[1], asks[1], *(_SMALL_ADOPTIONS if adopts else _SMALL_RELEASES))
    return (*saves, *asks)
