"""The docker client as a function, and the one failure of a build; knows nothing of the images."""

import os
import subprocess

LABEL = "refloat.lab.content"
TAIL_LINES = 40


class BuildFailed(Exception):
    """Something the build needed did not work; the message has the end of its output."""


def run(command: list[str], stdin: bytes | None = None) -> str:
    """Run to the end and give the output, or raise with its end."""
    done = subprocess.run(command, input=stdin, env=_environment(), stdout=-1, stderr=-2, check=False)
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        tail = "\n".join(output.splitlines()[-TAIL_LINES:])
        raise BuildFailed(f"{' '.join(command[:6])} … ended with {done.returncode}:\n{tail}")
    return output


def docker(*arguments: str, stdin: bytes | None = None) -> str:
    """One docker command on the lab's engine."""
    return run(["docker", *arguments], stdin)


def docker_build(*options: str, context: bytes) -> None:
    """One build, tried twice: a mirror may hiccup once, and what really fails fails again."""
    command = ["build", "--network=host", "--force-rm", *options, "-"]
    try:
        docker(*command, stdin=context)
    except BuildFailed:
        docker(*command, stdin=context)


def _environment() -> dict[str, str]:
    # The classic builder works with every client and engine of the lab; BuildKit needs a plugin on some.
    return {**os.environ, "DOCKER_BUILDKIT": "0"}
