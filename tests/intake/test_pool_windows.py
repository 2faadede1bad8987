"""Large sheets of the pool become windows, each a sheet of its own."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.base.decoding import read_bgr
from stages.base.errors import UserError
from stages.dataset.new_dataset import NewSheet
from stages.dataset.sheets.split_folder import Labels, label_text
from stages.detector.prediction.tiles.windows import EDGE, Tiling
from stages.formats.source_sheets import SheetLabels
from stages.intake.pool_windows import _rows, cut_pool, review_windows

TILING = Tiling(100, 40)
PLACES = (0, 52, 105, 157)  # of windows of 93 px on a sheet of 250


def labels_of(*xyxy: tuple[float, float, float, float], width: int = 250, height: int = 90) -> SheetLabels:
    boxes = np.array(xyxy, dtype=float).reshape(-1, 4)
    size = np.array([width, height] * 2)
    xywhn = np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]]) / size
    ids = np.arange(len(boxes), dtype=np.int32)
    return SheetLabels(label_text(ids, xywhn), Labels(ids, xywhn), 0)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A sheet of 250 x 90 px, of which every pixel differs from its neighbours."""
    pixels = np.random.default_rng(0).integers(0, 255, (90, 250, 3), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "plan.png"), pixels)
    return tmp_path / "plan.png"


def test_each_window_is_a_sheet_of_the_group_of_its_sheet(sheet: Path, tmp_path: Path) -> None:
    labels = {"plan.png": labels_of((10, 10, 30, 30), (80, 10, 100, 30), (90, 5, 110, 25))}
    found = cut_pool([NewSheet(sheet, labels["plan.png"].text, True)], labels, TILING, tmp_path / "windows")
    assert (found.cut, found.windows) == (1, 4)
    assert [one.image.name for one in found.sheets] == [f"plan__{x}_0_{x + 93}_90.png" for x in PLACES]
    assert {(one.group, one.held_back) for one in found.sheets} == {("plan", True)}
    pixels = read_bgr(sheet)
    for one, x in zip(found.sheets, PLACES, strict=True):
        assert np.array_equal(read_bgr(one.image), pixels[:, x : x + 93])
    assert [[row.split()[0] for row in (one.rows or "").splitlines()] for one in found.sheets] == [
        ["0", "1"],  # two thirds of the second, and too little of the third
        ["1", "2"],
        [],  # a quarter of the third is none
        [],
    ]
    first, *_ = (found.sheets[0].rows or "").splitlines()
    assert np.allclose([float(value) for value in first.split()], [0, 20 / 93, 20 / 90, 20 / 93, 20 / 90], atol=1e-6)


def test_what_fits_into_a_window_stays_as_it_is_and_groups_are_kept(sheet: Path, tmp_path: Path) -> None:
    small = NewSheet(sheet, None, group="house")
    wide = Tiling(250, 40)
    assert cut_pool([small], {"plan.png": labels_of()}, wide, tmp_path / "windows") == ([small], 0, 0)
    found = cut_pool([small], {"plan.png": labels_of()}, TILING, tmp_path / "windows")
    assert {(one.group, one.rows) for one in found.sheets} == {("house", None)}


def test_a_sheet_with_the_name_of_a_window_is_refused(sheet: Path, tmp_path: Path) -> None:
    other = tmp_path / "plan__0_0_93_90.jpg"
    assert cv2.imwrite(str(other), np.zeros((9, 9, 3), np.uint8))
    labels = {"plan.png": labels_of(), other.name: labels_of()}
    with pytest.raises(UserError, match="plan__0_0_93_90: expected names that no window gets"):
        cut_pool([NewSheet(sheet, ""), NewSheet(other, "")], labels, TILING, tmp_path / "windows")


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(2, TILING.overlap - 2 * EDGE), st.floats(2, TILING.overlap - 2 * EDGE)
)
def test_an_object_that_is_no_longer_than_the_overlap_is_whole_in_a_window(
    across: float, down: float, wide: float, high: float
) -> None:
    width, height = 430, 270
    x, y = across * (width - wide), down * (height - high)
    labels, boxes = (
        labels_of((x, y, x + wide, y + high), width=width, height=height),
        np.array([[x, y, x + wide, y + high]]),
    )
    sizes = []
    for window in review_windows(width, height, TILING):
        size = np.array([window[2] - window[0], window[3] - window[1]] * 2)
        for row in _rows(labels, boxes, window).splitlines():
            values = np.array(row.split()[1:], dtype=float) * size
            sizes.append((values[2], values[3]))
            assert (values[:2] - values[2:] / 2 >= -0.01).all()
            assert (values[:2] + values[2:] / 2 <= size[:2] + 0.01).all()
            assert values[2] * values[3] >= 0.5 * wide * high - 0.1
    assert any(abs(w - wide) < 0.01 and abs(h - high) < 0.01 for w, h in sizes)


@given(st.integers(20, 4000), st.integers(20, 4000))
def test_windows_share_no_more_than_the_overlap_and_are_about_as_large_as_asked(width: int, height: int) -> None:
    tiling = Tiling(400, 60)
    found = review_windows(width, height, tiling)
    across = sorted({(x1, x2) for x1, _, x2, _ in found})
    assert (across[0][0], across[-1][1]) == (0, width)
    for (_, end), (start, _) in pairwise(across):
        assert tiling.overlap - 1 <= end - start <= tiling.overlap + len(across)
    size = across[0][1] - across[0][0]
    assert {x2 - x1 for x1, x2 in across} == {size}
    assert size <= 1.5 * tiling.side
    assert size >= min(width, 0.6 * tiling.side)
