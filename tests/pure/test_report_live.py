"""The live display: plain lines where there is no terminal, a spinner where there is one, and never an exception."""

from __future__ import annotations

import io

from runner.facts import Json
from runner.records import Closed, Did, End, Meant, Noted
from runner.report.live import Live
from runner.report.words import columns, count_words, seconds_words, size_words
from tests.pure.test_report_plan import FAILED, at, made


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Closing(io.StringIO):
    """A stream nobody reads any more."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def heard(stream: io.StringIO) -> str:
    live = Live(stream)
    live.follow(made())
    for record in FAILED:
        live.hear(record)
    live.rest()
    return stream.getvalue()


def test_without_a_terminal_every_record_is_a_plain_line() -> None:
    lines = heard(io.StringIO()).splitlines()
    assert lines[0] == "start    going forward"
    assert "freeze   stop db (its own signal, 10 s)" in lines
    assert "   … waiting: port 80 accepts (up to 1 min 29 s more)" in lines
    assert "failed   db does not stay up. [crashed]" in lines
    assert lines[-1] == "end      db runs 15.4 again"


def test_without_a_terminal_no_colour_and_no_cursor_movement_is_written() -> None:
    assert "\x1b" not in heard(io.StringIO())


def test_on_a_terminal_the_steps_stay_and_the_waiting_goes() -> None:
    text = heard(Terminal())
    assert "stop db" in text
    assert "db runs 15.4 again" in text


def test_a_copy_says_how_much_it_took_and_how() -> None:
    warm: Json = {"copied_entries": 12, "copied_bytes": 3_400_000, "seconds": 0.5, "how": "reflink"}
    cold: Json = {"digest": "sha256:1", "copied": {**warm, "copied_entries": 1, "how": ""}}
    stream = io.StringIO()
    told: tuple[Json, ...] = (warm, cold, {"other": 1}, {})
    for facts in told:
        Live(stream).hear(Did(at=at(0), key="1", facts=facts))
    assert stream.getvalue().splitlines() == [
        "   · 12 entries, 3.4 MB, sharing its blocks with the data",
        "   · 1 entry, 3.4 MB",
    ]


def test_brackets_in_a_log_line_are_text_not_markup() -> None:
    stream = io.StringIO()
    Live(stream).hear(Noted(at=at(0), kind="log", text="[bold] ready [/x]"))
    assert stream.getvalue() == "   | [bold] ready [/x]\n"


def test_a_closed_terminal_never_breaks_a_run() -> None:
    live = Live(Closing())
    live.hear(Meant(at=at(0), key="1"))
    live.hear(Closed(at=at(1), end=End.NEW))
    live.rest()


def test_figures_are_said_as_people_say_them() -> None:
    assert [seconds_words(each) for each in (0.44, 12, 185, 7800)] == ["0.4 s", "12 s", "3 min 5 s", "2 h 10 min"]
    assert [size_words(each) for each in (0, 1234, 5_600_000, 7_800_000_000, 9_100_000_000_000)] == [
        "0 B", "1.2 kB", "5.6 MB", "7.8 GB", "9.1 TB",
    ]  # fmt: skip
    assert [count_words(each, "run") for each in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert columns((("a", "bb"),), ("long", "x")) == "long  x\na     bb"
