"""The report in a real browser: nothing fetched, nothing cut off on a phone, readable in light and dark, printable."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.report.formats import Format, rendered
from tests.browser.chromium import Chromium, chromium
from tests.pure.report_cases import STORIES
from tests.pure.test_report_formats import HOSTILE, flat, hostile

PHONE, DESKTOP = (390, 844), (1280, 900)
KINDS = (
    "several versions",
    "path",
    "through",
    "crashed",
    "went back",
    "stuck",
    "differs",
    "rehearsal",
    "rehearsal not played",
    "not begun",
)
CONTRAST = """
(() => {
  const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = node => { for (; node; node = node.parentElement) { const c = getComputedStyle(node).backgroundColor;
      if (!(c.startsWith('rgba') && c.endsWith(', 0)'))) return c; } return 'rgb(255, 255, 255)'; };
  const low = [];
  for (const node of document.querySelectorAll('body *')) {
    if (node.closest('svg') || ![...node.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push(node.tagName + '.' + node.className + ': ' + node.textContent.trim());
  }
  return JSON.stringify(low);
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One page a kind; REPORT_PICTURES names a folder in which the pictures are kept, to look at them."""
    folder = tmp_path_factory.mktemp("pages")
    for kind in KINDS:
        (folder / f"{kind.replace(' ', '-')}.html").write_text(rendered(STORIES[kind], Format.HTML), encoding="utf-8")
    return {kind: folder / f"{kind.replace(' ', '-')}.html" for kind in KINDS}


def keep(name: str, browser: Chromium) -> None:
    if folder := os.environ.get("REPORT_PICTURES"):
        Path(folder, name).write_bytes(browser.picture(whole=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_asks_for_nothing_and_the_browser_has_no_complaint(
    browser: Chromium, pages: dict[str, Path], kind: str
) -> None:
    browser.show(pages[kind], *DESKTOP)
    assert browser.requests == [pages[kind].as_uri()]
    assert browser.complaints == []
    shown = flat(str(browser.ask("document.body.innerText")))
    for said in (STORIES[kind].headline, STORIES[kind].why, *(each.command for each in STORIES[kind].advice)):
        assert flat(said) in shown


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_phone_nothing_has_to_be_pushed_aside(browser: Chromium, pages: dict[str, Path], kind: str) -> None:
    browser.show(pages[kind], *PHONE, phone=True)
    assert browser.ask("document.documentElement.scrollWidth") == PHONE[0]
    assert browser.ask("innerWidth") == PHONE[0]
    beyond = (
        "[...document.querySelectorAll('body *')].filter(n => n.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert browser.ask(beyond) == 0
    keep(f"{pages[kind].stem}-phone.png", browser)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_word_stands_out_from_its_ground(
    browser: Chromium, pages: dict[str, Path], kind: str, dark: bool
) -> None:
    browser.show(pages[kind], *DESKTOP, dark=dark)
    assert json.loads(str(browser.ask(CONTRAST))) == []
    ground = str(browser.ask("getComputedStyle(document.body).backgroundColor"))
    assert (int(ground.removeprefix("rgb(").split(",")[0]) < 128) == dark
    keep(f"{pages[kind].stem}-{'dark' if dark else 'light'}.png", browser)


def test_the_timeline_is_drawn_to_scale_with_the_downtime(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.show(pages["through"], *DESKTOP)
    width = "document.querySelector('.strip svg').getBoundingClientRect().width"
    down = "document.querySelector('.strip rect.down').getBoundingClientRect()"
    assert browser.ask(f"Math.abs({down}.width / {width} - 3.5 / 11) < 0.01") is True
    assert browser.ask(f"Math.abs(({down}.left - document.querySelector('.strip svg').getBoundingClientRect().left)"
                       f" / {width} - 3 / 11) < 0.01") is True  # fmt: skip
    assert "downtime 3.5 s" in str(browser.ask("document.querySelector('.strip').textContent"))


def test_it_prints(browser: Chromium, pages: dict[str, Path]) -> None:
    browser.show(pages["crashed"], *DESKTOP, dark=True)
    assert browser.printed().startswith(b"%PDF")


def test_light_and_dark_are_two_pictures(browser: Chromium, pages: dict[str, Path]) -> None:
    pictures = set()
    for dark in (False, True):
        browser.show(pages["through"], *PHONE, dark=dark, phone=True)
        pictures.add(browser.picture())
    assert len(pictures) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_run_nothing(browser: Chromium, tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(rendered(hostile(text), Format.HTML), encoding="utf-8")
    browser.show(page, *PHONE, phone=True)
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []
    assert browser.ask("document.querySelectorAll('script, img, testcase, iframe').length") == 0
    assert browser.ask("document.documentElement.scrollWidth") == PHONE[0]
