"""The engine's own words, as seen from Engine 20.10 to 28 and registries, become codes."""

from __future__ import annotations

import pytest

from runner.engine.pulling import follow_pull, parameters_from_name
from runner.engine.refusals import RULES, refusal
from runner.errors import Conflict, EngineError, NotFound
from runner.facts import Json

WORDS = (
    (404, "No such container: x", NotFound, "not-found"),
    (500, "Cannot update container 1: cannot update a stopped container: unknown", Conflict, "restarting"),
    (500, "Cannot update container 1: cannot update a deleted process: unknown", Conflict, "restarting"),
    (500, "runc did not terminate successfully: exit status 1: container not running", Conflict, "restarting"),
    (404, "Cannot update container 1: task 1 not found: not found", Conflict, "restarting"),
    (409, "Container 1 is restarting, wait until the container is running", Conflict, "restarting"),
    (404, "network x not found", NotFound, "not-found"),
    (404, "get x: no such volume", NotFound, "not-found"),
    (404, "Could not find the file /x in container y", NotFound, "not-found"),
    (409, "container is marked for removal and cannot be started", NotFound, "not-found"),
    (404, "No such image: x:1", NotFound, "no-such-image"),
    (404, "manifest for x:1 not found: manifest unknown: manifest unknown", NotFound, "registry-no-such-tag"),
    (404, "pull access denied for x, repository does not exist or may require login", EngineError, "registry-denied"),
    (500, "Get \"https://r/v2/\": unauthorized: authentication required", EngineError, "registry-denied"),
    (500, "Get \"https://r/v2/\": x509: certificate signed by unknown authority", EngineError, "registry-unknown-ca"),
    (500, "Get \"https://r/v2/\": dial tcp: lookup r: no such host", EngineError, "registry-unreachable"),
    (500, "Get \"https://r/v2/\": dial tcp 10.0.0.1:443: connection refused", EngineError, "registry-unreachable"),
    (500, "toomanyrequests: You have reached your pull rate limit.", EngineError, "registry-rate-limit"),
    (500, "no matching manifest for linux/arm64 in the manifest list entries", EngineError, "wrong-platform"),
    (409, 'Conflict. The container name "/x" is already in use by container "1".', Conflict, "name-taken"),
    (409, "network with name x already exists", Conflict, "name-taken"),
    (500, "driver failed programming external connectivity on endpoint x (1): Bind for 0.0.0.0:80 failed: port is already allocated", Conflict, "port-taken"),  # noqa: E501  # the engine's own line
    (500, "starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use", Conflict, "port-taken"),
    (500, "failed to set up container networking: driver failed: failed to bind host port for 0.0.0.0:80", Conflict, "port-taken"),  # noqa: E501  # the engine's own line
    (403, "Address already in use", Conflict, "address-taken"),
    (403, "endpoint with name x already exists in network y", Conflict, "already-joined"),
    (409, "remove x: volume is in use - [1]", Conflict, "volume-in-use"),
    (403, "error while removing network: network x id 1 has active endpoints", Conflict, "network-in-use"),
    (409, "conflict: unable to remove repository reference \"x\" (must force) - container 1 is using its referenced image 2", Conflict, "image-in-use"),  # noqa: E501  # the engine's own line
    (409, "Container 1 is not running", Conflict, "not-running"),
    (409, "You cannot remove a running container 1. Stop the container before attempting removal or force remove", Conflict, "conflict"),  # noqa: E501  # the engine's own line
    (500, "write /data/x: no space left on device", EngineError, "no-space"),
    (400, "failed to create shim task: OCI runtime create failed: exec: \"/x\": permission denied: unknown", EngineError, "cannot-start"),  # noqa: E501  # the engine's own line
    (400, "failed to create task for container: exec: \"/x\": stat /x: no such file or directory: unknown: OCI runtime create failed", EngineError, "cannot-start"),  # noqa: E501  # the engine's own line
    (501, "configured logging driver does not support reading", EngineError, "logs-unreadable"),
    (400, "invalid mount config", EngineError, "bad-request"),
    (403, "authorization denied by plugin x", EngineError, "engine-denied"),
    (500, "something else", EngineError, "engine-failed"),
    (418, "", EngineError, "engine-failed"),
)  # fmt: skip


@pytest.mark.parametrize(("status", "words", "kind", "code"), WORDS, ids=lambda each: str(each)[:40])
def test_a_refusal_has_a_kind_and_a_code(status: int, words: str, kind: type[EngineError], code: str) -> None:
    error = refusal(status, words, "do it")
    assert (type(error), error.code) == (kind, code)
    assert "do it" in error.what
    assert error.stands != ""


def test_each_rule_has_an_example() -> None:
    untold = {rule.code for rule in RULES} - {code for *_, code in WORDS} - {"already-paused", "not-paused"}
    assert untold == set()


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [
        ("redis", "redis", "latest"),
        ("redis:7", "redis", "7"),
        ("localhost:5000/redis", "localhost:5000/redis", "latest"),
        ("localhost:5000/a/redis:7", "localhost:5000/a/redis", "7"),
        ("redis@sha256:aa", "redis", "sha256:aa"),
        ("redis:7@sha256:aa", "redis:7", "sha256:aa"),
    ],
)
def test_a_name_is_pulled_by_its_tag_or_digest_and_never_whole(name: str, repository: str, tag: str) -> None:
    assert parameters_from_name(name) == {"fromImage": repository, "tag": tag}


def test_an_error_inside_the_pull_is_an_error() -> None:
    heard: list[str] = []
    lines: tuple[Json, ...] = (
        {"status": "Pulling from x", "id": "1"},
        {"errorDetail": {"message": "manifest unknown"}, "error": "manifest unknown"},
    )
    with pytest.raises(NotFound) as no_tag:
        follow_pull(lines, "pull x:1", heard.append)
    assert no_tag.value.code == "registry-no-such-tag"
    assert heard == ["1 Pulling from x"]
