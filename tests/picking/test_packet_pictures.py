"""Zoom pictures show what is around an object, and where on its sheet that is."""

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from stages.picking.packet_pictures import LEAST_CONTEXT, MAP_SIDE, SIDE, write_contact_sheet, zoom, zoom_on_map


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((190, 90, 210, 110), (SIDE, SIDE)),  # a small object: LEAST_CONTEXT px around it
        ((0, 0, 10, 10), (SIDE, SIDE)),  # in a corner: the window moves in, the picture keeps its size
        ((0, 0, 600, 400), (341, SIDE)),  # a whole sheet: all of it, in its own shape
    ],
)
def test_zoom_keeps_the_surroundings(box, shape):
    picture = zoom(np.full((400, 600, 3), 255, np.uint8), np.array(box, float))
    assert picture.shape == (*shape, 3)


def test_zoom_draws_the_box_around_the_object_and_not_over_it():
    image = np.full((400, 600, 3), 255, np.uint8)
    image[190:210, 290:310] = 0  # the object, in the middle of the sheet
    picture = zoom(image, np.array([290.0, 190, 310, 210]))
    red = (picture[:, :, 2] > 200) & (picture[:, :, 0] < 60)
    dark = picture.max(axis=2) < 60
    side = 20 / LEAST_CONTEXT * SIDE  # 43 px
    assert dark.sum() == pytest.approx(side**2, rel=0.15)
    assert np.ptp(np.flatnonzero(red.any(axis=0))) == pytest.approx(side + 7, abs=3)


@pytest.mark.parametrize(
    ("box", "seen"),
    [
        ((1000, 700, 1018, 718), (889, 589)),  # in the middle: LEAST_CONTEXT px around a tiny symbol
        ((0, 0, 18, 18), (0, 0)),  # in a corner: as much, moved inwards
        ((2030, 1430, 2048, 1448), (1808, 1208)),
    ],
)
def test_a_tiny_symbol_of_a_large_sheet_stands_on_a_map_of_it(box, seen):
    sheet = np.full((1448, 2048, 3), 255, np.uint8)
    picture = zoom_on_map(sheet, np.array(box, float))
    scale = MAP_SIDE / 2048
    assert picture.shape[:2] == (SIDE, picture.shape[1])
    sheet_map = picture[: round(1448 * scale), -MAP_SIDE:]
    red = (sheet_map[:, :, 2] > 200) & (sheet_map[:, :, 0] < 60)
    left, right = np.flatnonzero(red.any(axis=0))[[0, -1]]
    top, bottom = np.flatnonzero(red.any(axis=1))[[0, -1]]
    ends = np.array([*seen, seen[0] + LEAST_CONTEXT, seen[1] + LEAST_CONTEXT]) * scale
    assert [left, top, right, bottom] == pytest.approx(ends, abs=2)
    assert (picture[:, :SIDE] == zoom(sheet, np.array(box, float))).all()


@pytest.mark.parametrize("box", [(10, 10, 28, 28), (0, 0, 256, 320)])
def test_a_small_sheet_needs_no_map(box):
    sheet = np.full((320, 256, 3), 255, np.uint8)
    assert (zoom_on_map(sheet, np.array(box, float)) == zoom(sheet, np.array(box, float))).all()


@pytest.mark.parametrize("count", [0, 1, 7, 41])
def test_contact_sheet_holds_any_number_and_repeats_itself(tmp_path, count):
    pictures = [np.full((20, 30, 3), 200, np.uint8)] * count
    for name in ("one.png", "two.png"):
        with mpl.rc_context({"font.size": 30, "axes.linewidth": 4} if name == "two.png" else {}):  # a person's own
            write_contact_sheet(
                pictures, titles=["$a_b"] * count, captions=["x" * 90] * count, heading="h", file=tmp_path / name
            )
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert cv2.imread(str(tmp_path / "one.png")).shape[1] == 1200
