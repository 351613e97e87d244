"""`refloat rollback`: the old version again, on its data as it was; it asks first, for writes are lost."""

from __future__ import annotations

from typing import Annotated

import typer

from runner.cli.apply import finish
from runner.cli.asked import asked, meant
from runner.cli.ground import new_live, open_session, place_from
from runner.cli.interrupts import Interrupts
from runner.cli.messages import Messages
from runner.cli.reports import Report, reporting, wanted_reports
from runner.cli.starting import Announce, give_warning
from runner.cli.terminal import ask, tell
from runner.cli.wishes import AsJson, Edit, Vault, Wishes, Yes

TargetOrRun = Annotated[
    str, typer.Argument(metavar="T|RUN", help="A container's name or id, a compose PROJECT/SERVICE, or a run.")
]


def rollback_command(target: TargetOrRun, vault: Vault = "", edit: Edit = None, yes: Yes = False,
                     announce: Announce = "", report: Report = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Go back to the version before. With its data as it was then; asks, for later writes are lost."""
    from runner.verbs import Refloat

    wanted = wanted_reports(report)
    live, interrupts = new_live(), Interrupts()
    refloat = Refloat(open_session(live.hear, interrupts=interrupts))
    offer = refloat.offer_rollback(meant(target), Wishes(edit=edit).options, place=place_from(vault))
    plan = offer.plan
    back_to, leaving = (plan.old, plan.new) if offer.undoes else (plan.new, plan.old)
    tell(f"{plan.target}: back from {leaving.spoken} to {back_to.spoken}. {offer.losing}")
    ask(f"Roll {plan.target} back?", yes=yes)
    messages = Messages(asked(plan.target).settings, strict=False)
    give_warning(refloat.session, messages, plan.target, f"rollback to {back_to.spoken}", announce)
    live.follow(plan)
    with messages.about(plan), reporting(wanted, plan.run), interrupts.at_work(f"refloat recover {plan.target}"):
        end = refloat.rollback(offer)
    live.rest()
    with messages.ended(end):
        finish(end, as_json=as_json)
