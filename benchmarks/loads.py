"""The amounts of data that are measured, and how each is made and changed; it runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
CHANGED_EVERY = 100


@dataclass(frozen=True)
class Load:
    """So many files of that many random bytes each, a thousand to a folder."""

    name: str
    files: int
    file_bytes: int

    @property
    def size_bytes(self) -> int:
        """All of it."""
        return self.files * self.file_bytes

    def writing(self, every: int = 1) -> list[str]:
        """A command that writes each file, or one in ``every``, below /data; what it writes is on the disk then."""
        return ["python3", "-c", WRITE, str(self.files), str(self.file_bytes), str(every)]


# Random bytes: what neither a sparse file nor a compressing filesystem makes cheaper than it is.
WRITE = """import os, sys
files, size, every = map(int, sys.argv[1:])
for number in range(0, files, every):
    folder = f"/data/{number // 1000:03}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{number:06}", "wb") as file:
        file.write(os.urandom(size))
os.sync()
"""

SMOKE = (Load("4 MiB", 4, MIB), Load("500 files", 500, 4096))
USUAL = (Load("100 MiB", 100, MIB), Load("1 GiB", 1024, MIB), Load("10,000 files", 10_000, 4096))
FULL = (*USUAL, Load("5 GiB", 5120, MIB), Load("100,000 files", 100_000, 4096))
