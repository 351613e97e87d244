"""Small filesystems of a chosen kind in an image file, mounted where the engine sees them; it asserts nothing."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MAKERS = {
    "ext4": ("mkfs.ext4", "-q", "-F", "-m", "0"),
    "xfs": ("mkfs.xfs", "-q"),
    "btrfs": ("mkfs.btrfs", "-q"),
}
WHAT_TO_DO = "it takes root, loop devices and the packages of images/packages.sh (try: make packages)"
MIB = 1 << 20


@contextlib.contextmanager
def disk(folder: Path, kind: str, size_bytes: int, *options: str) -> Iterator[Path]:
    """Make a filesystem of that kind and size (XFS takes 300 MiB at least), and mount it; it is gone afterwards."""
    image, place = folder / f"{kind}.img", folder / kind
    with image.open("wb") as file:
        file.truncate(size_bytes)
    place.mkdir()
    _run(*MAKERS[kind], *options, str(image))
    _run("mount", "-o", "loop", str(image), str(place))
    try:
        yield place
    finally:
        # A container that is only just gone may hold it a moment longer; the kernel then lets it go by itself.
        _run("umount", "--lazy", str(place))
        image.unlink()


def used_bytes(place: Path) -> int:
    """How much of a filesystem is taken, once all is written."""
    _run("sync", "--file-system", str(place))
    return int(_run("df", "--output=used", "--block-size=1", str(place)).split()[-1])


def _run(*argv: str) -> str:
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout
    except FileNotFoundError:
        pytest.fail(f"{argv[0]} is not here: {WHAT_TO_DO}", pytrace=False)
    except subprocess.CalledProcessError as failed:
        pytest.fail(f"{' '.join(argv)}: {failed.stderr}({WHAT_TO_DO})", pytrace=False)
