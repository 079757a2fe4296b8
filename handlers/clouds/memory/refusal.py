"""How a call to the cloud ends when it does not end well."""

from handlers.resources import Service


class Refusal(Exception):
    """The service said no: HTTP status, the service's own text, its error type, request id."""

    def __init__(self, service: Service, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.service = service
        self.status = status
        self.message = message
        self.code = code
        self.request_id: str | None = None


class Lost(Exception):
    """The answer never came. `status` is that of a proxy in between, None for a cut connection.

    Whether a call that was `sent` had an effect is not said, on purpose. `seconds` are how long it
    takes until nobody waits any more.
    """

    def __init__(
        self,
        service: Service,
        status: int | None = None,
        *,
        sent: bool = True,
        seconds: float = 0.0,
    ) -> None:
        super().__init__(f"{service}: no answer")
        self.service = service
        self.status = status
        self.sent = sent
        self.seconds = seconds


_OVER: dict[Service, tuple[int, str, str]] = {
    Service.COMPUTE: (
        403,
        "forbidden",
        "Quota exceeded for {what}: Requested 1, but already used all of them",
    ),
    Service.BLOCK_STORAGE: (
        413,
        "overLimit",
        "VolumeLimitExceeded: Maximum number of volumes allowed exceeded for quota '{what}'.",
    ),
    Service.NETWORK: (409, "OverQuota", "Quota exceeded for resources: ['{what}']."),
    Service.ORCHESTRATION: (
        400,
        "RequestLimitExceeded",
        "Request limit exceeded: You have reached the maximum {what}s per tenant, 0.",
    ),
}


def over_quota(service: Service, what: str) -> Refusal:
    """Over quota, the way the service says it: Nova 403, Cinder 413, Neutron 409, Heat 400."""
    status, code, text = _OVER[service]
    return Refusal(service, status, text.format(what=what), code)
