"""How the proving steps are performed: evidence before and after, health, and the old version seen up again."""

from __future__ import annotations

from runner.errors import EngineError
from runner.facts import Json
from runner.hands import Hands
from runner.health import probe_once, prove_health
from runner.measure import read_evidence, settle_evidence
from runner.steps.back import ProveBack
from runner.steps.forward import TakeEvidence
from runner.steps.proof import CompareEvidence, ProveHealth
from runner.unasked import answered_in, unasked_by, values_in


class EvidenceDiffers(EngineError):
    """The evidence is not as it was; ``facts`` is all of it, for the report."""

    def __init__(self, code: str, what: str, facts: Json) -> None:
        super().__init__(code, what)
        self.facts = facts


def take_evidence(hands: Hands, step: TakeEvidence) -> Json:
    """What the old version answers: the values, and which of the probes it knows; what it does not is warned of."""
    container = hands.container(step.who)
    answered = probe_once(hands.engine, container, step.terms, hands.run)
    values = read_evidence(hands.engine, container, step.readings, hands.run)
    taken: Json = {"values": dict(values), "answered": [*sorted(answered)]}
    if missing := unasked_by(step, taken):
        what = f"{container.name} does not answer this, so of the new version it stays unproven: {', '.join(missing)}"
        hands.note("warning", what, None)
    return taken


def _answered(hands: Hands) -> frozenset[str]:
    return answered_in(hands.found("take-evidence"))


def prove_new(hands: Hands, step: ProveHealth) -> Json:
    """Prove the new version; NotProven says why not."""
    proven = prove_health(
        hands.engine,
        hands.clock,
        lambda: hands.container(step.who),
        step.terms,
        run=hands.run,
        answered=_answered(hands),
        tell=lambda text, left_s: hands.note("waiting", text, left_s),
        interrupted=hands.interrupted,
    )
    return proven.model_dump(mode="json")


def prove_old(hands: Hands, step: ProveBack) -> Json:
    """See the old version up again; a deadline of 0 asks for nothing (it was not up before either)."""
    if step.terms.deadline_s <= 0:
        return {}
    proven = prove_health(
        hands.engine,
        hands.clock,
        lambda: hands.container(step.who),
        step.terms,
        run=hands.run,
        answered=_answered(hands),
        tell=lambda text, left_s: hands.note("waiting", text, left_s),
        interrupted=lambda: False,
    )
    return proven.model_dump(mode="json")


def compare_evidence(hands: Hands, step: CompareEvidence) -> Json:
    """Compare; what is late gets the time its reading allows, for counts grow back while a product loads its data."""
    container = hands.container(step.who)
    findings = settle_evidence(
        hands.engine,
        hands.clock,
        container,
        step.readings,
        values_in(hands.found("take-evidence")),
        step.goal_version,
        run=hands.run,
        interrupted=hands.interrupted,
    )
    facts: Json = {"findings": [finding.model_dump(mode="json") for finding in findings]}
    bad = "; ".join(finding.sentence for finding in findings if not finding.ok)
    if bad:
        raise EvidenceDiffers("evidence", f"The new version runs, but the evidence differs: {bad}.", facts)
    return facts
