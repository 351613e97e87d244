"""What was asked of the new version and what it answered: probes and evidence, from the records; it judges nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue, ValidationError

from runner.evidence import Finding
from runner.facts import Json
from runner.plan import Plan, step_key
from runner.records import Did, Failed, Noted, Record
from runner.report.story import EvidenceTold, ProbeTold
from runner.spec.secrets import masked_text
from runner.steps.nouns import HealthTerms, Probe
from runner.steps.proof import ProveHealth
from runner.unasked import answered_in, is_asked, shown_probe
from runner.watch import STAYING

NOT_ASKED = "not asked: the old version does not answer it"


def evidence_told(records: tuple[Record, ...]) -> tuple[EvidenceTold, ...]:
    """The last comparison that was made, whether it was as hoped or not."""
    for record in reversed(tuple(each for each in records if isinstance(each, Did | Failed))):
        findings = tuple(_findings(record.facts.get("findings")))
        if findings:
            return tuple(evidence_from(finding) for finding in findings)
    return ()


def evidence_from(finding: Finding) -> EvidenceTold:
    """A finding as it is told."""
    return EvidenceTold(**{**finding.model_dump(), "ok": finding.verdict})


def _findings(value: JsonValue) -> Iterator[Finding]:
    for each in value if isinstance(value, list) else ():
        try:
            yield Finding.model_validate(each)
        except ValidationError:
            continue


def probes_told(plan: Plan, records: tuple[Record, ...]) -> tuple[ProbeTold, ...]:
    """Each probe of the new version with its last answer."""
    terms = next((step.terms for step in plan.steps if isinstance(step, ProveHealth)), None)
    if terms is None:
        return ()
    ended = next(iter(reversed(_of(plan, records, ProveHealth))), None)
    if isinstance(ended, Did):
        return tuple(_content(probe, ended.facts) for probe in terms.probes)
    return tuple(_wanting(terms, _asked(terms, plan, records), _last_words(records, ended)))


def _content(probe: Probe, facts: Json) -> ProbeTold:
    asked = facts.get("probes")
    ok = isinstance(asked, list) and probe.spoken in asked
    return ProbeTold(name=name_of(probe), ok=True if ok else None, answer="yes" if ok else NOT_ASKED)


def _asked(terms: HealthTerms, plan: Plan, records: tuple[Record, ...]) -> frozenset[str]:
    """What was asked of the new version: probes marked so only where the old one answered them."""
    kinds = {step_key(index) for index, step in enumerate(plan.steps) if step.kind == "take-evidence"}
    facts = next((each.facts for each in reversed(records) if isinstance(each, Did) and each.key in kinds), {})
    known = answered_in(facts)
    return frozenset(probe.spoken for probe in terms.probes if is_asked(probe, known))


def _wanting(terms: HealthTerms, asked: frozenset[str], words: str) -> Iterator[ProbeTold]:
    """Probes are asked in their order, and the first that is not content is the one that was named."""
    missed = next((probe for probe in terms.probes if f"{masked_text(probe.spoken)}: " in words), None)
    for index, probe in enumerate(terms.probes):
        if probe.spoken not in asked:
            yield ProbeTold(name=name_of(probe), ok=None, answer=NOT_ASKED)
        elif words.startswith(STAYING):
            yield ProbeTold(name=name_of(probe), ok=True, answer="yes, but it did not stay so")
        elif missed is None:
            yield ProbeTold(name=name_of(probe), ok=None, answer="no answer is known")
        elif probe is missed:
            answer = words.partition(f"{masked_text(probe.spoken)}: ")[2]
            yield ProbeTold(name=name_of(probe), ok=False, answer=answer.rstrip("."))
        else:
            before = index < terms.probes.index(missed)
            yield ProbeTold(name=name_of(probe), ok=before or None, answer="yes" if before else "not asked any more")


def _last_words(records: tuple[Record, ...], ended: Did | Failed | None) -> str:
    """What was lacking last, as it was noted or as the failure says."""
    if isinstance(ended, Failed) and ended.code == "silent":
        return ended.what
    waits = (record.text for record in reversed(records) if isinstance(record, Noted) and record.kind == "waiting")
    return next(waits, "")


def name_of(probe: Probe) -> str:
    """The probe as people call it, secrets hidden."""
    return shown_probe(probe).spoken


def _of(plan: Plan, records: tuple[Record, ...], kind: type) -> tuple[Did | Failed, ...]:
    keys = {step_key(index) for index, step in enumerate(plan.steps) if isinstance(step, kind)}
    return tuple(record for record in records if isinstance(record, Did | Failed) and record.key in keys)
