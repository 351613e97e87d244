"""What stays unproven of a new version, because the old one does not answer it: probes and evidence; it asks nobody."""

from __future__ import annotations

from runner.facts import Json
from runner.plan import Plan, step_key
from runner.records import Did, Record
from runner.spec.secrets import masked_command
from runner.steps.forward import TakeEvidence
from runner.steps.nouns import CommandProbe, ImageHealth, Probe


def is_asked(probe: Probe, answered: frozenset[str]) -> bool:
    """Whether the new version is asked it, where the old one answered the probes of these names."""
    return isinstance(probe, ImageHealth) or not probe.if_before or probe.spoken in answered


def answered_in(taken: Json) -> frozenset[str]:
    """The probes that the old version answered, from what taking evidence found."""
    names = taken.get("answered")
    return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()


def values_in(taken: Json) -> dict[str, str]:
    """The evidence by name, from what taking it found."""
    values = taken.get("values")
    return {key: str(value) for key, value in values.items()} if isinstance(values, dict) else {}


def shown_probe(probe: Probe) -> Probe:
    """The probe as it may be printed."""
    if not isinstance(probe, CommandProbe):
        return probe
    return probe.model_copy(update={"argv": tuple(str(word) for word in masked_command([*probe.argv]))})


def unasked_by(step: TakeEvidence, taken: Json) -> tuple[str, ...]:
    """What the old version did not answer in this step, so that it is not asked of the new one, in words."""
    answered, values = answered_in(taken), values_in(taken)
    probes = (shown_probe(probe).spoken for probe in step.terms.probes if not is_asked(probe, answered))
    return (*probes, *(f"evidence “{one.name}”" for one in step.readings if one.name not in values))


def unasked(plan: Plan, records: tuple[Record, ...], member: str = "") -> tuple[str, ...]:
    """All of it that a run found, of one member where its run is named; in a stack each with its container's name."""
    found = {record.key: record.facts for record in records if isinstance(record, Did)}
    taken = ((step, found[key]) for index, step in enumerate(plan.steps)
             if isinstance(step, TakeEvidence) and (key := step_key(index)) in found
             and member in ("", plan.member_of(step).run))  # fmt: skip
    named = plan.is_stack and not member
    return tuple(f"{step.who.spoken}, {each}" if named else each for step, facts in taken
                 for each in unasked_by(step, facts))  # fmt: skip
