"""A corner of the real RabbitMQ for each test."""

from collections.abc import Iterator

import pytest

from consumer.broker.topology import Notices, Topology
from tests.support.broker import Sending, corner


@pytest.fixture
def names(rabbitmq_url: str) -> Iterator[tuple[Topology, Notices]]:
    """Fresh names of exchanges and queues, removed at the end."""
    with corner(rabbitmq_url) as names:
        yield names


@pytest.fixture
def topology(names: tuple[Topology, Notices]) -> Topology:
    return names[0]


@pytest.fixture
def notices(names: tuple[Topology, Notices]) -> Notices:
    return names[1]


@pytest.fixture
def sending(rabbitmq_url: str, topology: Topology) -> Iterator[Sending]:
    """A publisher to the test's own command queue."""
    sending = Sending(rabbitmq_url, topology)
    yield sending
    sending.close()
