"""Asking a registry: pages, logins, tokens, limits, and what must never be sent to whom."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from runner.clock import MemoryClock
from runner.errors import RegistryError
from runner.registry.challenge import Challenge, challenge_from
from runner.registry.place import place_of
from runner.registry.tags import read_digest, read_tags, seen_tags
from tests.wire.registry_stub import Asked, Said, Stub, registry_that

DIGEST = f"sha256:{'a' * 64}"
PASSWORD = "hunter2-not-to-be-seen"


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    monkeypatch.delenv("http_proxy", raising=False)
    return tmp_path


def log_in(folder: Path, host: str, *, identity: str = "") -> None:
    auth = base64.b64encode(f"mia:{PASSWORD}".encode()).decode()
    entry = {"identitytoken": identity} if identity else {"auth": auth}
    (folder / "config.json").write_text(json.dumps({"auths": {host: entry}}))


def tags(*names: str, **headers: str) -> Said:
    return 200, headers, json.dumps({"name": "mon", "tags": list(names)}).encode()


def refusal_of(stub: Stub) -> RegistryError:
    with pytest.raises(RegistryError) as no:
        read_tags(f"{stub.host}/mon", MemoryClock())
    assert PASSWORD not in str(no.value)
    return no.value


def test_the_name_of_an_image_says_whom_to_ask() -> None:
    for name, host, path in (
        ("redis", "docker.io", "library/redis"),
        ("prom/prometheus", "docker.io", "prom/prometheus"),
        ("index.docker.io/library/redis", "docker.io", "library/redis"),
        ("localhost/redis", "localhost", "redis"),
        ("registry.example.com:5000/a/b/c", "registry.example.com:5000", "a/b/c"),
    ):
        place = place_of(name)
        assert (place.host, place.path) == (host, path)
    assert place_of("redis").address == "registry-1.docker.io"
    loopback = [place_of(f"{host}/a").is_loopback for host in ("localhost:5000", "127.0.0.9:1", "[::1]:5000")]
    assert (loopback, place_of("10.0.0.1:5000/a").is_loopback) == ([True] * 3, False)


def test_a_challenge_is_read_however_it_is_written() -> None:
    bearer = 'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"'
    assert challenge_from(bearer) == Challenge(
        "bearer", "https://auth.example/token", "reg", "repository:a/b:pull,push"
    )
    assert challenge_from(f'Basic realm="x", {bearer}') == challenge_from(bearer)
    assert challenge_from('basic realm="Registry"') == Challenge("basic")
    assert challenge_from("Negotiate") is None


def test_every_page_is_read_in_order_and_each_tag_is_named_once() -> None:
    def pages(_: Stub, asked: Asked) -> Said:
        if "last=b" in asked.line:
            return tags("b", "c")
        return tags("a", "b", Link='</v2/mon/tags/list?last=b&n=2>; rel="next"')

    with registry_that(pages) as stub:
        seen = read_tags(f"{stub.host}/mon", MemoryClock())
    assert (seen.tags, seen.whole, seen.registry) == (("a", "b", "c"), True, stub.host)


def test_a_next_page_on_another_host_is_refused_and_never_gets_the_password(docker_config: Path) -> None:
    with registry_that(lambda *_: tags("stolen")) as thief:

        def sends_away(_: Stub, asked: Asked) -> Said:
            if not asked.authorization:
                return 401, {"WWW-Authenticate": 'Basic realm="r"'}, b""
            return tags("a", Link=f'<http://{thief.host}/v2/mon/tags/list>; rel="next"')

        with registry_that(sends_away) as stub:
            log_in(docker_config, stub.host)
            assert refusal_of(stub).code == "registry-odd"
    assert thief.asked == []


def test_a_password_is_sent_only_when_asked_for_and_only_where_one_is_known(docker_config: Path) -> None:
    def wants_login(_: Stub, asked: Asked) -> Said:
        expected = f"Basic {base64.b64encode(f'mia:{PASSWORD}'.encode()).decode()}"
        return tags("1") if asked.authorization == expected else (401, {"WWW-Authenticate": 'Basic realm="r"'}, b"")

    with registry_that(wants_login) as stub:
        no = refusal_of(stub)
        assert (no.code, no.then) == ("registry-denied", f"docker login {stub.host}")
        log_in(docker_config, stub.host)
        assert read_tags(f"{stub.host}/mon", MemoryClock()).tags == ("1",)
    assert [bool(one.authorization) for one in stub.asked] == [False, False, True]


@pytest.mark.parametrize("identity", ["", "refresh-me"])
def test_a_token_is_fetched_where_the_registry_says_and_used_for_the_rest(docker_config: Path, identity: str) -> None:
    def wants_token(stub: Stub, asked: Asked) -> Said:
        if "/token" in asked.line:
            return 200, {}, b'{"token": "t0k3n"}'
        if asked.authorization == "Bearer t0k3n":
            return tags("1")
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{stub.host}/token",service="reg"'}, b""

    with registry_that(wants_token) as stub:
        log_in(docker_config, stub.host, identity=identity)
        assert read_tags(f"{stub.host}/mon", MemoryClock()).tags == ("1",)
    (asked,) = (one for one in stub.asked if "/token" in one.line)
    assert asked.line.startswith("POST" if identity else "GET")
    assert identity or "scope=repository%3Amon%3Apull" in asked.line


def test_a_limit_is_waited_for_where_it_is_short_and_said_where_it_is_long() -> None:
    def limited_once(stub: Stub, _: Asked) -> Said:
        return tags("1") if len(stub.asked) > 1 else (429, {"Retry-After": "3"}, b"")

    clock = MemoryClock()
    with registry_that(limited_once) as stub:
        assert read_tags(f"{stub.host}/mon", clock).tags == ("1",)
    assert clock.monotonic() == 3
    with registry_that(lambda *_: (429, {"Retry-After": "21600"}, b"")) as stub:
        no = refusal_of(stub)
    assert (no.code, no.then, len(stub.asked)) == ("registry-rate-limit", "Wait 21600 s, then again.", 1)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ((404, {}, b"{}"), "registry-no-such-tag"),
        ((403, {}, b""), "registry-denied"),
        ((500, {}, b"oh"), "registry-odd"),
        ((307, {"Location": "http://elsewhere.invalid/"}, b""), "registry-odd"),
        ((200, {}, b"<html>hello"), "registry-odd"),
        ((429, {}, b""), "registry-rate-limit"),
    ],
)
def test_every_answer_that_does_not_help_has_its_code(said: Said, code: str) -> None:
    with registry_that(lambda *_: said) as stub:
        assert refusal_of(stub).code == code


def test_nobody_at_home_is_said_and_looking_around_goes_on() -> None:
    with registry_that(lambda *_: tags()) as gone:
        pass
    seen = seen_tags(f"{gone.host}/mon", MemoryClock())
    assert (seen.whole, seen.tags) == (False, ())
    assert "cannot be reached" in seen.unseen


def test_the_digest_of_a_tag_is_asked_for_without_its_content() -> None:
    with registry_that(lambda *_: (200, {"Docker-Content-Digest": DIGEST}, b"")) as stub:
        assert read_digest(f"{stub.host}/mon", "1.0", MemoryClock()) == DIGEST
    assert stub.asked[-1].line == "HEAD /v2/mon/manifests/1.0"


def test_a_login_that_cannot_be_read_is_said_without_repeating_it(docker_config: Path) -> None:
    (docker_config / "config.json").write_text(json.dumps({"credsStore": "there-is-no-such-helper", "x": PASSWORD}))
    with registry_that(lambda *_: (401, {"WWW-Authenticate": "Basic"}, b"")) as stub:
        assert refusal_of(stub).code == "registry-credentials"
