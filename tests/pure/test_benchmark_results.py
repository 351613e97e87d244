"""The benchmarks' table and plot are made of what was measured; nothing is measured here."""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks.copies import Copies
from benchmarks.downtime import WAYS, Upgrade
from benchmarks.fleet import text_from as fleet_text
from benchmarks.loads import USUAL
from benchmarks.plot import svg_from
from benchmarks.refresh import text_from as refresh_text
from benchmarks.table import Result, text_from

ROUNDS = {
    way: [Upgrade(downtime_s=each * (1 + place), total_s=9) for each in (0.5, 7.0, 0.4)]
    for place, way in enumerate(WAYS)
}
COPIES = [Copies(1.0, 1.5, 1.25, 2.0, slowness * 4.0, 0.5, 0.25, 2.0) for slowness in (1, 1, 9)]
RESULTS = [Result(load, ROUNDS, COPIES) for load in USUAL]


def test_the_table_shows_medians_and_ratios() -> None:
    text = text_from(RESULTS, ("a machine",))
    assert "- a machine" in text
    assert "| 1 GiB | refloat apply | 0.50 s | 0.5 | 3.0 | 9.00 s |" in text
    against_cp = "| 1.00 s | 1.25 s | 0.80 | 1.50 s | 2.00 s | 0.75 |"
    assert f"| 1 GiB {against_cp} 4.00 s | 0.50 s | 0.12 | 0.25 s | 2.00 s | 512 |" in text


def test_every_row_has_a_cell_for_every_head() -> None:
    tables = [part.splitlines() for part in text_from(RESULTS, ()).split("\n\n") if part.startswith("|")]
    for table in tables:
        assert {line.count("|") for line in table} == {table[0].count("|")}


def test_the_plot_is_an_svg_with_a_bar_for_every_way_and_load() -> None:
    drawn = ElementTree.fromstring(svg_from(RESULTS))  # noqa: S314  # our own text
    rects = drawn.findall("{http://www.w3.org/2000/svg}rect")
    assert len(rects) == 1 + len(WAYS) + len(WAYS) * len(RESULTS)


def test_the_refresh_has_a_page_with_the_medians() -> None:
    assert "| 0.40 s | 0.20 s | 0.60 s |" in refresh_text([(0.4, 0.2), (0.3, 0.1), (5.0, 5.0)])


def test_looking_at_many_has_a_page_with_medians_and_the_fastest() -> None:
    text = fleet_text({"`refloat ls`": [(0.5, 0.4), (0.6, 0.3), (9.0, 0.5)]}, 50, 3, 1.25)
    assert "50 containers" in text
    assert "| `refloat ls` | 0.60 s | 0.50 s | 0.40 s |" in text
