"""The page of suspects from the tables of a real `analyze`, opened in a browser where there is one."""

from pathlib import Path

import pytest

from stages import analyze
from stages.analysis.analysis_tables import SUSPECTS
from stages.base.errors import UserError
from stages.base.tables import read_table
from stages.report.suspects_report import make_page
from tests.browser import CHROMIUM, look
from tests.test_analyze import make_project

SEEN = {
    "t 1.png": [(1, 0.9, [200, 100, 260, 140]), (0, 0.9, [0, 0, 20, 20])],
    # A door on the first window, a window beside the second, and a door where nothing is labelled.
    "a.png": [(1, 0.95, [200, 110, 240, 130]), (1, 0.9, [300, 150, 312, 160]), (0, 0.97, [20, 20, 50, 60])],
    "p.png": [(0, 0.9, [180, 90, 240, 130])],
    "q.png": [],
}


@pytest.fixture
def page(tmp_path, monkeypatch):
    make_project(tmp_path, SEEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(analyze, "is_trusted", lambda matches: True)  # three sheets make no F1
    analyze.run()
    return make_page(Path())


def test_the_page_shows_every_suspect_with_its_two_pictures(page):
    suspects = read_table(analyze.SUSPECTS_FILE, SUSPECTS)
    blamed = suspects[suspects["judgement"] != "model"]
    text = page.read_text(encoding="utf-8")
    assert page == Path("reports/suspects_00.html")
    assert len(blamed)
    assert text.count("<figure") == len(blamed)
    assert text.count('src="data:image/jpeg') == 2 * len(blamed)
    assert make_page(Path()).read_text(encoding="utf-8") == text


def test_a_sheet_that_is_gone_leaves_a_blank(page):
    for file in Path("data/dataset/val/images").iterdir():
        file.unlink()
    assert make_page(Path()).read_text(encoding="utf-8").count("no sheet</div>") >= 2


def test_before_analyze_has_run(page):
    analyze.SUSPECTS_FILE.unlink()
    with pytest.raises(UserError, match=r"suspects.parquet: expected a table, found no file"):
        make_page(Path())


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_one_kind_at_a_time_and_asks_for_nothing(page):
    shown = "[...document.querySelectorAll('figure')].filter(one => one.offsetParent).length"
    asking = {
        "broken": "[...document.images].filter(image => !image.naturalWidth).length",
        "all": shown,
        "one": "document.querySelectorAll('.choice > input')[1].click() || " + shown,
        "of": "Number(document.querySelectorAll('.choice > label > span')[1].textContent)",
    }
    seen = look(page.resolve(), asking=asking)
    assert (seen.requests, seen.errors, seen.answers["broken"]) == ([], [], 0)
    assert 0 < seen.answers["one"] == seen.answers["of"] < seen.answers["all"]
