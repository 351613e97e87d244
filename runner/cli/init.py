"""`refloat init`: write a refloat.yaml from what runs on the engine; it overwrites nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runner.cli.ground import open_session
from runner.cli.terminal import say, say_json
from runner.errors import UsageError

Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Write it here; - is standard output.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of refloat.yaml instead, for editors.")]
DEFAULT_OUT = Path("refloat.yaml")
STDOUT = Path("-")


def init_command(out: Out = DEFAULT_OUT, schema: Schema = False) -> None:
    """Write a refloat.yaml. It names every target on the engine, with comments to start from."""
    from runner.config.model import Config
    from runner.config.sketch import sketch_of
    from runner.inventory import read_inventory

    if schema:
        say_json(Config.model_json_schema())
        return
    if out != STDOUT and out.exists():
        raise UsageError("file-exists", f"{out} exists already.", then="Name another file: --out FILE")
    text = sketch_of(read_inventory(open_session().engine))
    if out == STDOUT:
        say(text)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as wrong:
        what = f"{out} cannot be written: {wrong.strerror}."
        raise UsageError("not-writable", what, then="Name another file: --out FILE") from None
    say(f"{out} written. Say where each target shall go, then: refloat plan TARGET")
