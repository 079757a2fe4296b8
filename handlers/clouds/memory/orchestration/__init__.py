"""A small Heat: stacks of servers, volumes, ports and groups, made by HOT templates as data.

`service.py` is its API, `engine.py` what its engine does with a stack, `kinds/` what it does with
one resource. Measured on Heat 27 and read in its source: what the real one does badly (gaps,
collisions, replacements) is done as badly here.
"""

from handlers.clouds.memory.orchestration.service import Orchestration
from handlers.clouds.memory.orchestration.specs import StackChange, StackFilters, StackSpec

__all__ = ["Orchestration", "StackChange", "StackFilters", "StackSpec"]
