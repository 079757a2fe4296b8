"""A fleet that moves while its workers come and go: whole workers in this process."""

import time

from msgspec.structs import replace

from consumer.fleet.orders import abort, give, roll_back
from consumer.ledger.fleet import Direction, Item, Migration, Settings, Stage, Status
from handlers.natives import NAME as NATIVES
from handlers.orchestrator import NAME as ORCHESTRATOR
from tests.app.test_worker import QUICK, Deployment, wall
from tests.support.processes import wait_until

SETTINGS = Settings(canary=1, batch=2, concurrency=2, per_project=2, soak=0)


def started(deployment: Deployment, subjects: list[str]) -> None:
    """A migration of these instances, as `migrate start` writes it."""
    now = wall()
    migration = Migration(
        id="fleet",
        direction=Direction.ADOPT,
        status=Status.RUNNING,
        settings=SETTINGS,
        fingerprint="f",
        cloud="",
        region="",
        created=now,
        changed=now,
    )
    items = [
        Item(migration="fleet", subject=name, project="project-1", place=place, batch=min(place, 1))
        for place, name in enumerate(subjects)
    ]
    assert deployment.ledger.start_migration(migration, items, [])


def status(deployment: Deployment) -> Status:
    found = deployment.ledger.migration("fleet")
    assert found is not None
    return found.status


def managers(deployment: Deployment) -> set[str]:
    return {record.manager for record in deployment.ledger.instances()}


def test_workers_that_come_and_go_move_a_fleet_into_stacks_and_back() -> None:
    deployment = Deployment()
    creates = [deployment.create() for _ in range(3)]
    with deployment.running():
        for create in creates:
            deployment.client.run(create, 30, lambda event: None)
        servers = sorted(deployment.state.core.servers)

    started(deployment, [create.subject for create in creates])
    with deployment.running():
        time.sleep(1.5)  # somewhere in the canary
    with deployment.running():
        assert wait_until(lambda: status(deployment).is_final, 60), deployment.log.getvalue()

    assert status(deployment) is Status.DONE, deployment.ledger.items("fleet")
    assert managers(deployment) == {ORCHESTRATOR}
    assert sorted(deployment.state.core.servers) == servers

    give(deployment.ledger, "fleet", roll_back, wall, (Stage.FAILED,))
    with deployment.running():
        assert wait_until(lambda: status(deployment).is_final, 60), deployment.log.getvalue()

    assert status(deployment) is Status.ROLLED_BACK, deployment.ledger.items("fleet")
    assert managers(deployment) == {NATIVES}
    assert sorted(deployment.state.core.servers) == servers


def test_an_abort_gives_back_what_is_being_adopted() -> None:
    deployment = Deployment(replace(QUICK, heat_step=(2.0, 2.0)))
    create = deployment.create()
    with deployment.running():
        deployment.client.run(create, 30, lambda event: None)
        before = deployment.state.inventory()
        started(deployment, [create.subject])
        moving = {Stage.ADOPTING, Stage.ADOPTED}
        assert wait_until(lambda: bool(deployment.ledger.items("fleet", moving)), 30)
        give(deployment.ledger, "fleet", abort, wall)
        assert wait_until(lambda: status(deployment).is_final, 60), deployment.log.getvalue()

    (item,) = deployment.ledger.items("fleet")
    assert (status(deployment), item.stage) == (Status.ABORTED, Stage.ROLLED_BACK), item
    assert managers(deployment) == {NATIVES}
    assert deployment.state.inventory() == before
