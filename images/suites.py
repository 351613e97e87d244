"""Base images, one a Debian suite: pulled where a registry answers, else debootstrapped; never writes a mirror down."""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from images.docker import LABEL, BuildFailed, docker, docker_build, run

RECIPE = "1"  # raise it when a base must be made anew
DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists", "var/cache/apt")
PROBE_TIMEOUT_S = 3.0
REGISTRY = ("registry-1.docker.io", 443)


def base_name(suite: str) -> str:
    """The base image's own name."""
    return f"refloat-lab/base:{suite}"


def base_key(suite: str) -> str:
    """Changes when the way bases are made does."""
    return hashlib.sha256(f"{RECIPE} {suite}".encode()).hexdigest()[:32]


def lists_name(suite: str) -> str:
    """The same with apt's lists in it: what is built on it need not fetch and read them again."""
    return f"{base_name(suite)}-lists"


def make_base(suite: str) -> None:
    """Put the suite's base image into the engine."""
    if not (_registry_answers() and _pulled(suite)):
        tarball = _cached_tarball(suite)
        docker("import", "--change", f"LABEL {LABEL}={base_key(suite)}", str(tarball), base_name(suite))


def make_lists(suite: str) -> None:
    """Put the base with apt's lists beside the base; its key it has from there."""
    # Old lists cost time and nothing else: lab-install asks the mirror for newer ones all the same.
    no_translations = """echo 'Acquire::Languages "none";' >/etc/apt/apt.conf.d/90lists"""
    update = "apt-get -qq -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root update"
    dockerfile = f"FROM {base_name(suite)}\nRUN {no_translations} && {update} && apt-cache show dpkg >/dev/null\n"
    docker_build(f"--tag={lists_name(suite)}", context=dockerfile.encode())


def _registry_answers() -> bool:
    try:
        socket.create_connection(REGISTRY, timeout=PROBE_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _pulled(suite: str) -> bool:
    try:
        docker("pull", "--quiet", f"debian:{suite}-slim")
        docker("build", f"--tag={base_name(suite)}", "-", stdin=_pulled_dockerfile(suite, f"debian:{suite}-slim"))
    except BuildFailed:
        return False
    return True


def _pulled_dockerfile(suite: str, image: str) -> bytes:
    """The suite alone, from our mirror if there is one: the security archives of old suites have holes."""
    own = r"cat /etc/apt/sources.list /etc/apt/sources.list.d/* | sed -nE 's#.*(https?://[^ ]*/debian)( .*)?$#\1#p'"
    sources = f"mirror=${{MIRROR:-$({own} | head -n 1)}} && rm -f /etc/apt/sources.list.d/*"
    write = f'echo "deb $mirror {suite} main" >/etc/apt/sources.list'
    return f"FROM {image}\nARG MIRROR={_mirror()}\nRUN {sources} && {write}\nLABEL {LABEL}={base_key(suite)}\n".encode()


def cache_folder() -> Path:
    """Where tarballs of bases are kept between engines."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refloat-lab"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _cached_tarball(suite: str) -> Path:
    cache = cache_folder()
    tarball = cache / f"{suite}-{base_key(suite)}.tar"
    if not tarball.exists():
        with tempfile.TemporaryDirectory(dir=cache, prefix=f"{suite}-") as scratch:
            tree, unfinished = Path(scratch) / "tree", Path(scratch) / "tar"
            _debootstrap(suite, tree)
            run(["tar", "--numeric-owner", "--directory", str(tree), "--create", "--file", str(unfinished), "."])
            unfinished.rename(tarball)
    return tarball


def _debootstrap(suite: str, tree: Path) -> None:
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        raise BuildFailed(
            f"No registry answers, so the base image of {suite} must be made with debootstrap, as root. "
            "Install it (apt-get install debootstrap), or log in where debian images can be pulled; then try again."
        )
    known = Path("/usr/share/debootstrap/scripts", suite).exists()
    mirror = _mirror()
    script = [] if known else ["sid"]  # every later suite is made as unstable is
    # In a mount namespace of its own: an interrupted debootstrap leaves no /proc mounted.
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase"]
    if mirror.startswith("https:"):
        command.append("--include=ca-certificates")
    run([*command, suite, str(tree), *([mirror] if mirror or script else []), *script])
    for name in DROPPED:
        shutil.rmtree(tree / name, ignore_errors=True)
        (tree / name).mkdir(parents=True)


def _mirror() -> str:
    """The Debian mirror this machine's apt uses; empty where it has none, then debootstrap knows one."""
    for _ in range(2):
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(LABEL)|$(SITE)"], capture_output=True, text=True, check=False
        )
        for line in listed.stdout.splitlines():
            label, _, site = line.partition("|")
            if label == "Debian":
                return site
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True, check=False)
    return ""
