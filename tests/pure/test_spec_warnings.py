"""What an upgrade will lose or change is said, and nothing is said where nothing is lost."""

from __future__ import annotations

import pytest

from runner.facts import Change, Container, Image, Json
from runner.spec import SpecWarning, spec_warnings
from tests.pure.spec_cases import ENGINE, ID, bind, container, image, volume

PLAIN = image()
ANONYMOUS = "c" * 64


def warned(seen: Container, old: Image = PLAIN, new: Image = PLAIN, changes: tuple[Change, ...] = (),
           others: tuple[Container, ...] = ()) -> tuple[SpecWarning, ...]:  # fmt: skip
    return spec_warnings(seen, old, new, changes, others, ENGINE)


def codes(seen: Container, old: Image = PLAIN, new: Image = PLAIN, others: tuple[Container, ...] = ()) -> list[str]:
    return [each.code for each in warned(seen, old, new, others=others)]


def changed(*paths: str) -> tuple[Change, ...]:
    return tuple(Change(path=path, kind="added") for path in paths)


def test_an_ordinary_upgrade_has_no_warnings() -> None:
    old, new = image({"Volumes": {"/data": {}}}, version="1.0"), image({"Volumes": {"/data": {}}}, version="1.1")
    assert warned(container(mounts=(volume("v", "/data"),)), old, new) == ()


def test_files_written_into_the_container_are_named() -> None:
    changes = changed("/opt", "/opt/plugin", "/opt/plugin/a.so", "/etc/app.conf")
    (said,) = warned(container(), changes=changes)
    assert said.code == "writable-layer"
    assert said.text.endswith("will be lost: /etc/app.conf, /opt/plugin/a.so")


def test_many_lost_files_are_counted() -> None:
    (said,) = warned(container(), changes=changed(*(f"/opt/{number}" for number in range(9))))
    assert said.text.endswith("/opt/0, /opt/1, /opt/2, /opt/3, /opt/4 and 4 more")


def test_what_every_container_writes_and_what_is_mounted_is_not_lost() -> None:
    seen = container(mounts=(volume("v", "/var/lib/app"),))
    changes = changed("/tmp", "/tmp/x", "/run/app.pid", "/var", "/var/lib", "/var/lib/app", "/etc/hosts", "/dev/null")
    assert warned(seen, changes=changes) == ()


def test_the_init_that_the_engine_puts_into_a_container_is_no_file_of_its_own() -> None:
    assert warned(container(host={"Init": True}), changes=changed("/sbin", "/sbin/docker-init")) == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ({}, {"/data": {}}, ["volume-added"]),
        ({"/data": {}}, {}, ["volume-dropped"]),
        ({"/data/db": {}}, {"/data": {}}, ["volume-moved"]),
        ({"/data": {}}, {"/data/": {}}, []),
    ],
)
def test_volumes_declared_otherwise_are_told(old: Json, new: Json, code: list[str]) -> None:
    assert codes(container(), image({"Volumes": old}), image({"Volumes": new})) == code


def test_a_volume_added_where_something_is_mounted_changes_nothing() -> None:
    assert codes(container(mounts=(volume("v", "/data"),)), PLAIN, image({"Volumes": {"/data": {}}})) == []


@pytest.mark.parametrize(
    ("path", "workdir", "hides"),
    [
        ("/usr/share/app", "", True),
        ("/app", "/app", True),
        ("/", "", False),
        ("/usr/share/app/data", "", False),
        ("/var/lib/app", "/app", False),
        ("/srv/code", "/srv/code/current", True),
    ],
)
def test_a_volume_over_programs_is_told(path: str, workdir: str, hides: bool) -> None:
    found = codes(container(mounts=(volume("v", path),)), new=image({"WorkingDir": workdir}))
    assert found == (["shadowing-volume"] if hides else [])


def test_a_volume_both_images_want_there_hides_nothing() -> None:
    declared = image({"Volumes": {"/opt/app": {}}})
    assert codes(container(mounts=(volume("v", "/opt/app"),)), declared, declared) == []


@pytest.mark.parametrize(
    ("old", "new", "own", "told"),
    [
        ("", "1000", "", True),
        ("104", "472", "", True),
        ("app:app", "app", "", False),
        ("0", "root", "", False),
        ("104", "472", "104", True),
        ("104", "472", "0", False),
    ],
)
def test_another_user_of_the_new_image_is_told_where_there_is_data(old: str, new: str, own: str, told: bool) -> None:
    seen = container({"User": own}, mounts=(volume("v", "/data"),))
    assert ("user-changed" in codes(seen, image({"User": old}), image({"User": new}))) is told
    assert "user-changed" not in codes(container(), image({"User": old}), image({"User": new}))


