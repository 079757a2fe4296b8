"""TLS to the broker: the chain and the name of every host are checked, for commands and events."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from consumer.broker.link import Brokers, Down, Tls
from consumer.broker.topology import Notices, declare_notices
from consumer.codec.documents.samples import events
from consumer.notifications import Notifier, from_amqp
from consumer.relay import NotSent
from tests.contract.openstack.certificates import self_signed

EVENT = next(iter(events()))


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def tls_broker(url: str, certificate: Path) -> Iterator[str]:
    """The real broker behind TLS with this certificate; yields its URL."""
    parts = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                Thread(target=forward, args=(client,), daemon=True).start()

    def forward(client: socket.socket) -> None:
        with suppress(OSError):
            secure = context.wrap_socket(client, server_side=True)
            server = socket.create_connection((parts.hostname or "", parts.port or 5672))
            Thread(target=pump, args=(server, secure), daemon=True).start()
            pump(secure, server)

    Thread(target=serve, daemon=True).start()
    userinfo = parts.netloc.rpartition("@")[0]
    netloc = f"{userinfo}@127.0.0.1:{listener.getsockname()[1]}"
    yield parts._replace(scheme="amqps", netloc=netloc).geturl()
    listener.close()


@pytest.fixture
def right(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1, where the brokers of these tests are."""
    return self_signed(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A certificate of another host."""
    return self_signed(tmp_path, "127.0.0.2")


def notifier_to(url: str, notices: Notices, ca: Path) -> Notifier:
    return Notifier(
        [from_amqp(url)],
        exchange=notices.exchange,
        topics=notices.topics,
        publisher_id="p",
        timeout=2,
        tls=Tls(ca=str(ca)),
    )


def test_commands_and_events_go_over_tls(rabbitmq_url: str, notices: Notices, right: Path) -> None:
    with tls_broker(rabbitmq_url, right) as url:
        wire = Brokers([url], tls=Tls(ca=str(right))).connect()
        declare_notices(wire, notices)
        wire.close()
        notifier = notifier_to(url, notices, right)
        notifier.publish(EVENT)
        notifier.close()


def test_certificate_of_an_unknown_authority_is_refused(
    rabbitmq_url: str, notices: Notices, right: Path, other: Path
) -> None:
    with tls_broker(rabbitmq_url, right) as url:
        with pytest.raises(Down, match="CERTIFICATE_VERIFY_FAILED"):
            Brokers([url], tls=Tls(ca=str(other))).connect()
        with pytest.raises(Down, match="CERTIFICATE_VERIFY_FAILED"):
            Brokers([url]).connect()  # amqps:// alone checks too
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            notifier_to(url, notices, other).publish(EVENT)


def test_certificate_of_another_host_is_refused(
    rabbitmq_url: str, notices: Notices, other: Path
) -> None:
    with tls_broker(rabbitmq_url, other) as url:
        with pytest.raises(Down, match="mismatch"):
            Brokers([url], tls=Tls(ca=str(other))).connect()
        with pytest.raises(NotSent, match="mismatch"):
            notifier_to(url, notices, other).publish(EVENT)


def test_each_host_is_checked_against_its_own_name(
    rabbitmq_url: str, right: Path, other: Path, tmp_path: Path
) -> None:
    both = tmp_path / "ca.pem"
    both.write_bytes(right.read_bytes() + other.read_bytes())
    with tls_broker(rabbitmq_url, other) as bad, tls_broker(rabbitmq_url, right) as good:
        brokers = Brokers([bad, good], tls=Tls(ca=str(both)))
        with pytest.raises(Down, match="mismatch"):
            brokers.connect()
        wire = brokers.connect()
        assert wire.is_open
        wire.close()
