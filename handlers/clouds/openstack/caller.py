"""One request to one service: sent once, timed, told to the probe, refusals made faults."""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from urllib3.exceptions import HTTPError

from handlers.base import Probe
from handlers.clouds.faults import fault_of
from handlers.clouds.openstack.limits import Limits
from handlers.clouds.openstack.link import Link
from handlers.clouds.openstack.transport import Reply
from handlers.clouds.openstack.trouble import trouble_of
from handlers.clouds.openstack.wire import READERS, ErrorBody, error_body
from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.resources import Service

T = TypeVar("T")

_METHODS = {Effect.LOOK: "GET", Effect.REMOVE: "DELETE"}
_JSON = {"Content-Type": "application/json"}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; `route` is a template, `ids` fill its braces in order. `verb` is the method
    where the effect does not say it: PATCH."""

    effect: Effect
    route: str
    ids: tuple[str, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    body: Any = None
    verb: str = ""

    @property
    def method(self) -> str:
        return self.verb or _METHODS.get(self.effect, "POST")

    @property
    def path(self) -> str:
        """The route with the ids in it, and the query."""
        path = self.route
        for one in self.ids:
            head, _, rest = path.partition("{id}")
            path = head + quote(one, safe="") + rest
        return path + ("?" + urlencode(self.params, safe=",:") if self.params else "")


class Caller:
    """Calls one service of one cloud at one microversion.

    Nothing here and nothing below sends a request again, except one that was refused with 401: it
    goes out once more with a new token. Nothing is sent later than `Limits.connect` seconds after
    the call began, however long the tokens took, so that it is over within `Limits.longest`.
    """

    def __init__(
        self,
        service: Service,
        link: Link,
        limits: Limits,
        probe: Probe | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.service = service
        self._link = link
        self._limits = limits
        self._probe = probe
        self._clock = clock

    @property
    def project(self) -> str:
        """Id of the credentials' project; raises Retryable when Keystone is away."""
        return self._link.ready().project

    def look(self, kind: type[T], request: Request, microversion: str | None = None) -> T | None:
        """The decoded answer; None when the service itself says 404."""
        answer = self._send(request, microversion)
        error = self._error(answer)
        if answer.status == 404 and error.own:
            return None
        self._raise_for(request, answer, error)
        return self._decode(kind, request, answer)

    def act(self, request: Request, microversion: str | None = None) -> str | None:
        """A mutating call without an answer to read; gives the request id.

        To remove what is not there is success.
        """
        answer = self._send(request, microversion)
        error = self._error(answer)
        gone = request.effect is Effect.REMOVE and answer.status == 404 and error.own
        if not gone:
            self._raise_for(request, answer, error)
        return answer.request_id

    def make(
        self, kind: type[T], request: Request, microversion: str | None = None
    ) -> tuple[T, str | None]:
        """A mutating call, its decoded answer and the request id."""
        answer = self._send(request, microversion)
        self._raise_for(request, answer, self._error(answer))
        return self._decode(kind, request, answer), answer.request_id

    def _send(self, request: Request, microversion: str | None) -> Reply:
        began = self._clock()
        token = self._link.token()
        if not self._early(began):
            late = "the token took too long: nothing was sent"
            raise self._fault(request, trouble=Trouble.CONNECT_TIMEOUT, text=late)
        answer = self._once(request, microversion, token)
        again = answer.status == 401 and self._early(began) and self._link.renew()
        if not again or not self._early(began):
            return answer
        return self._once(request, microversion, self._link.token())

    def _early(self, began: float) -> bool:
        """Whether the request may still be sent, so that it ends within `Limits.longest`."""
        return self._clock() - began <= self._limits.connect

    def _once(self, request: Request, microversion: str | None, token: dict[str, str]) -> Reply:
        transport = self._link.transport(self.service)
        began, status = self._clock(), Trouble.RESET.value
        try:
            answer = transport.send(
                request.method,
                request.path,
                headers={**token, **_JSON} if request.body is not None else token,
                body=None if request.body is None else msgspec.json.encode(request.body),
                microversion=microversion,
                connect=self._limits.connect,
                read=self._limits.of(self.service),
            )
            status = str(answer.status)
        except (HTTPError, OSError) as error:
            trouble = trouble_of(error)
            status = trouble.value
            raise self._fault(request, trouble=trouble, text=str(error)) from None
        finally:
            if self._probe:
                took = self._clock() - began
                self._probe(self.service, request.method, request.route, status, took)
        return answer

    def _error(self, answer: Reply) -> ErrorBody:
        return error_body(answer.content) if answer.status >= 400 else ErrorBody(own=True)

    def _raise_for(self, request: Request, answer: Reply, error: ErrorBody) -> None:
        if not 200 <= answer.status < 300:
            raise self._fault(
                request,
                status=answer.status,
                own=error.own,
                code=error.code,
                text=error.message or f"HTTP {answer.status} {answer.reason}".strip(),
                request_id=answer.request_id,
            )

    def _decode(self, kind: type[T], request: Request, answer: Reply) -> T:
        reader = READERS.get(kind) or msgspec.json.Decoder(kind)
        try:
            found: T = reader.decode(answer.content)
            return found
        except msgspec.MsgspecError as error:
            raise self._fault(
                request,
                trouble=Trouble.GARBLED,
                text=f"the answer to {request.method} {request.route} was not understood: {error}",
                request_id=answer.request_id,
            ) from None

    def _fault(self, request: Request, **what: Any) -> Exception:
        return fault_of(Refusal(service=self.service.value, effect=request.effect, **what))


def chunks(values: Iterable[str], size: int = 60) -> list[list[str]]:
    """The distinct values, sorted, in lists short enough for a URL (60 names: below 4 KiB)."""
    whole = sorted(set(values))
    return [whole[start : start + size] for start in range(0, len(whole), size)]
