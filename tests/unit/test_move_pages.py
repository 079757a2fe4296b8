"""The pages that the runs of moves write."""

from msgspec.structs import replace

from tests.real.fleet_page import Disturbed, Figures, Move
from tests.real.fleet_page import markdown as fleet_page
from tests.real.jobs import ADOPT, at
from tests.real.kills_page import Killed, Lot
from tests.real.kills_page import markdown as kills_page
from tests.real.mines import BEFORE_SAVE, CONDUCTOR
from tests.real.report import Recovery
from tests.real.targets import ANYBODY, Crossing, Target

MOVE = Move(
    name="adopt",
    instances=3,
    seconds=60.0,
    planning=4.2,
    asked=12,
    plan="a plan",
    freezes=(5.0, 6.0, 9.0),
    most=120,
    watched="a line",
    report="a report",
)
FIGURES = Figures(
    instances=3,
    trove=1,
    shapes=3,
    commands=9,
    seconds=90.0,
    moves=(MOVE,),
    disturbed=(Disturbed(move="adopt", waited=7.5, ended=True),),
    news={"trove.resources.migration.done": 1},
    wrong=(),
)


def test_the_page_of_a_fleet_tells_of_freezes_requests_and_waits() -> None:
    page = "\n".join(fleet_page(FIGURES, "picture.svg"))
    assert "| adopt | 3 | 60 | 6.0 s | 9.0 s | 9.0 s | 120 s |" in page
    assert "12 requests, 4.2 s" in page
    assert "median 7.5 s, longest 7.5 s" in page
    assert "(picture.svg)" in page
    assert "What is wrong" not in page


def test_the_page_of_a_fleet_counts_and_lists_what_is_wrong() -> None:
    wrong = ("leaked: 2 trusts", "failed: something")
    page = "\n".join(fleet_page(replace(FIGURES, wrong=wrong), "picture.svg"))
    assert "| leaked | 1 |" in page
    assert "* failed: something" in page


def test_the_page_of_kills_has_a_table_for_each_kind_of_crossing() -> None:
    crossings = (
        *at(ADOPT, "stack", "after-call"),
        *at(ADOPT, "end", "after-finish"),
        Crossing(CONDUCTOR, "adopt", "observed", BEFORE_SAVE),
    )
    killed = Killed(
        instances=4,
        doomed=2,
        commands=9,
        seconds=99.0,
        recoveries=tuple(
            Recovery(target=Target(ANYBODY, each), taken=8.0, going=9.0) for each in crossings
        ),
        pools=1,
        exits=4,
        starts=6,
        lots=(
            Lot(name="adoptions", moves=4, kills=3, called_back=1, adopted=3, native=1, wrong=1),
        ),
        missed=at(ADOPT, "check", "after-call"),
        wrong=("instance of natives: between: there is a stack",),
    )
    page = "\n".join(kills_page(killed))
    assert "| adoptions | 4 | 3 | 1 | 3 | 1 | 1 |" in page
    assert "| instance.adopt | stack | 0 | 0 | 1 (9) |" in page
    assert "| instance.adopt | end | 0 | 1 (9) |" in page
    assert "| adopt | observed | 1 (9) | 0 |" in page
    assert "| instances between two managers | 1 |" in page
    assert "instance.adopt check after-call" in page
