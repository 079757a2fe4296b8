"""Who may log in, and the clouds.yaml that does it."""

from collections.abc import Iterable
from typing import Any

from handlers.clouds.memory.core import PROJECT
from simulator.wire import Account

#: An administrator, as Trove's own processes are, and a tenant without rights of that kind.
#: The passwords guard nothing: the simulator serves 127.0.0.1 and holds no data.
ACCOUNTS = (
    Account(
        user="trove",
        password="trove",  # noqa: S106
        project=PROJECT,
        project_name="service",
        admin=True,
    ),
    Account(
        user="demo",
        password="demo",  # noqa: S106
        project="99750a89225047649eb4d56a4e9a1f7d",
        project_name="demo",
    ),
)


def clouds_yaml(url: str, accounts: Iterable[Account] = ACCOUNTS) -> dict[str, Any]:
    """What clouds.yaml says for a simulator at `url`: one entry per account, named by its user."""
    return {
        "clouds": {
            account.user: {
                "region_name": "RegionOne",
                "identity_api_version": 3,
                "auth": {
                    "auth_url": f"{url}/identity/v3",
                    "username": account.user,
                    "password": account.password,
                    "project_name": account.project_name,
                    "user_domain_name": "Default",
                    "project_domain_name": "Default",
                },
            }
            for account in accounts
        }
    }
