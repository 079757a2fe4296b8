"""Heat is away, or hangs: what needs it waits, what does not need it goes on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from handlers.commands import ResizeInstance
from handlers.errors import Reason
from tests.cloud.ways_out.conftest import Stage
from tests.cloud.ways_out.ground import ENTRY, Ground
from tests.contract.managers.bench import TENANT
from tests.contract.managers.orders import DELETE
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def heat(own_ground: Ground) -> Iterator[TcpProxy]:
    """A network between the worker and Heat's API."""
    with TcpProxy(*own_ground.heat) as proxy:
        yield proxy


@pytest.fixture
def file(own_ground: Ground, heat: TcpProxy, tmp_path: Path) -> str:
    """A clouds.yaml that leads there."""
    clouds = yaml.safe_load(Path(own_ground.file).read_text())
    url = f"http://127.0.0.1:{heat.port}/v1/{own_ground.project.id}"
    clouds["clouds"][ENTRY]["orchestration_endpoint_override"] = url
    written = tmp_path / "clouds.yaml"
    written.write_text(yaml.safe_dump(clouds))
    return str(written)


@pytest.mark.way(
    state="Heat away",
    made="its API cannot be reached",
    exit="commands fail at their deadline and say why; NATIVES are as fast as before",
)
def test_what_needs_no_heat_goes_on_while_it_cannot_be_reached(
    stage: Stage, heat: TcpProxy, file: str
) -> None:
    ways = stage(file=file, heat_timeout=20, natives=True, resize=20, create=20)
    subject, before = ways.create()
    usual = ways.bench.succeed(ways.natives, _resize(ways.site.large)).seconds
    heat.refuse()
    heat.cut()
    resize = ways.bench.send(subject, _resize(ways.site.large))
    create = ways.bench.send(ways.bench.subject(), ways.instance())
    now = ways.bench.succeed(ways.natives, _resize(ways.site.small)).seconds
    assert now < 2 * usual + 2
    ways.bench.ended_badly(resize, Reason.DEADLINE, "orchestration: ")
    ways.note(f"20; a resize by NATIVES {now:.1f}, before {usual:.1f}")
    heat.heal()
    ways.bench.ended_badly(create, Reason.DEADLINE, "orchestration: ")
    ways.is_as_before(subject, before)
    ways.works(subject, before)
    for each in (subject, ways.natives):
        ways.bench.succeed(each, DELETE)
    ways.nothing_is_left()


@pytest.mark.way(
    state="Heat away",
    made="its API hangs during a resize, and comes back",
    exit="the command waits, and ends well",
)
def test_a_resize_waits_for_heat(stage: Stage, heat: TcpProxy, file: str) -> None:
    ways = stage(file=file)
    subject, before = ways.create()
    heat.stall()
    command = ways.bench.send(subject, _resize(ways.site.large))
    time.sleep(10)
    heat.heal()
    ways.took(ways.bench.ended_well(command))
    assert ways.of(subject).ids == before.ids
    ways.ends(subject)


@pytest.mark.way(
    state="Heat away",
    made="its API hangs during a delete, and comes back",
    exit="the delete waits, and ends well",
)
def test_a_delete_waits_for_heat(stage: Stage, heat: TcpProxy, file: str) -> None:
    ways = stage(file=file)
    subject, _ = ways.create()
    heat.stall()
    command = ways.bench.send(subject, DELETE)
    time.sleep(10)
    heat.heal()
    ways.took(ways.bench.ended_well(command))
    ways.nothing_is_left()


@pytest.mark.way(
    state="answer lost",
    made="Heat makes the stack, and its answer gets lost",
    exit="the stack is found by its name and by the tag of the write, and not made again",
)
def test_a_create_whose_answer_got_lost_goes_on(stage: Stage, heat: TcpProxy, file: str) -> None:
    ways = stage(file=file, heat_timeout=10)
    subject = ways.bench.subject()
    heat.mute()
    command = ways.bench.send(subject, ways.instance())
    ways.operator.waits(lambda: bool(ways.of(subject).stacks))
    time.sleep(10)
    heat.heal()
    ways.took(ways.bench.ended_well(command))
    assert len(ways.of(subject).stacks) == 1
    ways.ends(subject)


def _resize(flavor: str) -> ResizeInstance:
    return ResizeInstance(project=TENANT, flavor=flavor)
