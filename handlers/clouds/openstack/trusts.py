"""May these credentials make trusts? Heat makes one for every stack."""

import keystoneauth1.exceptions as ksa
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity import BaseIdentityPlugin
from keystoneauth1.plugin import AUTH_INTERFACE
from keystoneauth1.session import Session

_RESTRICTED = (
    "clouds.yaml has a restricted application credential: put in a user with a password, or, where "
    "Keystone still lets it make trusts, an application credential made with --unrestricted"
)
_DELEGATED = (
    "clouds.yaml has an application credential, and this Keystone (30 or later) lets none make "
    "trusts: put in a user with a password, or set allow_insecure_application_credential_"
    "trust_escalation in [security_compliance] of keystone.conf, if you accept what that means"
)
#: Keystone itself, wherever its endpoint in the catalogue may lead.
_KEYSTONE = {"interface": AUTH_INTERFACE, "service_type": "identity", "version": "3"}


def no_trusts(session: Session) -> str | None:
    """Why Keystone refuses trusts to these credentials; None when it does not or nobody knows.

    Only an application credential is asked about: it says itself when it is restricted, and of one
    that is not, Keystone 30 does not even show trusts (403, measured).
    """
    try:
        access = _access(session)
        if access is None or not access.application_credential_id:
            return None
        if access.application_credential.get("restricted"):
            return _RESTRICTED
        path = f"/OS-TRUST/trusts?trustor_user_id={access.user_id}"
        seen = session.get(path, endpoint_filter=_KEYSTONE, raise_exc=False)
        return _DELEGATED if seen.status_code == 403 else None
    except ksa.ClientException:
        return None


def _access(session: Session) -> AccessInfoV3 | None:
    if not isinstance(session.auth, BaseIdentityPlugin):
        return None
    access = session.auth.get_access(session)
    return access if isinstance(access, AccessInfoV3) else None
