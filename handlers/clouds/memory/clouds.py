"""The in-memory clouds by name."""

from collections.abc import Mapping

from handlers.clouds.memory.cloud import MemoryCloud
from handlers.errors import Reason, Terminal
from handlers.instance import Scope


class MemoryClouds:
    """`Clouds` over named states; "" stands for any name that is not given."""

    def __init__(self, clouds: Mapping[str, MemoryCloud]) -> None:
        self._clouds = dict(clouds)

    def of(self, scope: Scope) -> MemoryCloud:
        cloud = self._clouds.get(scope.cloud) or self._clouds.get("")
        if cloud is None:
            raise Terminal(f"cloud {scope.cloud!r} is not configured", Reason.INVALID)
        return cloud
