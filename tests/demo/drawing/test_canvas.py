"""The canvas: where ink lands, to the pixel, and letters that fill the box they are said to."""

import numpy as np
import pytest

from demo.drawing.canvas import Canvas
from demo.drawing.fonts import DRAFTING, OTHERS, font


def ink_box(canvas):
    rows, columns = np.nonzero(canvas.pixels() != canvas.paper)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_pixel_is_the_mean_of_what_was_drawn_on_it():
    canvas = Canvas(4, 4, paper=255)
    canvas.polygon([(1, 1), (3, 1), (3, 2.9), (1, 2.9)], ink=55)
    found = canvas.pixels()
    assert found[1, 1] == 55
    assert found[0, 0] == 255


def test_a_circle_reaches_its_radius_and_half_its_line():
    canvas = Canvas(60, 60)
    canvas.circle((30, 30), 20, width=2)
    assert np.abs(np.array(ink_box(canvas)) - (9, 9, 51, 51)).max() <= 1
    assert canvas.pixels()[30, 30] == 255


def test_a_hatch_stays_in_its_polygon():
    canvas = Canvas(40, 40)
    canvas.hatch([(10, 10), (30, 10), (30, 30), (10, 30)], spacing=4)
    x1, y1, x2, y2 = ink_box(canvas)
    assert min(x1, y1) >= 9
    assert max(x2, y2) <= 31


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("name", ["", DRAFTING[0]])
def test_letters_fill_the_box_that_they_are_said_to(name, turn):
    canvas = Canvas(120, 120)
    if name:
        box = canvas.text((60, 60), "A-501", size=9, font=font(name), turn=turn)
    else:
        box = canvas.plotted((60, 60), "A-501", size=9, pen=1, turn=turn)
    assert np.abs(np.array(ink_box(canvas)) - box).max() <= 1
    wide, high = box[2] - box[0], box[3] - box[1]
    assert (wide > high) == (turn in (0, 180))
    assert 8 <= min(wide, high) <= 11.5


def test_capitals_have_the_size_asked_for_in_every_font():
    for name in (*DRAFTING, *OTHERS):
        box = Canvas(100, 100).text((50, 50), "H", size=20, font=font(name))
        assert 17 <= box[3] - box[1] <= 22, name


def test_text_off_the_paper_is_cut():
    canvas = Canvas(20, 20)
    canvas.text((-50, -50), "GONE", size=6, font=font(DRAFTING[0]))
    assert (canvas.pixels() == 255).all()
    canvas.text((0, 10), "HALF", size=6, font=font(DRAFTING[0]))
    assert (canvas.pixels() != 255).any()
