"""The story of a run: steps with their times, downtime, probes, evidence and settings, from plan and records alone."""

from __future__ import annotations

import pytest

from runner.errors import Exit
from runner.evidence import Finding
from runner.records import Closed, End
from runner.report.clean import clean
from runner.report.html import html_report
from runner.report.junit import junit_report
from runner.report.markdown import markdown_report
from runner.report.rehearsal import rehearsal_report
from runner.report.story import Mark, StepState, Story
from runner.report.telling import path_story, rehearsal_story, run_story
from runner.report.text import text_report
from runner.report.timeline import Strip, strips
from tests.pure.report_cases import PAGE, START, STORIES, STUCK, THROUGH, rehearsed, whole
from tests.pure.test_report_plan import at


@pytest.mark.parametrize(
    ("name", "mark", "status", "headline"),
    [
        ("through", Mark.GOOD, 0, "db runs 17.1."),
        ("crashed", Mark.BACK, 5, "db runs 15.4 again, on its data as it was."),
        ("stuck", Mark.BAD, 6, "db is stuck between 15.4 and 17.1."),
        ("cut off", Mark.OPEN, 6, "The run 20240101-000000-abcdef of db is not finished."),
        ("went back", Mark.GOOD, 0, "db runs 15.4 again, on its data as it was."),
        ("rehearsal", Mark.GOOD, 0, "db 15.4 → 17.1: the rehearsal passed."),
        ("several versions", Mark.BAD, 4, "1 of 3 versions of db work."),
        ("rehearsal not played", Mark.BAD, 4, "db 15.4 → 17.1: the rehearsal failed."),
    ],
)
def test_the_headline_says_where_it_ended(name: str, mark: Mark, status: int, headline: str) -> None:
    story = STORIES[name]
    assert (story.mark, story.exit_status, story.headline) == (mark, status, headline)


def test_each_step_has_its_times_what_it_found_and_what_became_of_it() -> None:
    steps = {step.key: step for step in STORIES["crashed"].steps}
    assert (steps["4"].begun_s, steps["4"].took_s) == (4, 1)
    assert steps["4"].found.startswith("2.5 MB in 12 entries; copied meanwhile: 1 entry, 1.2 kB, what is unchanged")
    assert steps["3"].found == "exit code 0"
    assert (steps["6"].state, steps["6"].code, steps["6"].log) == (
        StepState.FAILED,
        "crashed",
        ("FATAL: incompatible",),
    )
    assert (steps["5.2"].phase, steps["5.2"].state) == ("back", StepState.DONE)
    assert [step.key for step in STORIES["crashed"].not_reached] == ["7", "8"]


def test_a_step_nobody_finished_was_cut_off() -> None:
    assert STORIES["cut off"].steps[-1].state is StepState.CUT_OFF


def test_the_downtime_lies_where_nothing_served() -> None:
    (act,) = STORIES["through"].acts
    assert act.down
    assert (act.down.begun_s, act.down.until_s) == (3, 6.5)
    assert STORIES["through"].downtime_s == 3.5
    assert STORIES["through"].figures[0].note == "about 1 min 15 s expected"


def test_going_back_days_later_is_an_act_of_its_own_with_a_downtime_of_its_own() -> None:
    there, back = STORIES["went back"].acts
    assert (there.title, back.title) == ("The way there", "The way back")
    assert there.took_s == 11
    assert back.took_s == 5
    assert there.down
    assert back.down
    assert back.down.until_s is not None
    assert back.down.until_s - back.down.begun_s == 3
    assert (STORIES["went back"].downtime_s, STORIES["went back"].total_s) == (3, 16)


def test_the_moment_it_turned_is_known() -> None:
    assert STORIES["crashed"].acts[0].turned_s == 8
    assert STORIES["through"].acts[0].turned_s is None


def test_what_is_down_and_stays_down_has_no_end() -> None:
    story = run_story(whole(), START, (), "cut off")
    assert story.downtime_s is None
    assert story.acts[0].down


def test_each_probe_is_told_with_its_answer() -> None:
    assert [(probe.ok, probe.answer) for probe in STORIES["through"].probes] == [
        (True, "yes"),
        (None, "not asked: the old version does not answer it"),
        (True, "yes"),
    ]
    first, second, third = STORIES["crashed"].probes
    assert (first.name, first.ok, first.answer) == (PAGE.spoken, False, "connection refused — it says: loading")
    assert second.ok is None
    assert (third.ok, third.answer) == (None, "not asked any more")


def test_evidence_that_differs_is_told_with_both_values() -> None:
    (evidence,) = STORIES["differs"].evidence
    assert (evidence.ok, evidence.before, evidence.after) == (False, "7", "0")


def test_warnings_come_from_the_plan_and_from_the_way() -> None:
    assert [(each.code, each.text) for each in STORIES["crashed"].warnings] == [
        ("uid", "another user"),
        ("noted", "db was killed"),
    ]


