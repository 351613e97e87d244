"""Inspect JSON of several engines in, facts out."""

from __future__ import annotations

from runner.engine import parse
from runner.facts import Json, MountKind

INSPECTED: Json = {
    "Id": "a" * 64,
    "Name": "/app",
    "Image": "sha256:" + "b" * 64,
    "Created": "2024-05-01T10:00:00.123456789Z",
    "RestartCount": 2,
    "State": {
        "Status": "running", "ExitCode": 0, "StartedAt": "2024-05-01T10:00:01.000000001Z", "Pid": 7,
        "FinishedAt": "0001-01-01T00:00:00Z", "OOMKilled": False, "Error": "",
        "Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": [{"Output": "old"}, {"Output": "refused"}]},
    },
    "Config": {"Image": "app:1", "Labels": {"a": "1"}},
    "HostConfig": {"NetworkMode": "net"},
    "Mounts": [
        {"Type": "volume", "Name": "v", "Source": "/s", "Destination": "/d", "Driver": "local", "RW": True},
        {"Type": "npipe", "Source": "x", "Destination": "/p", "RW": False},
    ],
    "NetworkSettings": {"Networks": {"net": {"NetworkID": "n1", "IPAddress": "10.0.0.2", "Aliases": ["x"]}}},
}  # fmt: skip


def test_a_container_is_read_whole() -> None:
    seen = parse.container_from_inspect(INSPECTED)
    assert (seen.name, seen.image_ref, seen.short_id) == ("app", "app:1", "a" * 12)
    assert seen.created == "2024-05-01T10:00:00.123456789Z"
    assert (seen.state.running, seen.state.restart_count, seen.state.finished_at) == (True, 2, "")
    assert seen.state.started_at.endswith("000000001Z")
    assert seen.state.health
    assert (seen.state.health.status, seen.state.health.last_output) == ("unhealthy", "refused")
    assert [each.kind for each in seen.mounts] == [MountKind.VOLUME, MountKind.OTHER]
    assert seen.endpoints[0].address == "10.0.0.2"
    assert seen.labels == {"a": "1"}


def test_what_an_engine_leaves_out_is_empty() -> None:
    seen = parse.container_from_inspect({"Id": "x", "Mounts": None, "State": None, "NetworkSettings": {}})
    assert (seen.state.status, seen.mounts, seen.endpoints, seen.state.health) == ("created", (), (), None)
    assert parse.image_from_inspect({}).os == "linux"
    assert parse.volume_from_inspect({"Name": "v", "Labels": None}).labels == {}
    assert parse.engine_from_info({}, "1.41").default_runtime == "runc"


def test_podmans_states_and_ids_are_translated() -> None:
    seen = parse.container_from_inspect(
        {"Image": "c" * 64, "State": {"Status": "configured", "Health": {"Status": ""}}}
    )
    assert (seen.image_id, seen.state.status, seen.state.health) == ("sha256:" + "c" * 64, "created", None)
    stopped = parse.container_from_inspect({"State": {"Status": "stopped"}})
    assert stopped.state.status == "exited"


def test_a_never_started_container_has_no_start_time() -> None:
    seen = parse.container_from_inspect({"State": {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"}})
    assert not seen.state.ever_started


def test_an_untagged_image_has_no_names() -> None:
    seen = parse.image_from_inspect({"Id": "d" * 64, "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]})
    assert (seen.tags, seen.digests) == ((), ())


def test_log_frames_are_joined_in_their_order_and_a_torn_one_is_kept() -> None:
    frames = b"\x01\0\0\0\0\0\0\x02a\n" + b"\x02\0\0\0\0\0\0\x02b\n" + b"\x01\0\0\0\0\0\0\x09c"
    assert parse.interleaved(frames) == b"a\nb\nc"


def test_a_diff_line_is_a_change() -> None:
    kinds = [parse.change_from_diff({"Path": "/x", "Kind": kind}).kind for kind in (0, 1, 2)]
    assert kinds == ["changed", "added", "deleted"]
