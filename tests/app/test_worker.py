"""A whole worker in this process: real threads, broker and ledger and cloud in memory."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from io import StringIO
from uuid import uuid4

import pytest
from msgspec.structs import replace

from consumer import wiring
from consumer.app import Given, build
from consumer.client import Client, Door
from consumer.config import Settings
from consumer.config.fleet import Migration, Trove
from consumer.config.settings import Broker, Ledger, Limits, Managers, Secrets, Telemetry
from consumer.config.settings import Worker as WorkerSettings
from consumer.ledger.base import Unavailable
from consumer.ledger.memory import MemoryLedger
from consumer.listening import Board
from consumer.relay import Announcer
from consumer.secrets import Vault
from consumer.telemetry.logs import Logs
from consumer.worker import Outcome, Worker
from handlers.base import Answer
from handlers.clouds.memory import CloudState, MemoryCloud, MemoryClouds, Times
from handlers.commands import Body, Command, CreateInstance, DeleteInstance, RebootInstance
from handlers.events import Event, News
from handlers.operation import Micros
from handlers.orders import NewVolume
from handlers.parts import DataVolume, Network
from handlers.resources import Service
from handlers.secret import Secret
from tests.support.processes import wait_until

QUICK = Times(
    server_build=(0.1, 0.2),
    server_bind=(0.05, 0.1),
    server_delete=(0.05, 0.1),
    volume_create=(0.05, 0.1),
    volume_delete=(0.05, 0.1),
)


def wall() -> Micros:
    return time.time_ns() // 1000


class Deployment:
    """What workers share: queue names of its own, a ledger, a cloud, and who hears of events."""

    def __init__(self, times: Times = QUICK) -> None:
        name = f"test-{uuid4()}"  # kombu's memory is one for the whole process
        self.state = CloudState(times=times)
        self.cloud = MemoryCloud(self.state)
        self.ledger = MemoryLedger(wall)
        self.board = Board()
        self.log = StringIO()
        self.settings = Settings(
            worker=WorkerSettings(host="test", tick=0.05, stop_timeout=20),
            broker=Broker(
                url=Secret("memory://"),
                exchange=name,
                queue=name,
                dead_letter_exchange=f"{name}.dead",
                dead_letter_queue=f"{name}.dead",
            ),
            ledger=Ledger(url=Secret("not used"), lease_ttl=5),
            telemetry=Telemetry(port=0),
        )

    def build(self, settings: Settings | None = None, announcer: Announcer | None = None) -> Worker:
        parts = Given(
            ledger=self.ledger,
            clouds=MemoryClouds({"": self.cloud}),
            announcer=announcer or self.board,
        )
        settings = settings or self.settings
        return build(settings, Logs(settings.telemetry, self.log).logger(), parts)

    @contextmanager
    def running(
        self, settings: Settings | None = None, announcer: Announcer | None = None
    ) -> Iterator[Worker]:
        worker = self.build(settings, announcer)
        worker.start()
        try:
            assert wait_until(lambda: worker.is_ready, 20)
            yield worker
        finally:
            worker.stop()

    @property
    def client(self) -> Client:
        door = Door(wiring.publisher_of(self.settings), wiring.topology_of(self.settings))
        return Client(door, "test", events=self.board.reader)

    def create(self) -> Command:
        catalogue = self.state.catalogue
        body = CreateInstance(
            project="project-1",
            name="db",
            flavor=catalogue.flavors[0].id,
            image=catalogue.images[0].id,
            networks=(Network(network=catalogue.networks[0].id),),
            volume=DataVolume(size=1),
        )
        return self.client.command(body, str(uuid4()))


def test_a_command_becomes_resources_and_events() -> None:
    deployment = Deployment()
    with deployment.running():
        create = deployment.create()
        told: list[Event] = []
        deployment.client.run(create, 20, told.append)

        assert [event.type.rpartition(".")[2] for event in told] == ["start", "end"]
        assert set(deployment.state.inventory()) == {create.subject}

        delete = deployment.client.command(DeleteInstance(project="project-1"), create.subject)
        last = deployment.client.run(delete, 20)

    assert last.data.error is None
    assert deployment.state.inventory() == {}


@pytest.mark.parametrize(("percent", "manager"), [(0, "natives"), (100, "orchestrator")])
def test_the_settings_of_migration_say_who_makes_a_new_instance(percent: int, manager: str) -> None:
    deployment = Deployment()
    settings = replace(
        deployment.settings,
        managers=Managers(default="migration"),
        migration=Migration(new_instances_percent=percent),
    )
    with deployment.running(settings):
        create = deployment.create()
        done = deployment.client.run(create, 20)

    record = deployment.ledger.instance(create.subject)
    assert done.data.error is None
    assert record is not None
    assert record.manager == manager


def test_a_worker_that_stops_gives_its_operations_away_at_once() -> None:
    deployment = Deployment(Times(server_build=(3.0, 3.0), server_bind=(0.1, 0.1)))
    create = deployment.create()
    with deployment.running() as first:
        deployment.client.send(create)
        assert wait_until(lambda: "server" in kinds(deployment), 20)

        assert first.stop() is Outcome.STOPPED

    with deployment.running() as second:
        assert wait_until(lambda: owner(deployment, create) == second.name, 2)
        assert wait_until(lambda: ended(deployment, create), 20)
    assert len(deployment.state.inventory()[create.subject]) == 4


def kinds(deployment: Deployment) -> set[str]:
    return {str(kind) for of in deployment.state.inventory().values() for kind in of}


def owner(deployment: Deployment, command: Command) -> str:
    op = deployment.ledger.operation(command.id)
    return op.owner if op else ""


def ended(deployment: Deployment, command: Command) -> bool:
    op = deployment.ledger.operation(command.id)
    return op is not None and op.phase.is_final


def test_a_worker_that_others_took_for_dead_ends_to_start_anew() -> None:
    deployment = Deployment()
    with deployment.running() as worker:
        deployment.ledger.retire(worker.name)

        assert worker.wait(20)
        assert worker.stop() is Outcome.LOST
    assert "taken for dead" in deployment.log.getvalue()


def test_a_loop_that_fails_ends_the_worker() -> None:
    class Broken:
        def publish(self, event: News) -> None:
            raise RuntimeError("a defect")

    deployment = Deployment()
    with deployment.running(announcer=Broken()) as worker:
        deployment.client.send(deployment.create())

        assert worker.wait(20)
        assert worker.stop() is Outcome.BROKEN
    assert "RuntimeError: a defect" in deployment.log.getvalue()


def test_a_call_that_does_not_end_keeps_nobody_from_stopping() -> None:
    calling, let_go = threading.Event(), threading.Event()

    class Hanging(MemoryCloud):
        def create_volume(self, new: NewVolume) -> Answer:
            calling.set()
            let_go.wait(30)
            return super().create_volume(new)

    deployment = Deployment()
    deployment.cloud = Hanging(deployment.state)
    hurried = replace(
        deployment.settings, worker=WorkerSettings(host="test", tick=0.05, stop_timeout=1)
    )
    try:
        with deployment.running(hurried) as worker:
            deployment.client.send(deployment.create())
            assert calling.wait(20)
            began = time.monotonic()

            assert worker.stop() is Outcome.HURRIED
            assert time.monotonic() - began < 10
            # its row lives on until the lease ends: the call may still land
            assert worker.name in [each.id for each in deployment.ledger.workers()]
    finally:
        let_go.set()


class Away(MemoryLedger):
    """A ledger that is away at first."""

    away = True

    def register(self, worker: str, host: str) -> Micros:
        if self.away:
            raise Unavailable("connection refused")
        return super().register(worker, host)


def test_a_ledger_that_is_away_is_waited_for_alive_but_not_ready() -> None:
    deployment = Deployment()
    deployment.ledger = ledger = Away(wall)
    port = free_port()
    settings = replace(deployment.settings, telemetry=Telemetry(port=port))
    worker = deployment.build(settings)
    worker.start()
    try:
        assert asked(port, "/healthz")[0] == 200
        status, body = asked(port, "/readyz")
        assert status == 503
        assert "config check" in body

        ledger.away = False

        assert wait_until(lambda: asked(port, "/readyz")[0] == 200, 20)
        assert b"trove_resources_fleet_workers 1.0" in asked(port, "/metrics")[1].encode()
    finally:
        worker.stop()


def test_a_worker_without_a_ledger_can_be_stopped() -> None:
    deployment = Deployment()
    deployment.ledger = Away(wall)
    worker = deployment.build()
    worker.start()

    assert worker.stop() is Outcome.STOPPED


def test_a_port_that_is_taken_is_an_error_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        deployment = Deployment()
        telemetry = Telemetry(port=taken.getsockname()[1])

        with pytest.raises(OSError, match="in use"):
            deployment.build(replace(deployment.settings, telemetry=telemetry))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def asked(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# -- wiring -------------------------------------------------------------------------------------


def test_the_quiet_time_covers_the_slowest_call_that_the_adapter_makes() -> None:
    settings = Settings()
    slowest = max(wiring.cloud_limits_of(settings).longest(service) for service in Service)

    assert settings.clouds.slowest_call == slowest
    timeouts = wiring.policy_of(settings).call_timeouts
    assert {each: timeouts[each] / 1e6 for each in Service} == {
        each: wiring.cloud_limits_of(settings).longest(each) for each in Service
    }


def test_deadlines_reach_the_policy() -> None:
    policy = wiring.policy_of(
        Settings(limits=Limits(deadline=900, deadlines={"instance.delete": 60.0}))
    )

    assert policy.limit_of(_command(RebootInstance(project="p"))) == 900e6
    assert policy.limit_of(_command(DeleteInstance(project="p"))) == 60e6


def _command(body: Body) -> Command:
    return Command(id="c1", subject="s1", source="test", body=body)


def test_every_password_and_key_is_known_to_the_log() -> None:
    key = Vault.new_key()
    settings = Settings(
        broker=Broker(url=Secret("amqp://u:first-pw@a//;amqp://u:second-pw@b//")),
        ledger=Ledger(url=Secret("mysql+pymysql://u:third-pw@db/x")),
        secrets=Secrets(keys=Secret(key)),
        trove=Trove(database=Secret("mysql+pymysql://u:fourth-pw@db/trove")),
    )

    passwords = {"first-pw", "second-pw", "third-pw", "fourth-pw"}
    assert set(wiring.secrets_of(settings)) == {*passwords, key}


@pytest.mark.parametrize(
    ("url", "tls", "asked_for"),
    [
        ("amqp://h//", False, False),
        ("amqp://h//", True, True),
        ("amqps://h//", False, True),
        ("amqp://a//;amqps://b//", False, True),
    ],
)
def test_tls_is_asked_for_by_the_option_or_the_url(url: str, *, tls: bool, asked_for: bool) -> None:
    settings = Settings(broker=Broker(url=Secret(url), tls=tls))

    assert (wiring.tls_of(settings) is not None) is asked_for
