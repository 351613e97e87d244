"""Step → effect: one small function a kind; it chooses by kind alone and knows nothing of plans."""

from __future__ import annotations

from typing import assert_never

from runner import perform_configuration as configuration
from runner import perform_containers as containers
from runner import perform_data as data
from runner import perform_hooks as calling
from runner import perform_packages as packages
from runner import perform_pauses as pausing
from runner import perform_proof as proof
from runner import perform_silence as quieting
from runner.facts import Json
from runner.hands import Hands
from runner.steps import AnyForward, BackStep, back, forward, hooks, pauses, silence
from runner.steps import configuration as configuring
from runner.steps import packages as packing
from runner.steps import proof as proving
from runner.steps.step import ForwardStep

Configuring = (
    configuring.PrepareRefresh
    | configuring.RefreshConfiguration
    | configuring.CheckDraft
    | configuring.CheckConfiguration
    | packing.ComparePackages
)
Proving = forward.TakeEvidence | proving.ProveHealth | proving.CompareEvidence | proving.AcceptVerdict
Pausing = pauses.Thaw | pauses.PauseAgain
Telling = silence.KeepQuiet | silence.EndQuiet | hooks.CallHook


def perform(hands: Hands, step: AnyForward | BackStep) -> Json:
    """Do one step and give what it found out; a RefloatError says why it could not be done."""
    if isinstance(step, ForwardStep):
        return perform_forward(hands, step)
    return perform_back(hands, step)


def perform_forward(hands: Hands, step: AnyForward) -> Json:
    """Do one step of the way forward."""
    if isinstance(step, Pausing):
        return _pause(hands, step)
    if isinstance(step, Configuring):
        return _look_after_configuration(hands, step)
    if isinstance(step, Telling):
        return _tell_others(hands, step)
    if isinstance(step, Proving):
        return _prove(hands, step)
    match step:
        case forward.CreateSuccessor():
            return containers.create_successor(hands, step)
        case forward.HoldImage():
            return containers.hold_image(hands, step)
        case forward.WritePapers():
            return data.write_papers(hands, step)
        case forward.WarmCopy():
            return data.warm_copy(hands, step)
        case forward.StopContainer():
            return containers.stop_container(hands, step)
        case forward.SetRestartPolicy():
            return containers.set_policy(hands, step.who, step.policy)
        case forward.EnsureSoleUse():
            return data.ensure_sole_use(hands, step.sources)
        case forward.ColdCopy():
            return data.cold_copy(hands, step)
        case forward.Rename():
            return containers.set_name(hands, step.who, step.name)
        case forward.BringBackData():
            return data.bring_back_data(hands, step)
        case forward.StartSuccessor():
            return containers.start_successor(hands, step.who)
        case forward.StartAgain():
            return containers.start_again(hands, step)
        case proving.EditFile():
            return hands.edit(step.edit, back=False)
        case _:
            assert_never(step)


def _pause(hands: Hands, step: Pausing) -> Json:
    match step:
        case pauses.Thaw():
            return pausing.wake(hands, step.who)
        case pauses.PauseAgain():
            return pausing.pause_accepted(hands, step.who)
        case _:
            assert_never(step)


def _look_after_configuration(hands: Hands, step: Configuring) -> Json:
    match step:
        case configuring.PrepareRefresh():
            return configuration.prepare_refresh(hands, step)
        case configuring.RefreshConfiguration():
            return configuration.refresh(hands, step)
        case configuring.CheckDraft():
            return configuration.check_draft(hands, step)
        case configuring.CheckConfiguration():
            return configuration.check(hands, step)
        case packing.ComparePackages():
            return packages.compare_packages(hands, step)
        case _:
            assert_never(step)


def _prove(hands: Hands, step: Proving) -> Json:
    match step:
        case forward.TakeEvidence():
            return proof.take_evidence(hands, step)
        case proving.ProveHealth():
            return proof.prove_new(hands, step)
        case proving.CompareEvidence():
            return proof.compare_evidence(hands, step)
        case proving.AcceptVerdict():
            return data.write_verdict(hands, step.room, "accepted")
        case _:
            assert_never(step)


def _tell_others(hands: Hands, step: Telling) -> Json:
    match step:
        case silence.KeepQuiet():
            return quieting.keep_quiet(hands, step)
        case silence.EndQuiet():
            return quieting.end_quiet(hands, step)
        case hooks.CallHook():
            return calling.call_hook(hands, step)
        case _:
            assert_never(step)


def perform_back(hands: Hands, step: BackStep) -> Json:
    """Do one step of the way back."""
    match step:
        case back.ReleaseImage():
            return containers.release_image(hands, step.tag)
        case back.RemoveOurs():
            return containers.remove_ours(hands, step.who)
        case back.DiscardRoom():
            return data.discard_room(hands, step.room)
        case back.StartContainer():
            return containers.start_container(hands, step)
        case back.ProveBack():
            return proof.prove_old(hands, step)
        case back.SetPolicyBack():
            return containers.set_policy(hands, step.who, step.policy)
        case back.NameBack():
            return containers.set_name(hands, step.who, step.name)
        case back.CaptureFailure():
            return containers.capture_failure(hands, step.who)
        case back.StopOurs():
            return containers.stop_ours(hands, step)
        case back.StopAgain():
            return containers.stop_again(hands, step)
        case back.RestoreData():
            return data.restore_data(hands, step)
        case back.WithdrawVerdict():
            return data.write_verdict(hands, step.room, "withdrawn")
        case back.SpeakAgain():
            return quieting.speak_again(hands, step)
        case back.CallBack():
            return calling.call_back(hands, step)
        case back.PauseBack():
            return pausing.pause_back(hands, step.who)
        case back.ThawBack():
            return pausing.wake(hands, step.who)
        case back.EditBack():
            return hands.edit(step.edit, back=True)
        case _:
            assert_never(step)
