"""Alertmanager's silences, and metrics of the upgrade for Prometheus; they are only worded here."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import JsonValue

from runner.silence.model import Alertmanager, Pushgateway, Textfile
from runner.silence.talk import FileCall, HttpCall, Order, Talk, iso, json_call, objects, read_json


def begin_silence(monitor: Alertmanager, order: Order, user: str) -> Talk:
    """One silence."""
    body: JsonValue = {
        "matchers": [_matcher(name, value) for name, value in monitor.matchers.items()],
        "startsAt": iso(order.begins_s),
        "endsAt": iso(order.ends_s),
        "createdBy": "refloat",
        "comment": order.comment,
    }
    yield json_call("POST", f"{_base(monitor.url)}/api/v2/silences", body, user=user)


def _matcher(name: str, value: str) -> JsonValue:
    is_regex = value.startswith("~")
    return {"name": name, "value": value.removeprefix("~"), "isRegex": is_regex, "isEqual": True}


def end_silence(monitor: Alertmanager, order: Order, user: str) -> Talk:
    """Expire every silence of the run, a second one too that a death left."""
    told = yield HttpCall(method="GET", url=f"{_base(monitor.url)}/api/v2/silences", user=user)
    for each in objects(read_json(told)):
        status = each.get("status")
        over = isinstance(status, dict) and status.get("state") == "expired"
        if str(each.get("comment", "")).startswith(order.mark) and not over:
            yield HttpCall(method="DELETE", url=f"{_base(monitor.url)}/api/v2/silence/{each['id']}", user=user)


def push(monitor: Pushgateway, order: Order, user: str) -> Talk:
    """Replace the metrics of this target."""
    url = f"{_base(monitor.url)}/metrics/job/refloat/target/{quote(order.target, safe='')}"
    yield HttpCall(
        method="PUT", url=url, headers=("Content-Type: text/plain",), body=metrics(order, named=False), user=user
    )


def write_textfile(monitor: Textfile, order: Order) -> Talk:
    """The same in a file."""
    yield FileCall(path=monitor.path, text=metrics(order, named=True))


def metrics(order: Order, *, named: bool) -> str:
    """The upgrade in Prometheus' text format; ``until`` is past once it is over, or once nobody says so any more."""
    pairs = {"target": order.target, "old": order.old, "new": order.new, "run": order.run}
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs.items() if named or name != "target")
    values = {
        "begun_timestamp_seconds": order.begins_s,
        "until_timestamp_seconds": order.ends_s,
        "running": int(order.accepted is None),
        **({} if order.accepted is None else {"accepted": int(order.accepted)}),
    }
    return "".join(
        f"# TYPE refloat_upgrade_{name} gauge\nrefloat_upgrade_{name}{{{labels}}} {value}\n"
        for name, value in values.items()
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _base(url: str) -> str:
    return url.rstrip("/")