def test_others_on_the_data_are_named_with_their_state() -> None:
    other = container(mounts=(volume("v", "/x"),), name="reader", id_="9" * 64, status="exited")
    (said,) = warned(container(mounts=(volume("v", "/data"),)), others=(other,))
    assert said == SpecWarning(code="shared-data", text="Container reader (exited) has volume v too, at /data here")


def test_the_container_itself_is_no_other() -> None:
    seen = container(mounts=(volume("v", "/data"),))
    assert warned(seen, others=(seen,)) == ()


def test_anonymous_volumes_are_told_until_they_are_named() -> None:
    mounts = (volume(ANONYMOUS, "/data"), bind("/srv", "/bound"))
    assert codes(container(mounts=mounts)) == ["anonymous-volume"]
    assert codes(container(host={"Binds": [f"{ANONYMOUS}:/data"]}, mounts=mounts)) == []


def test_a_folder_of_the_hosts_that_no_snapshot_keeps_is_told() -> None:
    seen = container(mounts=(bind("/var/log", "/logs"), bind("/", "/host", rw=False), bind("/dev/x", "/x")))
    (said,) = warned(seen)
    assert said.code == "unprotected-mount"
    assert "/var/log" in said.text


def test_data_in_memory_is_told() -> None:
    declared = image({"Volumes": {"/data": {}}})
    assert codes(container(host={"Tmpfs": {"/data": ""}}), declared, declared) == ["data-in-memory"]


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ({"PortBindings": {"80/tcp": [{"HostPort": ""}]}}, ["ephemeral-port"]),
        ({"PortBindings": {"80/tcp": [{"HostPort": "8000-8010"}]}}, ["ephemeral-port"]),
        ({"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}, []),
        ({"PublishAllPorts": True}, ["ephemeral-port"]),
        ({"AutoRemove": True}, ["auto-remove"]),
        ({"NetworkMode": "container:" + "8" * 64}, ["missing-neighbour"]),
    ],
)
def test_settings_that_will_change_are_told(host: Json, code: list[str]) -> None:
    assert codes(container(host=host)) == code


def test_a_published_port_that_the_new_image_does_not_expose_is_told() -> None:
    seen = container(host={"PortBindings": {"80/tcp": [{"HostPort": "80"}]}})
    assert codes(seen, image({"ExposedPorts": {"80/tcp": {}}}), image({"ExposedPorts": {"8080/tcp": {}}})) == [
        "port-moved"
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("2.10", "2.9", True), ("2.9", "2.10", False), ("1.0", "1", False), ("v3", "2", True), ("", "1", False),
     ("1", "", False), ("2", "latest", False)],
)  # fmt: skip
def test_a_downgrade_by_label_is_told(old: str, new: str, told: bool) -> None:
    assert codes(container(), image(version=old), image(version=new)) == (["downgrade"] if told else [])


@pytest.mark.parametrize(
    "host",
    [{"NetworkMode": f"container:{ID}"}, {"PidMode": f"container:{ID}"}, {"Links": ["/app:/other/alias"]}],
)
def test_containers_that_depend_on_its_id_are_named(host: Json) -> None:
    other = container(host=host, name="sidecar", id_="9" * 64)
    (said,) = warned(container(), others=(other,))
    assert said.code == "dependent"
    assert "sidecar" in said.text


def test_a_neighbour_that_is_there_is_no_worry() -> None:
    other = container(name="gateway", id_="8" * 64)
    assert codes(container(host={"NetworkMode": "container:" + "8" * 64}), others=(other,)) == []


def test_a_health_check_that_the_new_image_lost_is_told_unless_it_is_the_users() -> None:
    old = image({"Healthcheck": {"Test": ["CMD", "a"]}})
    assert codes(container({"Healthcheck": {"Test": ["CMD", "a"]}}), old, PLAIN) == ["healthcheck-dropped"]
    assert codes(container({"Healthcheck": {"Test": ["CMD", "own"]}}), old, PLAIN) == []


def test_a_setting_that_stands_over_a_changed_default_is_told() -> None:
    old, new = image({"Cmd": ["a"], "Env": ["MODE=1", "X=1"]}), image({"Cmd": ["b"], "Env": ["MODE=2", "X=2"]})
    found = warned(container({"Cmd": ["own"], "Env": ["MODE=9", "X=1"]}), old, new)
    assert [each.text.split(" is set")[0] for each in found] == ["Cmd", "Env MODE"]


def test_an_image_for_another_machine_is_told() -> None:
    assert codes(container(), image(architecture="amd64"), image(architecture="arm64")) == ["other-platform"]
