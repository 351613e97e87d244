"""The `refloat` command: its verbs, and what becomes of every error; it does nothing itself."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from runner.cli.ground import RECIPES, home_folder
from runner.cli.terminal import error_json, say, say_json, tell
from runner.errors import Exit, RefloatError

EPILOG = (
    "Exit: 0 done, 2 usage, 3 refused (nothing touched), 4 rehearsal failed, 5 rolled back (the old version runs), "
    "6 stuck, 7 busy, 8 engine unreachable, 70 our bug, 75 not now, 130 interrupted."
)

VERBS = {
    "ls": "look",
    "versions": "versions",
    "notes": "notes",
    "gates": "notes",
    "plan": "plan",
    "rehearse": "rehearse",
    "apply": "apply",
    "upgrade-all": "upgrade_all",
    "rollback": "rollback",
    "backup": "archives",
    "restore": "archives",
    "recover": "recover",
    "commit": "recover",
    "status": "standing",
    "history": "standing",
    "show": "standing",
    "verify": "versions",
    "prune": "prune",
    "doctor": "look",
    "init": "init",
}
"""Each verb and the module of ``runner.cli`` that has it: only the one that is asked for is loaded."""


def _print_version(asked: bool) -> None:
    if asked:
        say(f"refloat {_version()}")
        raise typer.Exit


def _set_config(file: Path | None) -> None:
    """Let the whole process know: the file is found by its environment."""
    if file is not None:
        os.environ["REFLOAT_CONFIG"] = str(file)


def _set_recipes(own: list[Path]) -> None:
    """Let the whole process know, as with the configuration."""
    if own:
        os.environ[RECIPES] = os.pathsep.join(str(each) for each in own)


def split_line(arguments: list[str]) -> tuple[list[str], list[str]]:
    """``--config FILE`` and ``--recipe FILE``, wherever they were written, and the rest, which begins with the verb."""
    front, rest = _taken_out(arguments, "--config")
    if rest[:1] == ["recipes"]:
        return front, rest  # its verbs have such an option of their own
    own, rest = _taken_out(rest, "--recipe")
    return [*front, *own], rest


def _taken_out(arguments: list[str], option: str) -> tuple[list[str], list[str]]:
    out, rest, left = list[str](), list[str](), list(arguments)
    while left:
        size = 2 if left[0] == option else 1
        chosen = out if left[0] == option or left[0].startswith(f"{option}=") else rest
        chosen += left[:size]
        del left[:size]
    return out, rest


def _print_makefile(asked: bool) -> None:
    if asked:
        say(str(Path(__file__).parents[1] / "refloat.mk"))
        raise typer.Exit


def _version() -> str:
    from importlib.metadata import version  # slow to load, and seldom asked

    return version("refloat")


def _top(
    _asked: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version and exit.")
    ] = False,
    _makefile: Annotated[
        bool,
        typer.Option(
            "--makefile",
            callback=_print_makefile,
            is_eager=True,
            help="Say where refloat.mk is, to be included by a Makefile, and exit.",
        ),
    ] = False,
    _config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", callback=_set_config, help="The refloat.yaml to use.")
    ] = None,
    _recipe: Annotated[
        list[Path],
        typer.Option("--recipe", metavar="FILE", callback=_set_recipes, help="A recipe of your own, or a folder."),
    ] = [],  # noqa: B006  # typer makes a new one each time
) -> None:
    """Hold the options of the command itself."""


def new_app(arguments: list[str]) -> typer.Typer:
    """The command as this command line needs it."""
    app = typer.Typer(
        help="Upgrade a container and its data: the new version proven healthy, or the old one back as it was.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_top)
    asked = next((word for word in arguments if not word.startswith("-")), "")
    for verb in (asked,) if asked in VERBS else VERBS:
        app.command(verb)(_command_of(verb))
    if asked not in VERBS:
        _mount_families(app, asked)
    return app


def _command_of(verb: str) -> Callable[..., None]:
    command: Callable[..., None] = getattr(
        import_module(f"runner.cli.{VERBS[verb]}"), f"{verb.replace('-', '_')}_command"
    )
    return command


def _mount_families(app: typer.Typer, asked: str) -> None:
    """Load the verbs that bring much of their own only when they are asked for: help must come at once."""
    if asked == "recipes":
        from runner.cli.recipes import recipes_app

        app.add_typer(recipes_app, name="recipes")
        return
    app.command("recipes", help="What refloat knows about products.")(_elsewhere)
    if asked == "bundle":
        from runner.cli.bundle import bundle_app

        app.add_typer(bundle_app, name="bundle")
        return
    app.command("bundle", help="An upgrade's images as one file.")(_elsewhere)
    if asked == "refresh":
        from runner.cli.refresh import refresh_command

        app.command("refresh")(refresh_command)
        return
    app.command("refresh", help="Bring new default configuration in, or look first.")(_elsewhere)


def _elsewhere() -> None:
    """Stand in the list of verbs for one that is not loaded."""


def main() -> None:
    """Run one command line and exit with its status."""
    gc.set_threshold(300_000, 50, 50)  # what loading makes stays: looking through it again and again finds nothing
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no half-printed answer, and status 130
    status = status_of(sys.argv[1:])
    gc.freeze()  # nor has leaving to take all of it to pieces, which was a sixth of a short command's time
    sys.exit(status)


def status_of(arguments: list[str]) -> int:
    """Run one command line; every end becomes a status and words."""
    front, rest = split_line(arguments)
    try:
        new_app(rest)(args=[*front, *rest], prog_name="refloat")
    except RefloatError as error:
        return _say_error(error, as_json="--json" in arguments)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
    except SystemExit as left:
        return _status_from(left.code)
    except Exception as bug:  # whatever it is, the user gets a sentence and we get a report
        return _report_bug(bug)
    return int(Exit.DONE)


def _status_from(code: object) -> int:
    """The command parser leaves with 1 only when a question was cut off."""
    status = code if isinstance(code, int) else int(Exit.DONE)
    return int(Exit.INTERRUPTED) if status == 1 else status


def _say_error(error: RefloatError, *, as_json: bool) -> int:
    if as_json:
        try:
            say_json(error_json(error))
        except RefloatError:  # standard output is full: the first error matters more, and keeps its status
            tell(str(error))
    else:
        (say if error.exit_status is Exit.DONE else tell)(str(error))
    return int(error.exit_status)


def _report_bug(bug: BaseException) -> int:
    report = home_folder() / "crashes" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    where = _written(report, "".join(traceback.format_exception(bug)))
    tell(f"This is a bug of refloat's own ({type(bug).__name__}){where}. See what stands: refloat status")
    return int(Exit.BUG)


def _written(report: Path, text: str) -> str:
    try:
        report.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        report.write_text(f"refloat {_version()}, Python {sys.version}\n\n{text}", encoding="utf-8")
    except OSError:
        return f"; its report could not be written to {report}"
    return f"; its report is {report}"


if __name__ == "__main__":
    main()
