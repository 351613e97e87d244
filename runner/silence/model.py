"""The monitors that can be kept quiet, as refloat.yaml names them; secrets are only pointed to, nothing is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from runner.hops import Stated
from runner.secrecy import Secret

Url = Annotated[str, Field(pattern=r"^https?://[^@\s\"]+$", description="Without a password in it.")]
Name = Annotated[str, Field(pattern=r"^[^;\n]+$")]
Hosts = Annotated[tuple[Name, ...], Field(min_length=1, description="As the monitor calls them.")]
Minutes = Annotated[float, Field(gt=0, le=1440)]


class AnyMonitor(Stated):
    """What every monitor is told."""

    minutes: Minutes = Field(default=30, description="It is noisy again after this long, whatever became of refloat.")
    required: bool = Field(default=False, description="Turn back where it cannot be kept quiet. Default: warn.")

    @property
    def spoken(self) -> str:
        """How people call it."""
        return f"the monitor ({str(getattr(self, 'kind', '')).capitalize()})"


class OnNetwork(AnyMonitor):
    """A monitor with an address, asked from the target's network or another of the engine."""

    url: Url
    network: str = Field(default="", description="The engine's network to ask it from. Default: the target's.")
    ca: str = Field(default="", description="A file with the authority that signed its certificate.")
    insecure: bool = Field(default=False, description="Whether any certificate will do.")


class Alertmanager(OnNetwork):
    """A silence in Alertmanager."""

    kind: Literal["alertmanager"]
    matchers: dict[str, str] = Field(min_length=1, description="Label: value; `~` before a regular expression.")
    user: str = ""
    password: Secret | None = None


class Pushgateway(OnNetwork):
    """Metrics of the upgrade in a Pushgateway."""

    kind: Literal["pushgateway"]
    user: str = ""
    password: Secret | None = None


class Textfile(AnyMonitor):
    """The same metrics in a file for node-exporter's textfile collector."""

    kind: Literal["textfile"]
    path: str = Field(pattern=r"^/.+\.prom$")
    container: str = Field(default="", description="In which container. Default: on the machine refloat runs on.")


class Zabbix(OnNetwork):
    """A maintenance in Zabbix."""

    kind: Literal["zabbix"]
    token: Secret = Field(description="An API token that may edit maintenances.")
    hosts: Hosts


class Icinga2(OnNetwork):
    """Downtimes in Icinga 2, of hosts with all their services."""

    kind: Literal["icinga2"]
    user: str
    password: Secret
    hosts: Hosts


class Checkmk(OnNetwork):
    """Downtimes in Checkmk; the address ends with the site."""

    kind: Literal["checkmk"]
    user: str = "automation"
    password: Secret
    hosts: Hosts


class Nagios(AnyMonitor):
    """Downtimes in Nagios, of hosts with all their services, through its external command file."""

    kind: Literal["nagios"]
    command_file: str = Field(default="/var/lib/nagios4/rw/nagios.cmd", pattern=r"^/")
    container: str = Field(default="", description="In which container. Default: on the machine refloat runs on.")
    hosts: Hosts


Monitor = Annotated[
    Alertmanager | Pushgateway | Textfile | Zabbix | Icinga2 | Checkmk | Nagios, Field(discriminator="kind")
]
