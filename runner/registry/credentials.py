"""The user's own login at a registry, as `docker login` left it; it is read when needed and never kept or shown."""

from __future__ import annotations

import base64
import warnings
from dataclasses import dataclass, field

import docker.auth
import docker.credentials.errors
import docker.errors
from pydantic import TypeAdapter, ValidationError

from runner.errors import RegistryError

_ENTRY = TypeAdapter(dict[str, object] | None)
THEN = "Check auths, credsStore and credHelpers in ~/.docker/config.json."


@dataclass(frozen=True)
class Login:
    """Name and password, or an identity token; all empty for nobody."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The Authorization header; empty for nobody."""
        if not self.password:
            return ""
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return f"Basic {pair}"


def login_for(host: str) -> Login:
    """The login for this registry; RegistryError ``registry-credentials`` where Docker's file or helper fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a helper is not installed is an error just below
            entry = _ENTRY.validate_python(docker.auth.resolve_authconfig(docker.auth.load_config(), host))
    except (docker.errors.DockerException, docker.credentials.errors.StoreError, ValidationError, OSError):
        # What went wrong is not repeated: a helper's words may hold what it was asked for.
        raise RegistryError("registry-credentials", f"The login for {host} cannot be read.", then=THEN) from None
    found = {key.lower(): value for key, value in (entry or {}).items() if isinstance(value, str)}
    username, password = found.get("username", ""), found.get("password", "")
    if username == docker.auth.TOKEN_USERNAME:
        return Login(identity=password)
    return Login(username, password, found.get("identitytoken", ""))
