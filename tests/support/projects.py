"""Projects of a real OpenStack that exist for one run of tests, and are removed after it."""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from openstack.connection import Connection

#: What a clouds.yaml entry says besides who logs in.
_KEPT = ("identity_api_version", "interface", "verify", "cacert", "cert", "key")

#: Roles of the user, as far as the cloud has them: it may do what Trove's service user may.
_ROLES = ("admin", "member", "heat_stack_owner")


@contextmanager
def own_projects(admin: Connection, names: Sequence[str]) -> Iterator[Path]:
    """A new project for each name, with one user for all of them.

    Yields a clouds.yaml that has an entry of each name. Whatever is in the projects must be gone
    before they are; their default security groups go with them.
    """
    identity: Any = admin.identity
    run, password = f"trove-resources-test-{secrets.token_hex(6)}", secrets.token_hex(16)
    user = identity.create_user(name=run, password=password, domain_id="default")
    projects: dict[str, str] = {}
    try:
        for name in names:
            project = identity.create_project(name=f"{run}-{name}", domain_id="default")
            projects[name] = project.id
            for role in filter(None, map(identity.find_role, _ROLES)):
                identity.assign_project_role_to_user(project, user, role)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "clouds.yaml"
            file.write_text(yaml.safe_dump(_clouds(admin, run, password, projects)))
            yield file
    finally:
        for project_id in projects.values():
            _forget(admin, project_id)
        identity.delete_user(user)


def _clouds(
    admin: Connection, user: str, password: str, projects: dict[str, str]
) -> dict[str, Any]:
    config = admin.config.config
    common = {key: config[key] for key in _KEPT if key in config}
    common["region_name"] = admin.config.region_name
    auth = {
        "auth_url": config["auth"]["auth_url"],
        "username": user,
        "password": password,
        "user_domain_id": "default",
    }
    return {
        "clouds": {
            name: {**common, "auth": {**auth, "project_id": project}}
            for name, project in projects.items()
        }
    }


def _forget(admin: Connection, project: str) -> None:
    """Remove the project with what it has by itself: quotas and its default security group."""
    groups = admin.network.get(f"/security-groups?project_id={project}").json()
    for group in groups["security_groups"]:
        admin.network.delete(f"/security-groups/{group['id']}")
    admin.network.delete(f"/quotas/{project}")
    admin.block_storage.delete(f"/os-quota-sets/{project}")
    identity: Any = admin.identity
    identity.delete_project(project)
