"""Run options by the dozen through a whole upgrade: all that was set is there again, the token in the data too."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.spec import ContainerSpec, differences, spec_from
from tests.engine.upgrade_lab import MISBEHAVE, Bench, bench_on

# Compatible options together, one upgrade a line: each option alone is held in options.txt. {…} is the bench's name.
TOGETHER = {
    "environment, labels, names": """
        --env FOO=bar --env 'OPTS=-a b=c d' --env EMPTY= --env SLOW_S=3 --label com.example.owner=me --label naïve=yes
        --label com.docker.compose.oneoff=False --hostname mon.example --domainname example --workdir /tmp
        --stop-signal SIGTERM --stop-timeout 7 --expose 4242 --expose 4243/udp --user 0:0 --group-add 4242""",
    "limits": """
        --memory 256m --memory-swap 512m --memory-reservation 64m --memory-swappiness 10 --cpus 0.8 --cpu-shares 512
        --cpuset-cpus 0 --pids-limit 100 --ulimit nofile=512:1024 --ulimit core=0 --shm-size 16m --oom-score-adj 10""",
    "security": """
        --cap-drop ALL --cap-add CHOWN --cap-add NET_BIND_SERVICE --cap-add DAC_OVERRIDE --cap-add FOWNER
        --security-opt no-new-privileges
        --security-opt seccomp=unconfined --read-only --tmpfs /scratch:size=1m,mode=1777 --tmpfs /run
        --tmpfs /tmp --sysctl net.ipv4.ip_unprivileged_port_start=80 --sysctl net.core.somaxconn=512""",
    "network": """
        --network {0}-net --network-alias mon --network-alias metrics --add-host db:10.0.0.9
        --add-host gw:host-gateway --dns 10.0.0.53 --dns-search example.test --dns-option ndots:2
        --publish 127.0.0.1:18431:8000 --publish 18432:8001/udp --publish 18433-18434:8003-8004""",
    "processes, devices, logging": """
        --pid host --ipc shareable --uts host --log-driver json-file --log-opt max-size=1m --log-opt max-file=2
        --restart on-failure:3 --tty --interactive --device /dev/null:/dev/xnull:r
        --device-cgroup-rule 'c 1:3 r'""",
    "health and entrypoint": """
        --health-cmd 'test -e /service' --health-interval 1500ms --health-timeout 2s --health-retries 7
        --health-start-period 11s --entrypoint /service --restart unless-stopped --publish-all""",
    "mounts": """
        --mount type=volume,src={0}-two,dst=/two,volume-nocopy --mount type=tmpfs,dst=/t,tmpfs-size=65536
        --volume {0}-ro:/ro:ro --mount type=bind,src=/etc/hostname,dst=/etc/h,readonly
        --volume /usr/share:/shared:ro --restart always""",
}


@pytest.fixture
def bench(lab_images: str, tmp_path: Path) -> Iterator[Bench]:
    with bench_on(lab_images, tmp_path / "home") as bench:
        bench.docker("network", "create", f"{bench.name}-net")
        yield bench


def what_the_user_set(bench: Bench) -> ContainerSpec:
    target = bench.target
    return spec_from(target, bench.engine.image(target.image_id), bench.engine.engine())


@pytest.mark.parametrize("kind", TOGETHER)
def test_all_that_was_set_goes_through_an_upgrade(bench: Bench, kind: str) -> None:
    typed = shlex.split(TOGETHER[kind].format(bench.name))
    old = bench.target_with_data(f"{MISBEHAVE}:1.0", *typed)
    before, tree = what_the_user_set(bench), bench.tree()
    assert len(differences(before, before.model_copy(update={"config": {}, "host_config": {}}))) > 3
    bench.upgraded("--to", "2.0")
    new = bench.target
    assert (new.id != old.id, new.image_ref) == (True, f"{MISBEHAVE}:2.0")
    assert differences(before, what_the_user_set(bench)) == ()
    assert {(m.destination, m.name or m.source) for m in new.mounts} == {
        (m.destination, m.name or m.source) for m in old.mounts
    }
    assert [line for line in bench.tree() if line in tree] == list(tree)
    assert [left for left in bench.left_of_runs() if not left.startswith("refloat/held:")] == []
