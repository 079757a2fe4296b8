"""A small OpenStack in memory, for tests, the demo and the simulator.

`state.py` is the cloud itself, `cloud.py` the `Cloud` protocol on it, `faults.py` what goes wrong
on purpose, `audit.py` what there was to see. Nothing sleeps and nothing runs by itself: the state
catches up with an injected clock whenever it is used.
"""

from handlers.clouds.memory.cloud import MemoryCloud
from handlers.clouds.memory.clouds import MemoryClouds
from handlers.clouds.memory.settings import Abilities, Catalogue, Quotas, Times
from handlers.clouds.memory.state import CloudState

__all__ = ["Abilities", "Catalogue", "CloudState", "MemoryCloud", "MemoryClouds", "Quotas", "Times"]
