"""May these credentials make trusts? Heat makes one for every stack."""

import keystoneauth1.exceptions as ksa
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity import BaseIdentityPlugin
from keystoneauth1.plugin import AUTH_INTERFACE
from keystoneauth1.session import Session

_RESTRICTED = (
    "clouds.yaml has a restricted application credential: put in a user with a password, or an "
    "application credential made with --unrestricted"
)
_DELEGATED = (
    "clouds.yaml has an application credential, and this Keystone lets none make trusts, "
    "restricted or not: put in a user with a password, or have Keystone allow it, which it calls "
    "insecure: [security_compliance] allow_insecure_application_credential_trust_escalation"
)
#: Keystone itself, wherever its endpoint in the catalogue may lead.
_KEYSTONE = {"interface": AUTH_INTERFACE, "service_type": "identity", "version": "3"}


def no_trusts(session: Session) -> str | None:
    """Why Keystone may have refused a trust to these credentials; None when nothing tells.

    Keystone 30 refuses every application credential, unless it is configured otherwise, and does
    not even list trusts for one (403, measured). Older ones list them, but refuse to make one for a
    restricted credential.
    """
    try:
        access = _access(session)
        if access is None or not access.application_credential_id:
            return None
        path = f"/OS-TRUST/trusts?trustor_user_id={access.user_id}"
        if session.get(path, endpoint_filter=_KEYSTONE, raise_exc=False).status_code == 403:
            return _DELEGATED
        return _RESTRICTED if access.application_credential.get("restricted") else None
    except ksa.ClientException:
        return None


def _access(session: Session) -> AccessInfoV3 | None:
    if not isinstance(session.auth, BaseIdentityPlugin):
        return None
    access = session.auth.get_access(session)
    return access if isinstance(access, AccessInfoV3) else None
