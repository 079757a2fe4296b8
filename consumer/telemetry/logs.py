"""Log lines: one JSON object each, or text for people on a terminal.

The only home of structlog. Libraries that use the standard logging (kombu, oslo, openstack,
SQLAlchemy) come out in the same form, once `bridge` was called.
"""

import logging
import sys
from collections.abc import Collection, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from consumer.config.settings import Telemetry as TelemetrySettings
from consumer.telemetry.masking import Masker

Logger = FilteringBoundLogger

#: The level of libraries that [telemetry] log_levels does not name.
LIBRARIES = "warning"

_TIME = structlog.processors.TimeStamper(fmt="iso", utc=True)
_LEVEL = structlog.processors.add_log_level
_STACK = structlog.processors.StackInfoRenderer()


class Logs:
    """Where log lines go and what they look like."""

    def __init__(
        self,
        settings: TelemetrySettings,
        stream: TextIO = sys.stdout,
        secrets: Collection[str] = (),
    ) -> None:
        """`secrets` are texts of the configuration that must never appear in a line."""
        self._settings = settings
        self._stream = stream
        self._masker = Masker(secrets)
        self._pretty = settings.log_format == "console" or (
            settings.log_format == "auto" and stream.isatty()
        )

    def logger(self, name: str = "trove_resources") -> Logger:
        """A logger of our own; what is below the configured level costs next to nothing."""
        logger: Logger = structlog.wrap_logger(
            structlog.WriteLogger(self._stream),
            processors=[_LEVEL, _STACK, _TIME, *self._render()],
            wrapper_class=structlog.make_filtering_bound_logger(self._settings.log_level),
        ).bind(logger=name)
        return logger

    def bridge(self, root: logging.Logger) -> None:
        """Send what libraries log to `root` through the same renderer."""
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[_LEVEL, structlog.stdlib.add_logger_name, _TIME],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *self._render(),
                ],
            )
        )
        root.handlers[:] = [handler]
        root.setLevel(LIBRARIES.upper())
        for name, level in self._settings.log_levels.items():
            root.getChild(name).setLevel(level.upper())

    @contextmanager
    def bridged(self, root: logging.Logger) -> Iterator[None]:
        """`bridge` while the block runs."""
        before, level = root.handlers[:], root.level
        self.bridge(root)
        try:
            yield
        finally:
            root.handlers[:] = before
            root.setLevel(level)

    def _render(self) -> list[Processor]:
        """Mask and write: shared by our own lines and those of libraries."""
        if self._pretty:
            renderer = structlog.dev.ConsoleRenderer(colors=self._stream.isatty())
            return [structlog.processors.format_exc_info, self._masker, renderer]
        return [structlog.processors.format_exc_info, self._json]

    def _json(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        """The line is looked at as a whole; only a suspicious one is taken apart and masked."""
        line = _encode(event)
        return _encode(self._masker.clean(event)) if self._masker.suspects(line) else line


def _encode(event: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
