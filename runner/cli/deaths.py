"""A debug hook for tests of the promise: this process dies or halts at one step boundary; unasked it does nothing.

REFLOAT_DEBUG_KILL_AT="did stop-container" sends SIGKILL to the process itself as soon as that boundary is reached, and
REFLOAT_DEBUG_HALT_AT sends SIGSTOP, so that something else can happen meanwhile (SIGCONT lets it go on). A boundary is
named by kind, for numbers change with the plan: "meant KIND", "performed KIND" (done, not yet in the journal),
"did KIND"; "undo:KIND" on the way back, "commit:KIND" in a commit. "did rename#2" is the second of them. "performed
pause" is the moment at which a target stands still for a copy.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable

SIGNALS = {"REFLOAT_DEBUG_KILL_AT": signal.SIGKILL, "REFLOAT_DEBUG_HALT_AT": signal.SIGSTOP}


def deadly_boundaries() -> Callable[[str], None]:
    """What a session announces its boundaries to."""
    deadly = {os.environ[name]: number for name, number in SIGNALS.items() if os.environ.get(name)}
    seen: Counter[str] = Counter()

    def announce(boundary: str) -> None:
        seen[boundary] += 1
        for name in (boundary, f"{boundary}#{seen[boundary]}"):
            if name in deadly:
                os.kill(os.getpid(), deadly.pop(name))

    return announce
