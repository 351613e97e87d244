"""Windows over every change of the clock: open when they say, never open twice, and the next one always comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import UsageError
from runner.window import DAYS, Window, window_from

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # UTC is added
CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
WINDOWS = st.builds(
    "{} {}-{} {}".format, st.sampled_from([*DAYS, "daily", "Mon-Fri", "Sat,Sun", "Fri-Mon"]), CLOCK, CLOCK,
    st.sampled_from(ZONES),
).map(window_from)  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@settings(derandomize=True, deadline=None)
@given(WINDOWS, MOMENTS)
def test_the_opening_that_is_given_has_not_ended_and_begins_on_its_day_at_its_time(
    window: Window, now: datetime
) -> None:
    opening = window.opening(now)
    assert opening.start < opening.end
    assert now < opening.end
    assert opening.start - now <= timedelta(days=8)
    local = opening.start.astimezone(ZoneInfo(window.zone))
    skipped = (local.hour, local.minute) != (window.start.hour, window.start.minute)
    assert skipped or local.weekday() in window.days
    if skipped:  # only where the clock was put forward over that time
        assert local.utcoffset() != (local - timedelta(hours=26)).replace(fold=0).utcoffset()


@settings(derandomize=True, deadline=None)
@given(WINDOWS, MOMENTS)
def test_openings_follow_each_other_and_never_overlap_themselves(window: Window, now: datetime) -> None:
    first = window.opening(now)
    second = window.opening(first.end)
    assert second.start >= first.end
    assert second.start > first.start


@settings(derandomize=True, deadline=None)
@given(WINDOWS, MOMENTS, st.floats(0, 90000))
def test_what_is_found_for_a_length_has_that_much_left(window: Window, now: datetime, need_s: float) -> None:
    found = window.opening_for(now, need_s)
    if found is not None:
        assert (found.end - max(found.start, now)).total_seconds() >= need_s
        assert found.start >= window.opening(now).start


def test_a_window_over_midnight_is_open_after_it() -> None:
    window = window_from("Mon-Fri 22:00-04:00 Europe/Berlin")
    assert window.opening(at("2026-07-04T01:30:00+00:00")).start == at("2026-07-03T20:00:00+00:00")  # still Friday's
    assert window.opening(at("2026-07-04T02:30:00+00:00")).start == at("2026-07-06T20:00:00+00:00")  # Monday's


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-03-28T12:00:00+00:00", "2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00+00:00"),  # an hour shorter
        ("2026-10-24T12:00:00+00:00", "2026-10-25T00:00:00+00:00", "2026-10-25T04:00:00+00:00"),  # an hour longer
    ],
)
def test_a_night_in_which_the_clock_is_changed_is_shorter_or_longer(now: str, start: str, end: str) -> None:
    opening = window_from("Sun 02:00-05:00 Europe/Berlin").opening(at(now))
    assert (opening.start, opening.end) == (at(start), at(end))


def test_no_opening_is_long_enough_for_what_takes_longer() -> None:
    window = window_from("daily 03:00-04:00")
    now = at("2026-01-01T03:30:00+00:00")
    assert window.opening_for(now, 1800) == window.opening(now)
    assert window.opening_for(now, 1801) == window.opening(at("2026-01-01T04:00:00+00:00"))
    assert window.opening_for(now, 3601) is None


@pytest.mark.parametrize(
    "text", ["", "Sun", "02:00", "Sun 02:00-5:00", "Sun 25:00-26:00", "Son 02:00-03:00", "Mon-Xyz 01:00-02:00",
             "Sun 02:00-03:00 Europe/Atlantis", "Sun 02:00-03:00 ../etc/passwd", "Mon- 01:00-02:00"]
)  # fmt: skip
def test_what_is_no_window_is_said(text: str) -> None:
    with pytest.raises(UsageError) as wrong:
        window_from(text)
    assert wrong.value.code == "bad-window"
    assert "Write for example" in wrong.value.then
