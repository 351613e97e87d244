"""How the comparison of runtime packages is performed: both sides are asked, and what is lacking is named."""

from __future__ import annotations

from runner.errors import EngineError, EngineUnreachable, OutcomeUnknown
from runner.facts import Json
from runner.hands import Hands
from runner.packages import lacking, packages_in
from runner.perform_configuration import ask_image
from runner.quoting import quoted
from runner.spec.inspected import listed
from runner.steps.packages import ComparePackages


def compare_packages(hands: Hands, step: ComparePackages) -> Json:
    """Compare; EngineError ``packages-missing`` names what is lacking.

    An old version that gives no list is told of and not compared.
    """
    before = _installed(hands, step)
    if before is None:
        return {"compared": False}
    answer = ask_image(hands, step)
    if answer.code != 0:
        what = f"The new version gives no list of its packages (“{' '.join(step.argv)}” ended with {answer.code})."
        raise _with_log(EngineError("packages-unread", f"{what} --unchecked leaves that out."), answer.lines)
    lacks = lacking(before, packages_in(answer.said), step.minimums, step.ordinary, step.required)
    gone = tuple(quoted(one, None) for one in lacks)
    if gone:
        what = f"The new version's runtime lacks what the old one has: {', '.join(gone)}."
        then = "Put them into an image of your own on top of it and go there with --image; --unchecked leaves that out."
        raise EngineError("packages-missing", f"{what} {then}")
    return {"compared": True, "packages": len(before), "names": listed(tuple(sorted(before)))}


def _installed(hands: Hands, step: ComparePackages) -> dict[str, str] | None:
    """What the old version has; None, and told, where it does not say."""
    container = hands.container(step.old)
    try:
        answer = hands.engine.execute(container.id, step.argv, timeout_s=step.timeout_s)
    except (EngineUnreachable, OutcomeUnknown):
        raise
    except EngineError as error:
        why = error.what
    else:
        if answer.exit_code == 0:
            return packages_in(answer.text)
        why = answer.complaint or answer.text or f"it ended with {answer.exit_code}"
    text = f"The old version gives no list of its packages, so nothing was compared: {quoted(why, container)}"
    hands.note("warning", text, None)
    return None


def _with_log(error: EngineError, lines: tuple[str, ...]) -> EngineError:
    error.__dict__["log"] = lines
    return error
