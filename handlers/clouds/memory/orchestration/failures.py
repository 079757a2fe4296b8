"""Why Heat says that a resource failed: the client libraries' error types and texts."""

from handlers.clouds.memory.refusal import Lost, Refusal
from handlers.resources import Service

_STATUSES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    413: "OverLimit",
}

#: Neutron's error types for which its client has a class of its own.
_NEUTRON = frozenset(
    {
        "ExternalIpAddressExhausted",
        "InvalidIpForNetwork",
        "InvalidIpForSubnet",
        "IpAddressAlreadyAllocated",
        "IpAddressGenerationFailure",
        "IpAddressInUse",
        "MacAddressInUse",
        "NetworkNotFound",
        "OverQuota",
        "PortInUse",
        "PortNotFound",
    }
)


class Failed(Exception):
    """A resource's action failed; `error` is the type that Heat names, `status` the answer's.

    `action` is the one that Heat names as failed.
    """

    def __init__(self, error: str, message: str, status: int = 0) -> None:
        super().__init__(f"{error}: {message}")
        self.action = "UPDATE"
        self.error = error
        self.message = message
        self.status = status

    @property
    def is_conflict(self) -> bool:
        """Whether something is in the way, perhaps for a moment only (a quota is not)."""
        return self.status == 409 and self.error != "OverQuotaClient"

    @property
    def is_passing(self) -> bool:
        """Whether Heat makes the thing anew."""
        return self.error == "ResourceInError" or self.is_conflict

    def of(self, resource: str) -> str:
        """The text that Heat keeps with the resource."""
        return f"{self.error}: resources.{resource}: {self.message}"


def of_refusal(refusal: Refusal) -> Failed:
    """What the service's client library makes of a refusal."""
    if refusal.service is Service.NETWORK:
        known = refusal.code in _NEUTRON
        other = _STATUSES.get(refusal.status, "NeutronClientException")
        error = f"{refusal.code}Client" if known else other
        told = f"{refusal.message}\nNeutron server returns request_ids: ['{refusal.request_id}']"
    else:
        error = _STATUSES.get(refusal.status, "ClientException")
        told = f"{refusal.message} (HTTP {refusal.status}) (Request-ID: {refusal.request_id})"
    return Failed(error, told, refusal.status)


def of_loss(lost: Lost) -> Failed:
    """What becomes of an answer that never came: Heat does not look whether the call landed."""
    if lost.status is not None:
        error = {502: "BadGateway", 503: "ServiceUnavailable", 504: "GatewayTimeout"}
        return Failed(error.get(lost.status, "ClientException"), f"(HTTP {lost.status})")
    return Failed("ConnectFailure", f"Unable to establish connection to {lost.service}")


def in_error(status: str, why: str = "Unknown") -> Failed:
    """A thing that went to its error status: Heat makes it anew, up to five times."""
    return Failed("ResourceInError", f'Went to status {status} due to "{why}"')


def unknown_status(result: str, status: str) -> Failed:
    """A status that Heat did not expect at this moment."""
    return Failed("ResourceUnknownStatus", f'{result} - Unknown status {status} due to "Unknown"')


def missing(what: str, thing_id: str, request_id: str) -> Failed:
    """A thing that is not there any more."""
    text = f"{what} {thing_id} could not be found. (HTTP 404) (Request-ID: {request_id})"
    return Failed("NotFound", text, 404)
