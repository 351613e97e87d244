"""`refloat bundle`: an upgrade's images as one file, for hosts without a registry; it upgrades nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.asked import asked
from runner.cli.ground import TOOLS_IMAGE, brought_recipes, open_session
from runner.cli.plan import Target
from runner.cli.terminal import say, say_json, tell
from runner.cli.wishes import AsJson, Image, PullWish, To, Wishes

if TYPE_CHECKING:
    from runner.bundle import BundleHead

bundle_app = typer.Typer(no_args_is_help=True, help="An upgrade's images as one file, for hosts without a registry.")
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]


@bundle_app.command()
def create(target: Target, output: Output, to: To = "", image: Image = "", pull: PullWish = None,
           as_json: AsJson = False) -> None:  # fmt: skip
    """Write every image of a target's way, the tools image and the recipe into one file, with checksums."""
    from runner.bundling import create_bundle
    from runner.engine.freight import Freight
    from runner.vault.tools_image import ensure_tools_image
    from runner.verbs import Refloat

    want = asked(target, Wishes(to, image, pull))
    session = open_session()
    ensure_tools_image(session.engine, TOOLS_IMAGE, tell)
    head = create_bundle(Refloat(session), Freight(), want.target, want.wishes.goal, TOOLS_IMAGE, output)
    _tell(head, as_json=as_json)
    tell(f"Written to {output}. There: refloat bundle load {output.name}")


@bundle_app.command()
def load(file: File, as_json: AsJson = False) -> None:
    """Load such a file into the engine, once it is proven whole."""
    from runner.bundling import load_bundle
    from runner.engine.freight import Freight

    session = open_session()
    head, known, kept = load_bundle(session.engine, Freight(), file, brought_recipes())
    if kept:
        tell(f"Its recipe is in force here from now on, until you remove {kept}.")
    if not known:
        tell("! The recipe in the bundle is not the one known here: another version of refloat made it.")
    _tell(head, as_json=as_json)


def _tell(head: BundleHead, *, as_json: bool) -> None:
    if as_json:
        say_json(head.model_dump(mode="json"))
        return
    images = "\n".join(f"  {one.ref} ({one.id.removeprefix('sha256:')[:12]})" for one in head.images)
    say(f"{head.target}: {' → '.join(head.path)}\n{images}")
