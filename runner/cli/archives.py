"""`refloat backup` and `refloat restore`: copies of a target's data off the vault and back; they decide no step."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.apply import finish
from runner.cli.asked import asked
from runner.cli.depots import PasswordFile, opened_archive, opened_depot
from runner.cli.ground import TOOLS_IMAGE, new_live, open_session, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.messages import Messages
from runner.cli.starting import Announce, give_warning
from runner.cli.terminal import ask, say, say_json, tell
from runner.cli.wishes import AsJson, Deadline, Dwell, Probes, StopTimeout, Vault, Wishes, Yes
from runner.errors import NOTHING_TOUCHED, Interrupted, RefloatError, UsageError

if TYPE_CHECKING:
    from runner.archiving import Archiving
    from runner.backing_up import BackedUp
    from runner.restoring import RestoreOffer
    from runner.session import Session
    from runner.vault.archive_port import ArchiveSeen

MaybeTarget = Annotated[str, typer.Argument(metavar="[T]", help="A container; none is needed for --list and --verify.")]
Target = Annotated[str, typer.Argument(metavar="T", help="A container's name or id, or a compose PROJECT/SERVICE.")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="FROM", help="An archive (/DIR/FILE, volume:NAME/FILE, FILE, restic:REPO[#SNAPSHOT]), or a run."
    ),
]
PlaceFor = Annotated[
    str, typer.Option("--to", metavar="PLACE", help="/DIR on the engine's host, volume:NAME, or restic:REPOSITORY.")
]
List = Annotated[bool, typer.Option("--list", help="List the archives there are instead.")]
Verify = Annotated[str, typer.Option("--verify", metavar="FILE", help="Read every byte of this archive instead.")]
Init = Annotated[bool, typer.Option("--init", help="Make the restic repository where there is none.")]


def backup_command(target: MaybeTarget = "", to: PlaceFor = "", list_: List = False, verify: Verify = "",
                   init: Init = False, password_file: PasswordFile = "", vault: Vault = "", yes: Yes = False,  # noqa: ARG001  # scripts say --yes to every verb
                   as_json: AsJson = False) -> None:  # fmt: skip
    """Copy the data of a container into an archive. It is paused for a moment at most, and runs on as before."""
    if verify:
        _verify(verify, target, password_file, as_json=as_json)
    elif list_:
        _list(target, to, password_file, as_json=as_json)
    elif target:
        _back_up(target, to, password_file, vault, init=init, as_json=as_json)
    else:
        raise UsageError("no-target", "Say what to back up.", then="refloat backup TARGET. List targets: refloat ls")


def _archiving(session: Session) -> Archiving:
    from runner.archiving import Archiving
    from runner.vault.archives import DockerArchives
    from runner.verbs import Refloat

    return Archiving(Refloat(session), DockerArchives(session.engine, TOOLS_IMAGE, tell))


def _back_up(target: str, to: str, password_file: str, vault: str, *, init: bool, as_json: bool) -> None:
    from runner.backing_up import Wanted

    wanted = Wanted(depot=opened_depot(to, password_file), place=place_from(vault), init=init)
    try:
        done = _archiving(open_session()).back_up(target, wanted, tell)
    except KeyboardInterrupt:
        stands = "It is as it was before; of this backup nothing is left."
        raise Interrupted("interrupted", f"The backup of {target} was interrupted.", stands) from None
    if done.warning:
        tell(f"! {done.warning}")
    if as_json:
        say_json(done.model_dump(mode="json"))
    else:
        say(_done(done))


def _done(done: BackedUp) -> str:
    from runner.report.words import count_words, seconds_words, size_words

    size = f", {size_words(done.size_bytes)}" if done.size_bytes else ""
    still = "it did not run" if done.paused_s is None else f"it stood still for {seconds_words(done.paused_s)}"
    return (
        f"{done.target} is backed up: {done.archive}{size}.\n"
        f"{size_words(done.data_bytes)} in {count_words(done.entries, 'entry')}; {still}, "
        f"{seconds_words(done.total_s)} in all; run {done.run}.\n"
        f"Restore it: refloat restore {done.target} {shlex.quote(done.archive)}"
    )


def _list(target: str, to: str, password_file: str, *, as_json: bool) -> None:
    from runner.report.words import columns

    seen = _archiving(open_session()).listed(target, opened_depot(to, password_file))
    if as_json:
        say_json([one.model_dump(mode="json") for one in seen])
    elif seen:
        say(columns(tuple(_row(one) for one in seen), ("target", "run", "made (UTC)", "data", "size", "archive")))
    else:
        say(f"There is no archive{f' of {target}' if target else ''} there.")


def _row(one: ArchiveSeen) -> tuple[str, ...]:
    from runner.report.words import day_words, size_words

    if one.wrong:
        return ("unknown", "", "", "", size_words(one.size_bytes), f"{one.name}: {one.wrong}")
    size = size_words(one.size_bytes) if one.size_bytes else ""
    name = one.name if "." in one.name else one.name[:8]
    return (one.target, one.run, day_words(one.made_at), size_words(one.data_bytes), size, name)


def _verify(text: str, target: str, password_file: str, *, as_json: bool) -> None:
    from runner.report.words import count_words, size_words

    archive = opened_archive(text, password_file)
    if archive is None:
        raise UsageError("bad-place", f"{text} is no archive.", then="A snapshot is verified by: refloat verify RUN")
    one = _archiving(open_session()).verify(archive, target)
    if as_json:
        say_json(one.model_dump(mode="json"))
    else:
        amount = f"{size_words(one.data_bytes)} in {count_words(one.entries, 'entry')}"
        say(f"{archive.spoken} is whole: {amount} of {one.target}, run {one.run}.")


def restore_command(target: Target, source: Source, password_file: PasswordFile = "", stop_timeout: StopTimeout = None,
                    deadline: Deadline = None, dwell: Dwell = None, probe: Probes = None, vault: Vault = "",
                    yes: Yes = False, announce: Announce = "", as_json: AsJson = False) -> None:  # fmt: skip
    """Give a container the data of an archive or a snapshot. Its present data becomes a snapshot first."""
    from runner.restoring import From

    wishes = Wishes(stop_timeout_s=stop_timeout, deadline_s=deadline, dwell_s=dwell, probes=tuple(probe or ()))
    live, interrupts = new_live(), Interrupts()
    try:
        archiving = _archiving(open_session(live.hear, interrupts=interrupts))
        tell(f"check    {source.partition('#')[0] if '://' not in source else 'the archive'}")
        wanted = From(archive=opened_archive(source, password_file), snapshot=source, place=place_from(vault))
        offer = archiving.offer_restore(target, wanted, wishes.options)
        messages = Messages(asked(offer.plan.target).settings, strict=False)
        _ask(archiving, offer, messages, announce, yes=yes)
    except KeyboardInterrupt:
        raise Interrupted("interrupted", f"The restore of {target} was interrupted.", NOTHING_TOUCHED) from None
    live.follow(offer.plan)
    with messages.about(offer.plan), interrupts.at_work(f"refloat recover {offer.plan.target}"):
        end = archiving.restore(offer)
    live.rest()
    with messages.ended(end):
        finish(end, as_json=as_json)


def _ask(archiving: Archiving, offer: RestoreOffer, messages: Messages, announce: str, *, yes: bool) -> None:
    """Ask, for what was written since is replaced, and give warning; an answer of no leaves nothing behind."""
    from runner.report.words import count_words, size_words

    plan, sealed = offer.plan, offer.sealed
    amount = f"{size_words(sealed.size_bytes)} in {count_words(sealed.entries, 'entry')}"
    tell(f"{plan.target}: its data is replaced by {offer.source} ({amount}, checked). It stops meanwhile; what it has "
         f"now becomes snapshot {plan.run} first.")  # fmt: skip
    try:
        ask(f"Restore {plan.target}?", yes=yes)
        give_warning(archiving.refloat.session, messages, plan.target, "restore of its data", announce)
    except (RefloatError, KeyboardInterrupt):
        archiving.withdraw(offer)
        raise
