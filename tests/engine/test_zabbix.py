"""Zabbix on its real engine and database: what one container's upgrade means for the others, and who refuses whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.product_lab import beside, fetch, unlabelled
from tests.engine.upgrade_lab import Bench, bench_on
from tests.lab.engines import until

SERVER, WEB = "refloat-lab/zabbix-server-pgsql", "refloat-lab/zabbix-web-nginx-pgsql"
DATABASE = ("--env", "POSTGRES_USER=zabbix", "--env", "POSTGRES_PASSWORD=correct-horse-never-shown")
VENDOR = "https://www.zabbix.com/documentation/7.4/manual/installation/upgrade"


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        bench.docker("network", "create", bench.name)
        yield bench


def start(bench: Bench, image: str, alias: str, *options: str) -> Bench:
    """A container of the installation, named after its alias, in the installation's network."""
    one = beside(bench, alias)
    one.run(image, "--network", bench.name, "--network-alias", alias, *options)
    return one


def says(bench: Bench, line: str) -> bool:
    return line in bench.docker("logs", bench.name)


def asked(web: Bench, method: str, params: object, token: str = "") -> object:
    """The answer of the API."""
    call = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": method, "params": params} | ({"auth": token} if token else {})
    )
    options = ("--header", "Content-Type: application/json-rpc", "--post-data", call)
    return json.loads(fetch(web, "http://127.0.0.1:8080/api_jsonrpc.php", *options))["result"]


def hosts(web: Bench, user: str = "username") -> object:
    """How many the API counts; who asks is ``user`` in 5.0 still."""
    token = asked(web, "user.login", {user: "Admin", "password": "zabbix"})
    return asked(web, "host.get", {"countOutput": True}, str(token))


QUIET = """\
targets:
  agent:
    container: {name}
    goal: 7.0.22
    dwell_s: 1
    vault: {name}-vault
    silence:
      - {{kind: zabbix, url: "http://zabbix-web:8080", token: !file token, hosts: [Zabbix server], required: true}}
"""


def cut_off_in_a_maintenance(agent: Bench, web: Bench, folder: Path) -> None:
    """With an API token of Zabbix's own, and a refloat that dies on the way: the maintenance is there, then gone."""
    session = str(asked(web, "user.login", {"username": "Admin", "password": "zabbix"}))
    (made,) = asked(web, "token.create", {"name": "refloat", "userid": "1"}, session)["tokenids"]  # type: ignore[index]  # JSON
    (secret,) = (each["token"] for each in asked(web, "token.generate", [made], session))  # type: ignore[attr-defined]  # JSON
    (folder / "token").write_text(secret)
    (folder / "refloat.yaml").write_text(QUIET.format(name=agent.name))
    variables = {"REFLOAT_CONFIG": str(folder / "refloat.yaml")}

    def maintenances() -> list[tuple[str, int]]:
        wanted: dict[str, object] = {"output": ["active_since", "active_till"], "selectHosts": ["host"]}
        every = asked(web, "maintenance.get", wanted, session)
        assert isinstance(every, list)
        return [(each["hosts"][0]["host"], int(each["active_till"]) - int(each["active_since"])) for each in every]

    agent.refloat("apply", "agent", REFLOAT_DEBUG_KILL_AT="did stop-container", **variables)
    assert maintenances() == [("Zabbix server", 30 * 60)]
    recovered = agent.refloat("recover", agent.name, **variables)
    assert recovered.status == 0, recovered.out + recovered.err
    assert maintenances() == []
    kept = "".join(path.read_text() for path in (agent.home / "runs").glob("*/*.json*"))
    assert secret not in kept + recovered.out + recovered.err


def test_a_zabbix_server_migrates_its_schema_twice_and_the_rest_follows_in_order(bench: Bench, tmp_path: Path) -> None:
    start(bench, "refloat-lab/postgres:15", "postgres-server", *DATABASE)
    server = start(bench, f"{SERVER}:5.0.8", "zabbix-server", *DATABASE)
    web = start(bench, f"{WEB}:5.0.8", "zabbix-web", *DATABASE)
    agent = start(bench, "refloat-lab/zabbix-agent:5.0.8", "zabbix-agent", "--env", "ZBX_HOSTNAME=Zabbix server")
    until(lambda: says(server, "server #0 started"), "the schema is made and the server runs")
    before = hosts(web, "user")

    early = web.apply("--to", "7.0.22", "--deadline", "3")
    assert early.status == 5, early.out + early.err
    assert "does not match current requirements" in early.out

    server.upgraded("--to", "6.0.14")

    back = server.apply("--to", "5.0.8", "--json")
    assert (back.status, back.error) == (3, "hop")
    assert "refuses a newer schema" in back.out
    assert VENDOR in back.out
    ran = server.apply("--image", unlabelled(server, "zabbix-server-pgsql", "5.0.8"))
    assert ran.status == 5, ran.out + ran.err
    assert "does not match Zabbix database" in ran.out
    assert server.target.image_ref == f"{SERVER}:6.0.14"

    done = server.upgraded("--to", "7.0.22")
    assert "schema" in done.out + done.err
    assert "correct-horse" not in done.out + done.err
    web.upgraded("--to", "7.0.22")
    cut_off_in_a_maintenance(agent, web, tmp_path)
    agent.upgraded("--to", "7.0.22")
    assert hosts(web) == before
    server.docker("stop", server.name)
    older = start(bench, f"{SERVER}:6.0.14", "older", *DATABASE)
    until(lambda: older.target.state.status == "exited", "the older server refuses the database")
    told = json.loads(older.refloat("versions", older.name, "--offline", "--json").out)
    assert (told["version"], told["data"]) == ("6.0.14", "7.0.0")


def test_a_zabbix_proxy_makes_its_database_anew_and_is_taken_for_well(bench: Bench) -> None:
    image, data = "refloat-lab/zabbix-proxy-sqlite3", f"{bench.data}:/var/lib/zabbix/db_data"
    proxy = start(bench, f"{image}:6.0.14", "proxy", "--volume", data)
    until(lambda: says(proxy, "proxy #0 started"), "the proxy runs")
    planned = proxy.plan("--to", "7.0.22")
    assert "may the database file be removed" in planned.out
    proxy.upgraded("--to", "7.0.22")
    assert says(proxy, "removing database file")
    assert proxy.refloat("rollback", proxy.name, "--yes").status == 0
    until(lambda: says(proxy, "proxy #0 started"), "the proxy runs on its old database")
    assert not says(proxy, "creating database")
