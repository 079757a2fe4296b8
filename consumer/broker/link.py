"""Connections to the broker: one at a time, to one host, thrown away whole on any error.

py-amqp opens a channel that the broker has closed again by itself; delivery tags then start at 1
anew and a late acknowledgement destroys another message (measured on py-amqp 5.4.2). And kombu
checks the certificate of a second host against the name of the first (measured on kombu 5.7.0).
So nothing here is ever repaired: `Wire.drop` and `Brokers.connect` are the only way on.
"""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import msgspec
from kombu.connection import Connection
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.virtual import Channel as VirtualChannel

#: Seconds that the in-memory transport sleeps between two looks.
_MEMORY_POLL = 0.01


class Down(Exception):
    """The broker cannot be reached, or a connection broke.

    Whatever was under way may have happened: acknowledge nothing, send again with the same id.
    """


class Tls(msgspec.Struct, frozen=True):
    """Files (PEM). `ca` empty: the system's. TLS 1.2 or newer; chain and host name are checked."""

    ca: str = ""
    cert: str = ""
    key: str = ""

    def options(self, host: str) -> dict[str, Any]:
        """py-amqp's ssl options for one host: with the name, or it would not be checked."""
        options: dict[str, Any] = {
            "cert_reqs": ssl.CERT_REQUIRED,
            "server_hostname": host,
            "ca_certs": self.ca or ssl.get_default_verify_paths().cafile,
            "ssl_version": ssl.PROTOCOL_TLS_CLIENT,
        }
        if self.cert:
            options |= {"certfile": self.cert, "keyfile": self.key or None}
        return options


class Wire:
    """One connection. It belongs to one thread, and the first error ends it.

    `epoch` is different for every connection of a process: deliveries carry it, so that nothing is
    settled on another connection than the one that it came from.
    """

    def __init__(self, connection: Connection, epoch: int, patience: float) -> None:
        """`patience`: seconds until an answer of the broker is given up."""
        self.epoch = epoch
        self.peer = _host(connection)
        self.heartbeat = float(connection.get_heartbeat_interval() or 0)
        self._connection = connection
        self._raw = connection.connection
        self.in_memory = connection.transport.driver_type == "memory"
        sock = getattr(self._raw, "sock", None)
        if sock is not None:  # without it a broker that stalls would block for ever
            sock.settimeout(patience)

    @property
    def channel_errors(self) -> tuple[type[Exception], ...]:
        """What a refusal of the broker looks like; `code_of` tells which one."""
        return (ChannelError, *self._connection.transport.channel_errors)

    @property
    def is_open(self) -> bool:
        return self._raw is not None

    @contextmanager
    def guarded(self, doing: str) -> Iterator[None]:
        """Whatever a client library raises inside drops this connection and becomes Down.

        Whatever: what cannot be decoded raises UnicodeDecodeError, a lost socket AttributeError.
        """
        try:
            yield
        except Down:
            self.drop()
            raise
        except Exception as error:
            self.drop()
            raise Down(f"{doing} at {self.peer}: {_why(error)}") from error

    def channel(self) -> Any:
        """A new channel that leaves bodies as bytes."""
        if self._raw is None:
            raise Down(f"the connection to {self.peer} is closed")
        channel = self._connection.transport.create_channel(self._raw)
        if not isinstance(channel, VirtualChannel):
            channel.auto_decode = False
        return channel

    def drain(self, seconds: float) -> bool:
        """Wait for one event of the broker; False when none came."""
        if self._raw is None:
            raise Down(f"the connection to {self.peer} is closed")
        try:
            self._connection.transport.drain_events(self._raw, timeout=seconds)
        except TimeoutError:
            return False
        return True

    def beat(self) -> None:
        """Send a heartbeat when it is time, raise when the broker's are missing."""
        if self._raw is not None and self.heartbeat:
            self._connection.transport.heartbeat_check(self._raw, rate=2)

    def close(self) -> None:
        """Say goodbye to the broker."""
        if self._raw is not None:
            self._raw = None
            with suppress(Exception):
                self._connection.release()

    def drop(self) -> None:
        """Close the socket without a word: the broker takes back what was not acknowledged."""
        if self._raw is not None:
            self._raw = None
            with suppress(Exception):
                self._connection.collect()


class Brokers:
    """The hosts of one broker (cluster). Each attempt to connect goes to the next one."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        tls: Tls | None = None,
        heartbeat: float = 30.0,
        connect_timeout: float = 5.0,
        patience: float = 10.0,
        name: str = "trove-resources",
    ) -> None:
        """`urls`: one per host; `amqps://` without `tls` uses the system's CAs. In seconds:
        `heartbeat` between heartbeats, `patience` until an answer is given up. Raises ValueError
        for a URL that cannot be one; the text holds nothing of it but the scheme.
        """
        if not urls:
            raise ValueError("a broker needs at least one URL")
        for url in urls:
            _check(url)
        self._urls = tuple(urls)
        self._tls = tls
        self._heartbeat = heartbeat
        self._connect_timeout = connect_timeout
        self._patience = patience
        self._name = name
        self._attempts = count()

    def connect(self, *, heartbeat: bool = True) -> Wire:
        """A new connection to the next host; raises Down.

        Without heartbeats for connections that lie idle: nobody would send them.
        """
        attempt = next(self._attempts)
        url = self._urls[attempt % len(self._urls)]
        options: dict[str, Any] = {
            "confirm_publish": True,
            "client_properties": {"connection_name": self._name},
        }
        if url.startswith("memory:"):
            options = {"polling_interval": _MEMORY_POLL}
        connection = Connection(
            url,
            ssl=self._ssl(url),
            heartbeat=self._heartbeat if heartbeat else 0,
            connect_timeout=self._connect_timeout,
            transport_options=options,
        )
        try:
            connection.ensure_connection(max_retries=0, timeout=self._connect_timeout)
            return Wire(connection, attempt, self._patience)
        except Exception as error:
            with suppress(Exception):
                connection.collect()
            raise Down(f"connect to {_host(connection)}: {_why(error)}") from error

    def _ssl(self, url: str) -> dict[str, Any] | bool:
        parts = urlsplit(url)
        if self._tls is None and parts.scheme != "amqps":
            return False
        return (self._tls or Tls()).options(parts.hostname or "127.0.0.1")


def hosts(url: str) -> tuple[str, ...]:
    """The URLs of a setting that separates several by semicolons."""
    return tuple(part.strip() for part in url.split(";") if part.strip())


def code_of(error: BaseException | None) -> int:
    """The AMQP reply code of a refusal; 0 when it has none."""
    return int(getattr(error, "reply_code", None) or 0)


def _check(url: str) -> None:
    example = "write amqp://user:password@host:5672/vhost"
    try:
        parts = urlsplit(url)
        known = parts.scheme in TRANSPORT_ALIASES and (parts.port is None or parts.port > 0)
    except ValueError:  # its text may hold a part of the password
        known, parts = False, urlsplit("")
    if not known:
        scheme = f" of scheme {parts.scheme!r}" if parts.scheme else ""
        raise ValueError(f"no broker has such a URL{scheme}: {example}, %XX for special characters")


def _host(connection: Connection) -> str:
    """Host and port, without the credentials of the URL."""
    if connection.transport_cls == "memory":
        return "memory"
    return f"{connection.hostname}:{connection.port or (5671 if connection.ssl else 5672)}"


def _why(error: Exception) -> str:
    """What went wrong, in one line; client libraries put no credentials into it."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
