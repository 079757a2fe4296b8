"""A TCP proxy that does to a connection what networks do: cut it, stall it, reset it."""

import selectors
import socket
import struct
import time
from contextlib import suppress
from threading import Lock, Thread
from types import TracebackType
from typing import Self

_CHUNK = 65536


class TcpProxy:
    """Forwards 127.0.0.1:<port> to a target, until told otherwise. A context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._lock = Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._refusing = self._stalled = self._muted = self._closed = False
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._run, name="tcp-proxy", daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self._thread.join(5)
        self.cut()
        self._listener.close()
        self._selector.close()

    def refuse(self) -> None:
        """Close new connections at once; existing ones live on."""
        self._refusing = True

    def stall(self) -> None:
        """Keep connections open but forward nothing: a frozen peer."""
        self._stalled = True

    def mute(self) -> None:
        """Swallow what the target says: requests arrive, answers do not."""
        self._muted = True

    def heal(self) -> None:
        """Forward and accept again."""
        self._refusing = self._stalled = self._muted = False

    def cut(self) -> None:
        """Close every connection in an orderly way (FIN)."""
        self._close_all(reset=False)

    def reset(self) -> None:
        """Close every connection with RST."""
        self._close_all(reset=True)

    def _close_all(self, *, reset: bool) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with suppress(KeyError, ValueError):
                self._selector.unregister(end)
            if reset:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    def _run(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select(0.02):
                if key.fileobj is self._listener:
                    self._accept()
                elif not self._stalled:
                    self._forward(key.fileobj, key.data)
            if self._stalled:
                time.sleep(0.02)  # readable sockets would make a busy loop

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self._refusing:
            client.close()
            return
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            client.close()
            return
        with self._lock:
            self._pairs.append((client, server))
        self._selector.register(client, selectors.EVENT_READ, server)
        self._selector.register(server, selectors.EVENT_READ, client)

    def _is_targets(self, end: socket.socket) -> bool:
        with self._lock:
            return any(end is server for _, server in self._pairs)

    def _forward(self, source: object, target: socket.socket) -> None:
        assert isinstance(source, socket.socket)
        try:
            data = source.recv(_CHUNK)
            if data:
                if not (self._muted and self._is_targets(source)):
                    target.sendall(data)
                return
        except OSError:
            pass
        with self._lock:
            pair = next((p for p in self._pairs if source in p), None)
            if pair:
                self._pairs.remove(pair)
        for end in pair or ():
            with suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()
