"""Whatever a user sets on whatever image, its spec is the same before and after any number of moves between images."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from runner.engine.memory import MemoryEngine
from runner.facts import Image, Json
from runner.spec import ContainerSpec, create_body, differences, spec_from

WORDS = st.sampled_from(["a", "b", "c", "run", "-x"])
PATHS = st.sampled_from(["/data", "/db/", "/log", "/db/wal"])
PORTS = st.sampled_from(["80/tcp", "443/tcp", "53/udp"])


def maybe(strategy: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[JsonValue]:
    return st.none() | strategy


def mappings(keys: st.SearchStrategy[str], values: st.SearchStrategy[JsonValue]) -> st.SearchStrategy[Json]:
    return st.dictionaries(keys, values, max_size=3)


def lists(values: st.SearchStrategy[str], at_least: int = 0) -> st.SearchStrategy[JsonValue]:
    return st.lists(values, min_size=at_least, max_size=3, unique=True).map(lambda found: [*found])


ENV = st.dictionaries(st.sampled_from(["PATH", "HOME", "MODE"]), WORDS, max_size=3).map(
    lambda found: [f"{key}={value}" for key, value in found.items()]
)
HEALTH: st.SearchStrategy[JsonValue] = st.fixed_dictionaries(
    {},
    optional={
        "Test": st.sampled_from([["NONE"], ["CMD", "a"], ["CMD-SHELL", "b"]]),
        "Interval": st.integers(0, 3),
        "Timeout": st.integers(0, 3),
        "Retries": st.integers(0, 3),
    },
)
SHARED = {
    "Env": ENV,
    "Cmd": maybe(lists(WORDS)),
    "Labels": mappings(WORDS, WORDS),
    "User": st.sampled_from(["", "0", "1000", "app"]),
    "WorkingDir": st.sampled_from(["", "/", "/app"]),
    "StopSignal": st.sampled_from(["", "SIGINT", "SIGTERM"]),
    "ExposedPorts": mappings(PORTS, st.just({})),
    "Volumes": mappings(PATHS, st.just({})),
    "Healthcheck": maybe(HEALTH),
}
IMAGES = st.fixed_dictionaries(SHARED | {"Entrypoint": maybe(lists(WORDS))})
HOSTS = st.fixed_dictionaries(
    {},
    optional={
        "Binds": lists(st.sampled_from(["v1:/data", "v2:/db:ro", "/srv:/log", "v3:/extra"])),
        "Tmpfs": mappings(st.sampled_from(["/log", "/scratch"]), st.just("size=1m")),
        "PortBindings": mappings(PORTS, st.just([{"HostIp": "", "HostPort": "8080"}])),
        "RestartPolicy": st.sampled_from(
            [{"Name": "always", "MaximumRetryCount": 0}, {"Name": "", "MaximumRetryCount": 0}]
        ),
        "Memory": st.integers(0, 2).map(lambda count: count * 10**8),
        "ShmSize": st.sampled_from([67108864, 10**6]),
        "Runtime": st.sampled_from(["runc", "other"]),
        "MaskedPaths": st.just([]),
        "Init": st.booleans(),
        "NetworkMode": st.sampled_from(["default", "bridge", "front", "host", "none"]),
        "FieldOfTomorrow": WORDS,
    },
)
BODIES = st.fixed_dictionaries(
    {"HostConfig": HOSTS},
    optional=SHARED
    | {
        "Entrypoint": st.sampled_from([None, [], [""], ["own"], ["run"]]),
        "Hostname": st.sampled_from(["", "web"]),
        "StopTimeout": st.integers(0, 2),
        "Tty": st.booleans(),
    },
)


def engine_with(*configs: Json) -> tuple[MemoryEngine, tuple[Image, ...]]:
    engine = MemoryEngine()
    engine.create_network("front", {})
    images = (Image(id=f"sha256:{index:064x}", tags=(f"app:{index}",), config=c) for index, c in enumerate(configs))
    return engine, tuple(engine.world.add_image(image) for image in images)


def spec_of(engine: MemoryEngine, name: str, image: Image) -> ContainerSpec:
    return spec_from(engine.container(name), image, engine.engine())


def moved(engine: MemoryEngine, spec: ContainerSpec, image: Image, name: str) -> ContainerSpec:
    engine.create_container(name, create_body(spec, image, labels={"refloat.run": "r"}, restart=True).body)
    return spec_of(engine, name, image)


def comparable(spec: ContainerSpec) -> Json:
    return {
        "config": spec.config,
        "host": spec.host_config,
        "networks": [[w.network, w.settings] for w in spec.networks],
    }


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(BODIES, IMAGES, IMAGES)
def test_a_spec_read_back_from_another_image_is_the_same_spec(body: Json, old: Json, new: Json) -> None:
    # A volume that the new image adds is new, however it is told.
    new = new | {"Volumes": {}}
    engine, (first, second) = engine_with(old, new)
    engine.create_container("app", body | {"Image": first.id})
    spec = spec_of(engine, "app", first)
    again = moved(engine, spec, first, "again")
    assert differences(spec, again) == ()
    assert comparable(again) == comparable(spec)
    assert set(differences(spec, moved(engine, spec, second, "next"))) <= set(equal_by_chance(spec, new))


def equal_by_chance(spec: ContainerSpec, new: Json) -> list[str]:
    """What the new image sets to the very value the user had: no longer told apart, nor does it matter."""
    bare = ContainerSpec(name="", image_id="", image_ref="", config=new, host_config={})
    same = [about for about in lines_of(spec) if about in lines_of(bare)]
    same += [] if new["Entrypoint"] else ['Entrypoint [""]']
    return [f"{line} is gone" for line in same]


def lines_of(spec: ContainerSpec) -> tuple[str, ...]:
    empty = spec.model_copy(update={"config": {}, "host_config": {}, "networks": ()})
    return tuple(line.removesuffix(" is new") for line in differences(empty, spec))


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(IMAGES, IMAGES)
def test_a_container_nobody_configured_is_all_the_new_image(old: Json, new: Json) -> None:
    engine, (first, second) = engine_with(old | {"Volumes": {}}, new)
    engine.create_container("app", {"Image": first.id})
    spec = spec_of(engine, "app", first)
    engine.create_container("plain", {"Image": second.id})
    engine.create_container("next", create_body(spec, second, labels={}, restart=True).body)
    wanted, seen = engine.container("plain").config, engine.container("next").config
    assert {key: seen[key] for key in wanted if key not in ("Hostname", "Image")} == {
        key: wanted[key] for key in wanted if key not in ("Hostname", "Image")
    }
    assert spec.config == {}
    assert spec.host_config == {"NetworkMode": "bridge"}
