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
    ways = stage(file=file, heat_timeout=5, resize=15, create=15)
    subject, before = ways.create()
    natives, other = ways.natives(), ways.bench.subject()
    usual = natives.succeed(other, ways.instance()).seconds
    heat.refuse()
    heat.cut()
    resize = ways.bench.send(subject, ResizeInstance(project=TENANT, flavor=ways.site.large))
    create = ways.bench.send(ways.bench.subject(), ways.instance())
    now = natives.succeed(natives.subject(), ways.instance()).seconds
    assert now < 2 * usual + 2
    for command in (resize, create):
        done = ways.bench.ended_badly(command, Reason.DEADLINE, "orchestration")
        assert done.changes == 0
    ways.note(f"15; NATIVES create {now:.1f}, before {usual:.1f}")
    heat.heal()
    ways.is_as_before(subject, before)
    ways.goes_on(subject, before)


@pytest.mark.way(
    state="Heat away",
    made="its API hangs while a command is carried out, and comes back",
    exit="the command waits, and ends well",
)
def test_a_command_waits_for_heat(stage: Stage, heat: TcpProxy, file: str) -> None:
    ways = stage(file=file, heat_timeout=5)
    subject, before = ways.create()
    heat.stall()
    command = ways.bench.send(subject, ResizeInstance(project=TENANT, flavor=ways.site.large))
    time.sleep(8)
    heat.heal()
    ways.took(ways.bench.ended_well(command))
    assert ways.of(subject).ids == before.ids
    ways.ends(subject)


@pytest.mark.way(
    state="Heat away",
    made="a create hangs, and reaches Heat when the command has failed",
    exit="what landed late is found by its name and its tag, and deleted",
)
def test_a_create_that_lands_late_is_undone(stage: Stage, heat: TcpProxy, file: str) -> None:
    ways = stage(file=file, heat_timeout=5, create=10)
    heat.stall()
    command = ways.bench.send(ways.bench.subject(), ways.instance())
    time.sleep(15)
    heat.heal()
    ways.took(ways.bench.ended_badly(command, Reason.DEADLINE))
    ways.nothing_is_left()


@pytest.mark.way(
    state="Heat away",
    made="its API hangs while a delete is carried out, and comes back",
    exit="the delete waits, and ends well",
)
def test_a_delete_waits_for_heat(stage: Stage, heat: TcpProxy, file: str) -> None:
    ways = stage(file=file, heat_timeout=5)
    subject, _ = ways.create()
    heat.stall()
    command = ways.bench.send(subject, DELETE)
    time.sleep(8)
    heat.heal()
    ways.took(ways.bench.ended_well(command))
    ways.nothing_is_left()
