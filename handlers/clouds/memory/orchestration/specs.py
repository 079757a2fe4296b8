"""What the orchestration API is asked for: documents as data, nothing of HTTP or YAML."""

from collections.abc import Mapping
from typing import Any

import msgspec

#: A template, an environment or the data of an adoption, as parsed.
Document = Mapping[str, Any]


class StackSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a stack's POST says.

    `parameters` come on top of the environment's. `timeout_mins` None is Heat's own hour. `adopt`
    is `adopt_stack_data`, parsed: then the template and, where it names them, the parameters are
    taken from it, and no resource is made.
    """

    name: str
    template: Document
    environment: Document = {}
    parameters: Mapping[str, Any] = {}
    tags: tuple[str, ...] = ()
    disable_rollback: bool = True
    timeout_mins: int | None = None
    adopt: Document | None = None


class StackChange(msgspec.Struct, frozen=True, kw_only=True):
    """What an update says: PUT, or PATCH with `existing`.

    With `existing` what is not given stays as it was, and `parameters` and `environment` are laid
    over the old ones, from which `clear_parameters` are taken first. Without it a template must be
    given and only the new values count. None: not given.
    """

    template: Document | None = None
    environment: Document = {}
    parameters: Mapping[str, Any] = {}
    tags: tuple[str, ...] | None = None
    disable_rollback: bool | None = None
    timeout_mins: int | None = None
    existing: bool = False
    clear_parameters: tuple[str, ...] = ()


class StackFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing is filtered by; values of one filter are "or", but for `tags` (all of them).

    `statuses` are COMPLETE, FAILED, IN_PROGRESS; `actions` CREATE, UPDATE, and so on.
    """

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    tags_any: frozenset[str] = frozenset()
    not_tags: frozenset[str] = frozenset()
    not_tags_any: frozenset[str] = frozenset()