def test_settings_are_named_without_their_values_where_they_may_be_secret() -> None:
    story = STORIES["through"]
    assert "Env TOKEN" in story.settings
    assert "Memory 1024" in story.settings
    assert story.changed_settings == ("User db is gone",)


def test_a_rehearsal_says_what_it_took_away_and_that_the_way_back_was_rehearsed() -> None:
    story = STORIES["rehearsal"]
    assert story.way_back.startswith("The way back was rehearsed, too")
    assert [listing.title for listing in story.listings] == [
        "New lines in the log that look like trouble",
        "Why that downtime is to be expected",
        "The new image differs",
        "Taken away, so that the copy reaches nobody",
    ]
    assert [(each.name, each.words) for each in story.changes] == [
        ("volume rows on /var/lib/db", "1 file added (1 B), 30 files changed (16.4 kB)")
    ]
    assert {(each.code, each.value, each.note) for each in story.figures} >= {
        ("growth", 4096, "of the disk than before"),
        ("cpu", 1.5, "1.0 s by the old version"),
        ("memory", 90_000_000, ""),
    }
    assert story.advice[0].command == "refloat apply db --image vendor/db:17"


def test_a_path_is_told_with_every_hop() -> None:
    assert [(hop.ok, hop.downtime_s) for hop in STORIES["path"].hops] == [(True, 3.5), (False, 9.5)]


def test_a_path_that_went_back_to_its_start_did_not_go_through() -> None:
    through = STORIES["through"]
    story = path_story(through, through, (), Exit.ROLLED_BACK)
    assert (story.mark, story.exit_status) == (Mark.BACK, 5)


def test_several_versions_are_told_with_each_verdict() -> None:
    told = STORIES["several versions"].candidates
    assert [(each.version, each.verdict, each.why) for each in told] == [
        ("16", "works", ""),
        ("17", "fails", "db does not stay up."),
        ("99", "not tried", "There is no such image."),
    ]


def test_a_story_says_what_to_type_next() -> None:
    commands = {name: [each.command for each in story.advice if each.command] for name, story in STORIES.items()}
    assert commands["through"] == ["refloat commit db", "refloat rollback db"]
    assert commands["crashed"] == ["refloat rehearse db --image vendor/db:17"]
    assert commands["stuck"] == ["refloat recover db"]
    committed = run_story(whole(), THROUGH, (Closed(at=at(12), end=End.NEW),), "done")
    assert [each.command for each in committed.advice if each.command] == ["refloat rollback db"]
    assert committed.committed_at == at(12)


def test_a_story_survives_its_own_json() -> None:
    for story in STORIES.values():
        assert Story.model_validate_json(story.model_dump_json()) == story


@pytest.mark.parametrize("name", sorted(STORIES))
def test_every_bar_lies_within_its_drawing(name: str) -> None:
    for strip in (strip for act in STORIES[name].acts for strip in strips(act)):
        for left, width in ((bar.left, bar.width) for bar in strip.bars):
            assert 0 <= left <= left + width <= 100.001
        assert all(0 <= tick.left <= 100 for tick in strip.ticks)
        assert strip.ticks


def test_a_downtime_too_short_to_be_seen_is_drawn_once_more_larger() -> None:
    act = STORIES["through"].acts[0].model_copy(update={"took_s": 900.0})
    whole_strip, around = strips(act)
    assert drawn(whole_strip) < 1
    assert around.title == "Around the downtime"
    assert drawn(around) > 50


def drawn(strip: Strip) -> float:
    assert strip.down
    return strip.down[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x07", "a␀b␇"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("over\rwritten", "over␍written"),
        ("abc\u202etxt.exe", "abc�txt.exe"),
        ("half \ud800 a character", "half � a character"),
        ("https://me:hunter2@registry.example/v2", "https://me:***@registry.example/v2"),
        ("\x1b]0;title\x07rest", "rest"),
    ],
)
def test_what_could_mislead_is_made_harmless(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_stuck_run_keeps_its_reason() -> None:
    assert STORIES["stuck"].why == "the volume is gone"
    assert isinstance(STUCK[-1], Closed)


def test_evidence_the_old_version_did_not_give_is_neither_good_nor_bad() -> None:
    missing = Finding(name="rows", ok=True, words="not compared: the old version did not answer", after="7")
    result = rehearsed(evidence=(missing,), unasked=("evidence “rows”",))
    story = rehearsal_story(result, None, ())
    assert [each.ok for each in story.evidence] == [None]
    assert next(each.value for each in story.figures if each.code == "evidence") == 0
    assert "  – rows: not compared" in text_report(story)
    assert "  – rows: not compared" in rehearsal_report(result)
    assert "did not answer it either\n  evidence “rows”" in rehearsal_report(result)
    assert any("did not answer it either: evidence “rows”" in each.text for each in story.advice)
    assert "skipped" in junit_report(story)
    assert "not as it should be" not in html_report(story)
    assert "❌" not in markdown_report(story)
