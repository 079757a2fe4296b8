"""The connection to one cloud and region, built once, before threads share it."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

import keystoneauth1.exceptions as ksa
import msgspec
from keystoneauth1.session import Session, TCPKeepAliveAdapter
from openstack.config import OpenStackConfig
from openstack.connection import Connection
from openstack.exceptions import ConfigException, SDKException

from handlers.clouds.faults import fault_of
from handlers.clouds.openstack.limits import Limits
from handlers.clouds.openstack.transport import Transport
from handlers.clouds.openstack.trouble import trouble_of
from handlers.clouds.refusals import Effect, Refusal, Trouble
from handlers.clouds.text import clean
from handlers.errors import Reason, Terminal
from handlers.resources import Service

#: The catalogue's names of the services that every cloud has.
TYPES = {
    Service.COMPUTE: "compute",
    Service.BLOCK_STORAGE: "block-storage",
    Service.NETWORK: "network",
}

#: And of the one that a cloud may lack. It has no microversions, so nothing is asked of it before
#: it is first used: a Heat that is away or hangs delays nobody else.
HEAT = "orchestration"

#: Seconds for which a token is used before keystoneauth is asked again whether it is still good. It
#: renews two minutes before the end; asking costs it 0.2 ms, because it reads the date anew.
TOKEN_HOLD = 10.0


class Ready(msgspec.Struct, frozen=True):
    """What a connection gives: the project's id and one transport per service of `TYPES`."""

    project: str
    session: Session
    transports: dict[Service, Transport]
    microversions: dict[Service, tuple[int, ...]]


class Link:
    """Finds the cloud in clouds.yaml, then Keystone, the catalogue and the versions.

    Everything is built and touched under a lock by the first call (or by `ready`, which a worker
    asks at its start): the first concurrent use of a fresh openstacksdk connection builds its
    proxies several times (measured). A cloud that is away at the start is tried again by the next
    call, so that one dead region does not stop the others.
    """

    def __init__(
        self,
        config: OpenStackConfig,
        cloud: str,
        region: str,
        limits: Limits,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name = f"{cloud}/{region}"
        self._limits = limits
        self._lock = Lock()
        self._ready: Ready | None = None
        self._heat: Transport | None = None
        self._clock = clock
        self._token: tuple[float, dict[str, str]] = (0.0, {})
        try:
            self._region = config.get_one(cloud=cloud, region_name=region)
        except (ConfigException, ksa.ClientException) as error:
            raise Terminal(
                f"cloud {self.name}: {clean(str(error))} (see clouds.yaml)", Reason.INVALID
            ) from None

    def ready(self) -> Ready:
        """The connection; raises Retryable when there is none now."""
        if self._ready is None:
            with self._lock:
                if self._ready is None:
                    self._ready = self._connect()
        return self._ready

    def transport(self, service: Service) -> Transport:
        """The way to the service; raises Retryable when there is none now."""
        if service is not Service.ORCHESTRATION:
            return self.ready().transports[service]
        if self._heat is None:
            self._heat = self._find_heat(self.ready().session)
        return self._heat

    def token(self) -> dict[str, str]:
        """The headers that carry a good token; raises Retryable when there is none to be had."""
        until, headers = self._token
        if self._clock() < until:
            return headers
        session = self.ready().session
        try:
            headers = dict(session.get_auth_headers() or {})
        except ksa.ClientException as error:
            raise self._fault(error) from None
        self._token = (self._clock() + TOKEN_HOLD, headers)
        return headers

    def renew(self) -> bool:
        """Throw the token away and get another; False when the credentials cannot do that."""
        session = self.ready().session
        self._token = (0.0, {})
        if not session.invalidate():
            return False
        self.token()
        return True

    def _connect(self) -> Ready:
        try:
            session = self._session()
            connection = Connection(config=self._region)
            project = session.get_project_id()
            if not project:
                raise ksa.AuthorizationFailure("the credentials are not for a project")
            transports: dict[Service, Transport] = {}
            versions: dict[Service, tuple[int, ...]] = {}
            for service, name in TYPES.items():
                proxy = getattr(connection, service.value)
                data = proxy.get_endpoint_data()
                if data is None or not data.url:
                    raise ksa.EndpointNotFound(f"the catalogue has no {name} endpoint")
                versions[service] = data.max_microversion or (0,)
                transports[service] = Transport(session, service, data.url.rstrip("/"))
        except (ksa.ClientException, SDKException) as error:
            raise self._fault(error) from None
        return Ready(project, session, transports, versions)

    def _find_heat(self, session: Session) -> Transport:
        """As the catalogue that came with the token has it; a later one may have it first."""
        try:
            url = self._region.get_session_client(HEAT).get_endpoint(skip_discovery=True)
            if not url:
                raise ksa.EndpointNotFound
        except ksa.CatalogException:
            text = (
                f"cloud {self.name}: the service catalogue has no {HEAT} endpoint (Heat): check "
                "region_name and interface, or leave new instances to the manager natives"
            )
            raise self._refused(Trouble.CATALOGUE, text) from None
        except (ksa.ClientException, SDKException) as error:
            raise self._fault(error) from None
        return Transport(session, Service.ORCHESTRATION, url.rstrip("/"))

    def _session(self) -> Session:
        """openstacksdk's session: TLS as clouds.yaml says; room for all threads' connections."""
        session = self._region.get_session()
        session.timeout = self._limits.connect + self._limits.token
        for scheme in ("https://", "http://"):
            session.session.mount(
                scheme,
                TCPKeepAliveAdapter(pool_connections=8, pool_maxsize=self._limits.threads),
            )
        return session

    def _fault(self, error: ksa.ClientException | SDKException) -> Exception:
        trouble = trouble_of(error)
        if trouble is Trouble.CREDENTIALS:
            told = "Keystone does not accept the credentials: check auth in clouds.yaml"
        elif trouble is Trouble.CATALOGUE:
            told = "the service catalogue is not complete: check region_name and interface"
        else:
            told = "Keystone or a service's version page cannot be reached: check auth_url"
        text = f"cloud {self.name}: {told} ({clean(str(error))})"
        return self._refused(trouble, text)

    def _refused(self, trouble: Trouble, text: str) -> Exception:
        return fault_of(Refusal(service="identity", effect=Effect.LOOK, trouble=trouble, text=text))
