"""A plain oslo.messaging notification listener, as an operator would write one."""

from collections import Counter, defaultdict
from threading import Lock
from typing import Any

import oslo_messaging  # type: ignore[import-untyped]
from oslo_config import cfg


class Listener:
    """Hears events until `stop`.

    `url` is a transport URL of oslo.messaging. `terminal` maps a command id to how often each
    terminal event id was heard; `payloads` has the last payload of each. `news` counts the events
    of fleet migrations by type and id.
    """

    def __init__(self, url: str, exchange: str, topics: tuple[str, ...]) -> None:
        self.terminal: dict[str, Counter[str]] = defaultdict(Counter)
        self.starts: dict[str, Counter[str]] = defaultdict(Counter)
        self.payloads: dict[str, dict[str, Any]] = {}
        self.news: dict[str, Counter[str]] = defaultdict(Counter)
        self._lock = Lock()
        conf = cfg.ConfigOpts()
        conf(args=[], default_config_files=[])
        self._listener = oslo_messaging.get_notification_listener(
            oslo_messaging.get_notification_transport(conf, url=url),
            [oslo_messaging.Target(exchange=exchange, topic=topic) for topic in topics],
            [self],
            executor="threading",
        )
        self._listener.start()

    def info(self, ctxt: Any, publisher: str, kind: str, payload: Any, meta: Any) -> None:
        """oslo.messaging calls this for events of priority info."""
        self._take(kind, payload, meta)

    def error(self, ctxt: Any, publisher: str, kind: str, payload: Any, meta: Any) -> None:
        """oslo.messaging calls this for events of priority error."""
        self._take(kind, payload, meta)

    def has_ended(self, command: str) -> bool:
        return command in self.payloads

    def stop(self) -> None:
        self._listener.stop()
        self._listener.wait()

    def _take(self, kind: str, payload: dict[str, Any], meta: dict[str, Any]) -> None:
        command = payload["data"].get("operation")
        with self._lock:
            if command is None:
                self.news[kind][meta["message_id"]] += 1
                return
            if kind.endswith(".start"):
                self.starts[command][meta["message_id"]] += 1
                return
            self.terminal[command][meta["message_id"]] += 1
            self.payloads[command] = payload
