"""The options that say what an upgrade shall be, shared by plan and apply; they only become goal, options and place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from runner.errors import UsageError

if TYPE_CHECKING:
    from runner.goal import Goal
    from runner.options import Force, Options
    from runner.recipes.health import RecipeEvidence
    from runner.recipes.model import ConfigTree
    from runner.recipes.work import OwnHook
    from runner.silence.model import Monitor

Pull = Literal["missing", "always", "never"]
How = Literal["ask", "install", "keepold", "abort"]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]
Rehearsed = Annotated[
    bool, typer.Option("--rehearsed", help="Only where this very change passed a rehearsal within 7 days.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
To = Annotated[
    str,
    typer.Option("--to", metavar="VERSION", help="A tag of the same repository, newest, 2.53, or such as '>=2.45,<3'."),
]
Image = Annotated[str, typer.Option("--image", metavar="REF", help="The whole image to go to, instead of --to.")]
PullWish = Annotated[
    Pull | None, typer.Option("--pull", help="When to pull. Default: missing; always for a tag that moves.")
]
Hold = Annotated[bool | None, typer.Option("--hold/--no-hold", help="Leave the verdict open until commit or rollback.")]
Keep = Annotated[
    int | None, typer.Option("--keep", min=1, metavar="N", help="How many snapshots a commit leaves. Default: 3.")
]
KeepFor = Annotated[
    str, typer.Option("--keep-for", metavar="TIME", help="Those taken within this time stay, too: 12h, 14d.")
]
StopTimeout = Annotated[
    int | None,
    typer.Option("--stop-timeout", min=0, metavar="SECONDS", help="How long the old version may take to stop."),
]
Deadline = Annotated[
    float | None, typer.Option("--deadline", min=1, metavar="SECONDS", help="How long the new version may stay silent.")
]
Dwell = Annotated[
    float | None, typer.Option("--dwell", min=0, metavar="SECONDS", help="How long it must stay healthy to be proven.")
]
Probes = Annotated[
    list[str] | None,
    typer.Option(
        "--probe", metavar="PROBE", help="http:PORT/PATH, https:PORT/PATH, tcp:PORT, cmd:COMMAND or log:REGEX."
    ),
]
KeepEnv = Annotated[
    list[str] | None,
    typer.Option("--keep-env", metavar="NAME", help="Keep this variable although its value is the old image's."),
]
Unchecked = Annotated[
    bool, typer.Option("--unchecked", help="Leave out the checks of the recipe, where one does not suit your setup.")
]
Edit = Annotated[
    bool | None, typer.Option("--edit/--no-edit", help="Put the new tag into the compose file. Default: yes.")
]
Members = Annotated[
    list[str] | None,
    typer.Option("--member", metavar="NAME=GOAL", help="Of a stack: where this one shall go, or same. Repeatable."),
]
Vault = Annotated[
    str, typer.Option("--vault", metavar="NAME|PATH", help="Where snapshots are kept: a volume, or a path on the host.")
]
Answers = Annotated[
    list[str] | None,
    typer.Option("--answer", metavar="ID=TEXT", help="Answer a gate of the recipe; kept for this target and version."),
]
NoRefresh = Annotated[
    bool, typer.Option("--no-refresh", help="Leave configuration as it is: bring no new defaults into it.")
]
ConfigPaths = Annotated[
    list[str] | None,
    typer.Option("--config-path", metavar="PATH", help="Configuration to refresh that the recipe does not name."),
]
OnConflict = Annotated[
    How | None, typer.Option("--conflict", help="What to do with an unanswered configuration conflict. Default: ask.")
]
ConflictAnswers = Annotated[
    Path | None,
    typer.Option("--answers", metavar="FILE", help="Answers to configuration conflicts, from refresh --save-answers."),
]


@dataclass(frozen=True)
class RefreshWishes:
    """What the options of one command line say about configuration."""

    left_out: bool | None = None
    paths: tuple[ConfigTree, ...] = ()
    conflict: str | None = None
    answers: Path | None = None

    @classmethod
    def of(cls, no_refresh: bool, paths: list[str] | None, conflict: str | None, answers: Path | None) -> RefreshWishes:
        """As they were typed; UsageError ``config-path``."""
        if wrong := [path for path in paths or () if not path.startswith("/")]:
            what = f"{wrong[0]!r} is no path as the container sees it."
            raise UsageError("config-path", what, then="Begin it with a slash: --config-path /etc/app")
        from runner.recipes.model import ConfigTree

        trees = tuple(ConfigTree(path=path) for path in paths or ())
        return cls(no_refresh or None, trees, conflict, answers)

    @property
    def options(self) -> dict[str, object]:
        """What they mean for the options of a plan; UsageError."""
        from runner.prepared import read_prepared
        from runner.refresh.choices import Conflict

        prepared = read_prepared(self.answers) if self.answers else None
        return {
            "refresh": not self.left_out,
            "config_paths": self.paths,
            "conflict": Conflict(self.conflict or "ask"),
            "prepared": prepared.answers if prepared else (),
            "texts": prepared.texts if prepared else {},
        }


Forced = Annotated[
    bool,
    typer.Option("--force", help="Where the vendor lets a rule be forced; the consequence is said."),
]
AllOrNothing = Annotated[
    bool, typer.Option("--all-or-nothing", help="Of several hops: back to the start when one fails.")
]


@dataclass(frozen=True)
class Wishes:
    """What the options of one command line say."""

    to: str = ""
    image: str = ""
    pull: Pull | None = None
    hold: bool | None = None
    keep: int | None = None
    stop_timeout_s: int | None = None
    deadline_s: float | None = None
    dwell_s: float | None = None
    probes: tuple[str, ...] = ()
    keep_env: tuple[str, ...] = ()
    vault: str = ""
    answers: tuple[str, ...] = ()
    standing_answers: tuple[str, ...] = ()
    edit: bool | None = None
    evidence: tuple[RecipeEvidence, ...] = ()
    hooks: tuple[OwnHook, ...] = ()
    silence: tuple[Monitor, ...] = ()
    window: str = ""
    keep_for: str = ""
    force: Force = "no"
    unchecked: bool = False
    refresh: RefreshWishes = RefreshWishes()
    all_or_nothing: bool = False

    @property
    def any(self) -> bool:
        """Whether anything was wished at all."""
        typed = replace(self, refresh=replace(self.refresh, answers=None))  # a saved plan wants their texts again
        return typed != Wishes()

    @property
    def aims(self) -> bool:
        """Whether it says where to go."""
        return bool(self.to or self.image)

    @property
    def goal(self) -> Goal:
        """Where to go."""
        from runner.goal import Goal

        return Goal(to=self.to, image=self.image, pull=self.pull)

    @property
    def options(self) -> Options:
        """How to go."""
        from runner.config.place import config_folder
        from runner.fitness import probe_from, reading_from
        from runner.options import DEFAULT_KEEP, Options

        plain = Options(
            hold=bool(self.hold),
            keep=self.keep or DEFAULT_KEEP,
            keep_for_s=keep_for_seconds(self.keep_for),
            stop_timeout_s=self.stop_timeout_s,
            deadline_s=self.deadline_s,
            dwell_s=self.dwell_s,
            probes=tuple(probe_from(text) for text in self.probes),
            keep_env=self.keep_env,
            answers=self.answers,
            standing_answers=self.standing_answers,
            edit=self.edit is not False,
            readings=tuple(reading_from(one) for one in self.evidence),
            hooks=self.hooks,
            silence=self.silence,
            window=self.window if self.silence else "",
            folder=str(config_folder().resolve()) if self.hooks or self.silence else "",
            force=self.force,
            unchecked=self.unchecked,
        )
        return plain.model_copy(update=self.refresh.options)


def keep_for_seconds(text: str) -> int:
    """How long snapshots stay; 0 where nothing was said."""
    if not text:
        return 0
    from runner.config.model import span

    try:
        return int(span(text).total_seconds())
    except ValueError as wrong:
        raise UsageError("bad-span", f"--keep-for: {wrong}.", then="For example: --keep-for 14d") from None
