"""The name of a window says which part of which sheet it is."""

from pathlib import Path

import pytest

from stages.dataset.window_names import NamedWindow, name_of_window, window_named
from stages.review.page.desk import Desk
from tests.review.page_project import HEIGHT, WIDTH, build


@pytest.mark.parametrize("sheet", ["plan", "plan__1_2_3_4", "a b_0_0", "_"])
def test_there_and_back(sheet: str) -> None:
    window = NamedWindow(sheet, 0, 1980, 2560, 3990)
    assert name_of_window(window) == f"{sheet}__0_1980_2560_3990"
    assert window_named(name_of_window(window)) == window


@pytest.mark.parametrize("stem", ["plan", "plan_0_0_640_480", "plan__0_0_640", "__0_0_640_480"])
def test_another_name_is_that_of_a_whole_sheet(stem: str) -> None:
    assert window_named(stem) is None


def test_the_page_says_of_a_window_where_it_lies(tmp_path: Path) -> None:
    packet = build(tmp_path)
    names = [f"plan__100_50_{100 + WIDTH}_{50 + HEIGHT}.png", "plan__0_0_64_64.png", "c.png"]
    named = [sheet._replace(image_id=name) for sheet, name in zip(packet.sheets, names, strict=True)]
    listed = Desk(tmp_path, packet._replace(sheets=named)).overview()["sheets"]
    place = {"sheet": "plan", "x1": 100, "y1": 50, "x2": 100 + WIDTH, "y2": 50 + HEIGHT}
    assert [one["window"] for one in listed] == [place, None, None]  # the second one only looks like one
