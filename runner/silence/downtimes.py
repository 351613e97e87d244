"""Maintenances and downtimes of Zabbix, Icinga 2, Checkmk and Nagios; they are only worded here."""

from __future__ import annotations

from collections.abc import Generator

from pydantic import JsonValue

from runner.errors import EngineError
from runner.silence.model import Checkmk, Icinga2, Nagios, Zabbix
from runner.silence.talk import FileCall, HttpCall, Order, Talk, iso, json_call, objects, read_json

Ask = Generator[HttpCall | FileCall, str, JsonValue]


def begin_zabbix(monitor: Zabbix, order: Order, token: str) -> Talk:
    """One maintenance of the hosts; nothing where a runner that died made it already, for its name is unique."""
    header = yield from _zabbix_header(monitor, token)
    if (yield from _zabbix_ids(monitor, order, token, header)):
        return
    wanted: JsonValue = {"output": ["hostid", "host"], "filter": {"host": list(monitor.hosts)}}
    hosts = objects((yield from _zabbix(monitor, "host.get", wanted, token, header)))
    missing = set(monitor.hosts) - {str(each.get("host")) for each in hosts}
    if missing:
        raise EngineError("silence-failed", f"Zabbix knows no host {', '.join(sorted(missing))}.")
    body: JsonValue = {
        "name": order.mark,
        "description": order.comment,
        "active_since": order.begins_s,
        "active_till": order.ends_s,
        "hosts": [{"hostid": each["hostid"]} for each in hosts],
        "timeperiods": [
            {"timeperiod_type": 0, "start_date": order.begins_s, "period": max(300, order.ends_s - order.begins_s)}
        ],
    }
    yield from _zabbix(monitor, "maintenance.create", body, token, header)


def end_zabbix(monitor: Zabbix, order: Order, token: str) -> Talk:
    """Delete the maintenance of the run."""
    header = yield from _zabbix_header(monitor, token)
    if ids := (yield from _zabbix_ids(monitor, order, token, header)):
        yield from _zabbix(monitor, "maintenance.delete", ids, token, header)


def _zabbix_header(monitor: Zabbix, token: str) -> Generator[HttpCall | FileCall, str, str]:
    """The header that carries the token; empty where this Zabbix (before 6.4) wants it in the body."""
    version = str((yield from _zabbix(monitor, "apiinfo.version", [], "", "")))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    return f"Authorization: Bearer {token}" if parts >= (6, 4) else ""


def _zabbix_ids(monitor: Zabbix, order: Order, token: str, header: str) -> Ask:
    wanted: JsonValue = {"output": ["maintenanceid"], "filter": {"name": [order.mark]}}
    found = yield from _zabbix(monitor, "maintenance.get", wanted, token, header)
    return [each["maintenanceid"] for each in objects(found)]


def _zabbix(monitor: Zabbix, method: str, params: JsonValue, token: str, header: str) -> Ask:
    body: dict[str, JsonValue] = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    if token and not header:
        body["auth"] = token
    url = f"{monitor.url.rstrip('/')}/api_jsonrpc.php"
    told = read_json((yield json_call("POST", url, body, *((header,) if header else ()))))
    answer = told if isinstance(told, dict) else {}
    if "result" not in answer:
        error = answer.get("error")
        said = f"{error.get('message', '')} {error.get('data', '')}".strip() if isinstance(error, dict) else "no result"
        raise EngineError("silence-failed", f"Zabbix refuses {method}: {said}")
    return answer["result"]


def begin_icinga2(monitor: Icinga2, order: Order, user: str) -> Talk:
    """A fixed downtime of each host and all its services."""
    body: JsonValue = {
        "type": "Host",
        "filter": "host.name in hosts",
        "filter_vars": {"hosts": list(monitor.hosts)},
        "start_time": order.begins_s,
        "end_time": order.ends_s,
        "fixed": True,
        "all_services": True,
        "author": "refloat",
        "comment": order.comment,
    }
    told = yield json_call("POST", f"{monitor.url.rstrip('/')}/v1/actions/schedule-downtime", body, user=user,
                           fine=(404,))  # fmt: skip
    answer = read_json(told)
    made = objects(answer.get("results")) if isinstance(answer, dict) else ()
    known = {str(each.get("name")).partition("!")[0] for each in made}
    if missing := set(monitor.hosts) - known:
        raise EngineError("silence-failed", f"Icinga knows no host {', '.join(sorted(missing))}.")


def end_icinga2(monitor: Icinga2, order: Order, user: str) -> Talk:
    """Remove the downtimes of the run; 404 says that there are none."""
    body: JsonValue = {
        "type": "Downtime",
        "filter": "match(pattern, downtime.comment)",
        "filter_vars": {"pattern": f"{order.mark}*"},
        "author": "refloat",
    }
    yield json_call("POST", f"{monitor.url.rstrip('/')}/v1/actions/remove-downtime", body, user=user, fine=(404,))


def begin_checkmk(monitor: Checkmk, order: Order, password: str) -> Talk:
    """A fixed downtime of each host."""
    for host in monitor.hosts:
        body: JsonValue = {
            "downtime_type": "host",
            "host_name": host,
            "start_time": iso(order.begins_s),
            "end_time": iso(order.ends_s),
            "comment": order.comment,
        }
        yield _checkmk(monitor, "collections/host", body, password)


def end_checkmk(monitor: Checkmk, order: Order, password: str) -> Talk:
    """Remove the downtimes of the run."""
    query: JsonValue = {"op": "~", "left": "comment", "right": f"^{order.mark}"}
    yield _checkmk(monitor, "actions/delete/invoke", {"delete_type": "query", "query": query}, password)


def _checkmk(monitor: Checkmk, what: str, body: JsonValue, password: str) -> HttpCall:
    url = f"{monitor.url.rstrip('/')}/check_mk/api/1.0/domain-types/downtime/{what}"
    return json_call("POST", url, body, f"Authorization: Bearer {monitor.user} {password}")


def begin_nagios(monitor: Nagios, order: Order) -> Talk:
    """A fixed downtime of each host and of all its services."""
    length_s = order.ends_s - order.begins_s
    rest = f"{order.begins_s};{order.ends_s};1;0;{length_s};refloat;{_plain(order.comment)}"
    commands = (f"{what};{host};{rest}" for host in monitor.hosts
                for what in ("SCHEDULE_HOST_DOWNTIME", "SCHEDULE_HOST_SVC_DOWNTIME"))  # fmt: skip
    yield _nagios(monitor, order.begins_s, *commands)


def end_nagios(monitor: Nagios, order: Order) -> Talk:
    """Delete the downtimes of the run, by their comment."""
    commands = (f"DEL_DOWNTIME_BY_HOST_NAME;{host};;;{_plain(order.comment)}" for host in monitor.hosts)
    yield _nagios(monitor, order.ends_s, *commands)


def _nagios(monitor: Nagios, now_s: int, *commands: str) -> FileCall:
    return FileCall(path=monitor.command_file, text="".join(f"[{now_s}] {each}\n" for each in commands), onto=True)


def _plain(text: str) -> str:
    """A semicolon ends a field there."""
    return text.replace(";", ",").replace("\n", " ")
