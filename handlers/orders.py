"""What the mutating calls of a cloud are given."""

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.resources import Rule


class Rules(msgspec.Struct, frozen=True):
    """Rules to add to one group in one call."""

    group: str
    rules: tuple[Rule, ...]


class NewPort(msgspec.Struct, frozen=True, kw_only=True):
    """What `create_port` needs; `groups` are cloud ids."""

    subject: str
    role: str
    network: str
    subnet: str | None = None
    ip_address: str | None = None
    groups: tuple[str, ...] = ()


class NewVolume(msgspec.Struct, frozen=True, kw_only=True):
    """What `create_volume` needs; `size` in GiB."""

    subject: str
    role: str
    size: int
    type: str | None = None
    zone: str | None = None


class NewServer(msgspec.Struct, frozen=True, kw_only=True):
    """What `create_server` needs. `volumes` are attached with delete_on_termination false.

    `user_data` is the plain text: the adapter encodes it.
    """

    subject: str
    name: str
    flavor: str
    image: str
    ports: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    zone: str | None = None
    user_data: str | None = None
    metadata: Mapping[str, str] = {}
    tags: tuple[str, ...] = ()
    key_name: str | None = None
    config_drive: bool = False


class NewStack(msgspec.Struct, frozen=True, kw_only=True):
    """What `create_stack` needs.

    `template` and `environment` are the documents as data; `parameters` are the user's values, and
    the only place where they stand. `write` names operation and step: the adapter puts it into the
    stack's tags, beside the subject's. `minutes` is how long Heat may work on it.
    """

    subject: str
    template: Mapping[str, Any]
    environment: Mapping[str, Any]
    parameters: Mapping[str, Any]
    write: str
    minutes: int


class StackAdoption(NewStack, frozen=True, kw_only=True):
    """What `adopt_stack` needs: a stack of things that are there already. `members` are their cloud
    ids by the names of the template's resources."""

    members: Mapping[str, str]


class StackUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Other values for some parameters of a stack; environment and the other values stay (a PATCH
    in Heat's API), and so does the template unless another one is given. `write` and `minutes` are
    as in `NewStack`."""

    subject: str
    stack: str
    parameters: Mapping[str, Any]
    write: str
    minutes: int
    template: Mapping[str, Any] | None = None
