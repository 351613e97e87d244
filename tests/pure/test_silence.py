"""What monitors are told so that they keep quiet, word for word, and what comes of one that is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pydantic import TypeAdapter, ValidationError

from runner.engine.memory import Behaviour, MemoryEngine
from runner.engine.memory.behaviour import Answer
from runner.errors import EngineError, Exit
from runner.facts import Image
from runner.goal import Goal
from runner.options import Options
from runner.outcome import Outcome
from runner.perform_silence import CURL, curl_config
from runner.probes.prober import TOOLS_IMAGE
from runner.records import Noted, Record
from runner.secrecy import FromFile, Secret
from runner.silence.choice import begin, end
from runner.silence.model import Monitor
from runner.silence.talk import FileCall, HttpCall, Order
from tests.pure.sweep.stages import NAME, STAGES, build, new_home, runner_on

MONITOR: TypeAdapter[Monitor] = TypeAdapter(Monitor)
ORDER = Order(run="r1", target="shop;db", old="1.0", new="2.0", begins_s=1_700_000_000, ends_s=1_700_001_800)
OVER = ORDER.model_copy(update={"ends_s": 1_700_000_060, "accepted": True})
COMMENT = "refloat r1: upgrade of shop;db 1.0 to 2.0"
ALERTMANAGER = {"kind": "alertmanager", "url": "http://am:9093/", "matchers": {"instance": "db:9187", "job": "~db.*"}}
ZABBIX = {"kind": "zabbix", "url": "http://zbx", "token": "${TOKEN}", "hosts": ["db"]}
ICINGA = {"kind": "icinga2", "url": "https://icinga:5665", "user": "refloat", "password": "${PW}", "hosts": ["db"]}
CHECKMK = {"kind": "checkmk", "url": "http://cmk/site", "password": {"file": "pw"}, "hosts": ["db"]}
NAGIOS = {"kind": "nagios", "hosts": ["db"]}


def reveal(pointer: Secret) -> str:
    return f"<{pointer.file if isinstance(pointer, FromFile) else pointer}>"


def said(settings: object, order: Order, *answers: object) -> list[HttpCall | FileCall]:
    """All that is said, given these answers."""
    monitor = MONITOR.validate_python(settings)
    talk = (begin if order.accepted is None else end)(monitor, order, reveal)
    calls: list[HttpCall | FileCall] = []
    left: Iterator[object] = iter(answers)
    with suppress(StopIteration):
        calls.append(next(talk))
        while True:
            answer = next(left, "")
            calls.append(talk.send(answer if isinstance(answer, str) else json.dumps(answer)))
    return calls


def http(call: HttpCall | FileCall) -> tuple[str, str]:
    assert isinstance(call, HttpCall)
    return call.method, call.url


def body(call: HttpCall | FileCall) -> dict[str, object]:
    assert isinstance(call, HttpCall)
    told: dict[str, object] = json.loads(call.body)
    return told


def test_alertmanager_gets_a_silence_that_ends_by_itself() -> None:
    (call,) = said(ALERTMANAGER, ORDER)
    assert http(call) == ("POST", "http://am:9093/api/v2/silences")
    assert body(call) == {
        "matchers": [
            {"name": "instance", "value": "db:9187", "isRegex": False, "isEqual": True},
            {"name": "job", "value": "db.*", "isRegex": True, "isEqual": True},
        ],
        "startsAt": "2023-11-14T22:13:20Z",
        "endsAt": "2023-11-14T22:43:20Z",
        "createdBy": "refloat",
        "comment": COMMENT,
    }


def test_alertmanager_loses_every_silence_of_the_run_and_no_other() -> None:
    def one(name: str, comment: str, state: str) -> object:
        return {"id": name, "comment": comment, "status": {"state": state}}

    every = [one("a", COMMENT, "active"), one("b", COMMENT, "expired"), one("c", "by hand", "active"),
             one("d", COMMENT, "pending")]  # fmt: skip
    asked, *gone = said(ALERTMANAGER, OVER, every)
    assert http(asked) == ("GET", "http://am:9093/api/v2/silences")
    assert [http(call) for call in gone] == [
        ("DELETE", "http://am:9093/api/v2/silence/a"),
        ("DELETE", "http://am:9093/api/v2/silence/d"),
    ]


def test_a_pushgateway_learns_when_it_began_and_how_it_ended() -> None:
    settings = {"kind": "pushgateway", "url": "http://pg:9091", "user": "me", "password": "${PW}"}
    (begun,), (over,) = said(settings, ORDER), said(settings, OVER)
    assert isinstance(begun, HttpCall)
    assert isinstance(over, HttpCall)
    assert http(begun) == ("PUT", "http://pg:9091/metrics/job/refloat/target/shop%3Bdb")
    assert begun.user == "me:<${PW}>"
    assert 'refloat_upgrade_running{old="1.0",new="2.0",run="r1"} 1\n' in begun.body
    assert 'refloat_upgrade_until_timestamp_seconds{old="1.0",new="2.0",run="r1"} 1700001800\n' in begun.body
    assert 'refloat_upgrade_running{old="1.0",new="2.0",run="r1"} 0\n' in over.body
    assert 'refloat_upgrade_accepted{old="1.0",new="2.0",run="r1"} 1\n' in over.body


def test_a_textfile_holds_the_same_metrics_and_names_the_target() -> None:
    (call,) = said({"kind": "textfile", "path": "/var/lib/node/refloat.prom"}, ORDER)
    assert isinstance(call, FileCall)
    assert not call.onto
    assert 'refloat_upgrade_running{target="shop;db",old="1.0",new="2.0",run="r1"} 1\n' in call.text


def test_zabbix_gets_a_maintenance_of_its_hosts() -> None:
    answers: tuple[object, ...] = (
        {"result": "7.0.3"},
        {"result": []},
        {"result": [{"hostid": "17", "host": "db"}]},
        {"result": {}},
    )
    version, looked, hosts, made = said(ZABBIX, ORDER, *answers)
    assert isinstance(version, HttpCall)
    assert isinstance(made, HttpCall)
    assert body(version) == {"jsonrpc": "2.0", "method": "apiinfo.version", "params": [], "id": 1}
    assert "Authorization" not in str(version.headers)
    assert [body(call)["method"] for call in (looked, hosts, made)] == [
        "maintenance.get", "host.get", "maintenance.create"]  # fmt: skip
    assert "Authorization: Bearer <${TOKEN}>" in made.headers
    params = body(made)["params"]
    assert isinstance(params, dict)
    assert (params["name"], params["active_till"], params["hosts"]) == ("refloat r1", 1_700_001_800, [{"hostid": "17"}])


def test_an_older_zabbix_wants_its_token_in_the_body() -> None:
    answers: tuple[object, ...] = ({"result": "6.0.30"}, {"result": [{"maintenanceid": "5"}]}, {"result": {}})
    *_, gone = said(ZABBIX, OVER, *answers)
    assert body(gone)["params"] == ["5"]
    assert body(gone)["auth"] == "<${TOKEN}>"


def test_zabbix_gets_no_second_maintenance_of_a_run_that_was_taken_up_again() -> None:
    assert len(said(ZABBIX, ORDER, {"result": "7.0.0"}, {"result": [{"maintenanceid": "5"}]})) == 2


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (({"result": "7.0.0"}, {"error": {"message": "Invalid params.", "data": "Not authorized."}}), "Not authorized"),
        (({"result": "7.0.0"}, {"result": []}, {"result": []}), "no host db"),
        (("<html>", {}), "not JSON"),
    ],
)
def test_what_zabbix_refuses_is_said(answers: tuple[object, ...], says: str) -> None:
    with pytest.raises(EngineError, match=says):
        said(ZABBIX, ORDER, *answers)


def test_icinga_gets_a_downtime_of_hosts_and_services_and_loses_it_by_its_comment() -> None:
    made = {"results": [{"code": 200, "name": "db!eec04a92-8731-4f4f-9858-b3cca2e1e029", "service_downtimes": []}]}
    (begun,), (over,) = said(ICINGA, ORDER, made), said(ICINGA, OVER)
    assert http(begun) == ("POST", "https://icinga:5665/v1/actions/schedule-downtime")
    told = body(begun)
    assert (told["filter_vars"], told["all_services"], told["end_time"]) == ({"hosts": ["db"]}, True, 1_700_001_800)
    assert isinstance(over, HttpCall)
    assert (over.url, over.fine) == ("https://icinga:5665/v1/actions/remove-downtime", (404,))
    assert body(over)["filter_vars"] == {"pattern": "refloat r1*"}
    assert over.user == "refloat:<${PW}>"


def test_a_host_that_icinga_does_not_know_is_named() -> None:
    monitor = {**ICINGA, "hosts": ["db", "bd"]}
    with pytest.raises(EngineError, match="no host bd"):
        said(monitor, ORDER, {"results": [{"code": 200, "name": "db!eec04a92"}]})
    with pytest.raises(EngineError, match="no host bd, db"):
        said(monitor, ORDER, {"error": 404, "status": "No objects found."})


def test_checkmk_gets_a_downtime_and_loses_it_by_its_comment() -> None:
    (begun,), (over,) = said(CHECKMK, ORDER), said(CHECKMK, OVER)
    start = "http://cmk/site/check_mk/api/1.0/domain-types/downtime"
    assert (http(begun), http(over)) == (
        ("POST", f"{start}/collections/host"),
        ("POST", f"{start}/actions/delete/invoke"),
    )
    assert isinstance(begun, HttpCall)
    assert "Authorization: Bearer automation <pw>" in begun.headers
    assert body(over)["query"] == {"op": "~", "left": "comment", "right": "^refloat r1"}


def test_nagios_gets_its_commands_in_one_piece_without_a_stray_semicolon() -> None:
    (begun,), (over,) = said(NAGIOS, ORDER), said(NAGIOS, OVER)
    plain = COMMENT.replace(";", ",")
    assert isinstance(begun, FileCall)
    assert begun.onto
    assert begun.text == (
        f"[1700000000] SCHEDULE_HOST_DOWNTIME;db;1700000000;1700001800;1;0;1800;refloat;{plain}\n"
        f"[1700000000] SCHEDULE_HOST_SVC_DOWNTIME;db;1700000000;1700001800;1;0;1800;refloat;{plain}\n"
    )
    assert isinstance(over, FileCall)
    assert over.text == f"[1700000060] DEL_DOWNTIME_BY_HOST_NAME;db;;;{plain}\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {**ZABBIX, "token": "hunter2"},
        {**ALERTMANAGER, "url": "http://me:hunter2@am:9093"},
        {**ALERTMANAGER, "matchers": {}},
        {**NAGIOS, "hosts": ["a;b"]},
        {**NAGIOS, "minutes": 0},
        {"kind": "textfile", "path": "relative.prom"},
    ],
)
def test_a_monitor_that_cannot_be_is_said_to_be_wrong_and_a_secret_is_only_pointed_to(wrong: object) -> None:
    with pytest.raises(ValidationError):
        MONITOR.validate_python(wrong)


def test_a_request_cannot_break_out_of_its_quotes() -> None:
    call = HttpCall(method="POST", url="http://x/", body='{"a": "b\\n\n"}\nurl = "http://evil/"', user='a:"b')
    lines = curl_config(call, insecure=False).splitlines()
    assert [line for line in lines if line.startswith("url")] == ['url = "http://x/"']
    assert r'user = "a:\"b"' in lines


HEARING = next(stage for stage in STAGES if stage.name == "goes through")


def upgraded(answer: Answer, **more: object) -> tuple[Outcome, list[str], MemoryEngine]:
    engine, heard = build(HEARING), list[Record]()
    tools = Image(id=f"sha256:{'7' * 64}", tags=(TOOLS_IMAGE,), config={}, architecture="amd64")
    engine.world.add_image(tools, Behaviour(answers=(answer,)))
    runner = runner_on(engine, new_home(), heard.append)
    monitor = MONITOR.validate_python({**ALERTMANAGER, **more})
    end_of_it = runner.apply(runner.plan(NAME, Goal(to="2.0"), Options(deadline_s=10, silence=(monitor,))))
    return end_of_it, [each.text for each in heard if isinstance(each, Noted) and each.kind == "warning"], engine


def test_a_monitor_that_hears_is_told_before_the_stop_and_after_the_verdict() -> None:
    done, warnings, engine = upgraded(Answer(argv=CURL, stdout="[]\n200"))
    assert (done.exit_status, warnings) == (Exit.DONE, [])
    names = [name for name, arguments in engine.calls if name in ("stop", "start") or CURL in arguments]
    assert names.index("execute") < names.index("stop")
    assert names[-1] == "execute"
    assert [each.name for each in engine.containers()] == [NAME]


def test_a_monitor_that_is_away_holds_nothing_up_unless_it_must_hear() -> None:
    away = Answer(argv=CURL, exit_code=7)
    done, warnings, _ = upgraded(away)
    assert done.exit_status is Exit.DONE
    assert [text.partition(":")[0] for text in warnings] == [
        "the monitor (Alertmanager) was not kept quiet",
        "the monitor (Alertmanager) may stay quiet for up to 30 minutes",
    ]
    turned, _, _ = upgraded(away, required=True)
    assert (turned.exit_status, turned.code, turned.downtime_s) == (Exit.ROLLED_BACK, "silence-failed", None)
