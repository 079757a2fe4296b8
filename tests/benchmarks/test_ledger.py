"""What a ledger costs: rows per second and CPU of this process per row.

A save is one of about twelve that a create makes; each thread has operations of its own.
"""

import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from consumer.ledger.base import Offer
from consumer.ledger.migrations import upgrade
from consumer.ledger.sql.connect import Limits, engine_of
from consumer.ledger.sql.database import Database
from consumer.ledger.sql.ledger import SqlLedger
from consumer.secrets import Vault
from handlers.operation import Operation
from tests.contract.ledger.builders import create, offer, opener, record, success
from tests.contract.ledger.conftest import SERVERS
from tests.support.databases import fresh_database
from tests.support.services import need

OPERATIONS = 200
SAVES = 12


class Meter:
    """Rows written, seconds passed and CPU used, by stage."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.cost: dict[str, float] = {}

    def measure(self, stage: str, rows: int, work: Callable[[], None]) -> None:
        cpu, start = _cpu(), time.perf_counter()
        work()
        seconds, used = time.perf_counter() - start, _cpu() - cpu
        self.cost[stage.partition(" ")[0]] = used / rows * 1e6
        self.lines.append(f"{stage:<28}{rows / seconds:>10.0f}{used / rows * 1e6:>12.0f}")


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def bench(ledger: SqlLedger, threads: int) -> Meter:
    """Accept, open, save and finish operations; one line per stage."""
    meter = Meter()
    offers = [offer(f"c{n}", f"s{n}", body=create(secret="x" * 2000)) for n in range(OPERATIONS)]
    meter.measure("accept (20 at a time)", OPERATIONS, lambda: _accept(ledger, offers))
    ops: list[Operation] = []
    meter.measure("open (50 at a time)", OPERATIONS, lambda: ops.extend(_open(ledger)))

    def every(work: Callable[[Operation], None]) -> Callable[[], None]:
        def run() -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, ops))

        return run

    latest: dict[str, Operation] = {}

    def save(op: Operation) -> None:
        for n in range(SAVES):
            op = op.note(op.opened + n, "acted", f"port/{n}", "create_port", request_id="r" * 40)
            op = ledger.save(op.learn(f"port/{n}", {"id": "i" * 36}, op.opened))
        latest[op.id] = op

    def finish(op: Operation) -> None:
        ledger.finish(success(latest[op.id], op.opened + 100, record(op.subject)))

    meter.measure(f"save ({threads} threads)", OPERATIONS * SAVES, every(save))
    meter.measure(f"finish ({threads} threads)", OPERATIONS, every(finish))
    return meter


def _accept(ledger: SqlLedger, offers: list[Offer]) -> None:
    for first in range(0, len(offers), 20):
        ledger.accept(offers[first : first + 20], "w1")


def _open(ledger: SqlLedger) -> Iterator[Operation]:
    while found := ledger.open("w1", opener, 50):
        yield from found


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("mariadb", marks=pytest.mark.integration),
        pytest.param("postgresql", marks=pytest.mark.integration),
    ]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated database."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        if request.param in SERVERS:
            url = stack.enter_context(fresh_database(need(SERVERS[request.param])))
        engine = engine_of(url, Limits(pool_size=20))
        stack.callback(engine.dispose)
        upgrade(engine)
        yield engine


@pytest.mark.parametrize("threads", [1, 16])
def test_a_save_costs_little(engine: Engine, threads: int) -> None:
    """Twelve saves are a tenth to a fifth of what a create may cost (2.5 ms and 1.4 ms a call)."""
    meter = bench(SqlLedger(Database(engine), Vault([Vault.new_key()])), threads)
    print(f"\n{engine.dialect.name:<28}{'rows/s':>10}{'CPU us/row':>12}")
    print("\n".join(meter.lines))
    assert meter.cost["save"] < 1000
