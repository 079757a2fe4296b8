"""What happened to a call that did not go well, in words that no client library owns."""

from enum import Enum, StrEnum

import msgspec


class Effect(Enum):
    """What a call does to the cloud."""

    LOOK = "look"
    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"


class Trouble(StrEnum):
    """Why there was no answer. The values are statuses in metrics."""

    REFUSED = "refused"
    DNS = "dns"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    CREDENTIALS = "credentials"
    CATALOGUE = "catalogue"
    GARBLED = "garbled"
    TRUSTS = "trusts"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A call that did not go well.

    Either `trouble` or `status` is set. `own` says whether the service itself wrote the body: a
    proxy that answers 404 says nothing about the resource. `code` is the error's type, which
    Neutron and Heat tell.
    """

    service: str
    effect: Effect
    status: int = 0
    trouble: Trouble | None = None
    own: bool = True
    code: str = ""
    text: str = ""
    request_id: str | None = None
