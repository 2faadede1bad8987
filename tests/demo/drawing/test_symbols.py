"""Boxes are those of the ink: each symbol alone on a page, in every style."""

import numpy as np
import pytest

from demo.drawing import details, elevations, titles
from demo.drawing.page import Page
from demo.drawing.style import STYLES

LEAST = {"detail": (20, 20), "elevation": (20, 20), "title": (14, 20)}  # px: shorter side, longer side


def alone(style, seed=0):
    return Page(160, 320, style, np.random.default_rng(seed))


def draw(page, class_name, variant, direction="up"):
    if class_name == "detail":
        details.draw_detail(page, (100.3, 80.2), variant)
    elif class_name == "elevation":
        elevations.draw_elevation(page, (100.3, 80.2), variant, direction)
    else:
        title, _, _ = titles.plan_title(page, variant, "FLOOR PLAN", 'SCALE: 1/4" = 1\'-0"')
        titles.draw_title(page, (30.4, 80.3), variant, title)


VARIANTS = [
    *(("detail", name) for name in details.VARIANTS),
    *(("elevation", name) for name in elevations.VARIANTS),
    *(("title", name) for name in titles.VARIANTS),
]


@pytest.mark.parametrize("style", STYLES, ids=[style.name for style in STYLES])
@pytest.mark.parametrize(("class_name", "variant"), VARIANTS)
def test_a_box_is_that_of_the_ink(style, class_name, variant):
    page = alone(style)
    draw(page, class_name, variant)
    assert len(page.marks) == 1
    assert page.marks[0].class_name == class_name
    rows, columns = np.nonzero(page.pixels() != style.paper)
    ink = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(np.array(page.marks[0].box) - ink).max() <= 1.25
    shorter, longer = sorted((ink[2] - ink[0], ink[3] - ink[1]))
    assert shorter >= LEAST[class_name][0]
    assert longer >= LEAST[class_name][1]


@pytest.mark.parametrize("variant", [name for name in elevations.VARIANTS if name != "diamond"])
def test_a_marker_has_most_ink_where_it_points(variant):
    """A triangle that pointed the wrong way would teach nonsense; the diamond is the same from all sides."""
    style = STYLES[0]
    for direction, side in (("up", 0), ("down", 1)):
        page = alone(style, seed=3)
        draw(page, "elevation", variant, direction)
        dark = page.pixels() < 100
        assert dark.any()
        middle = 80
        halves = int(dark[:middle, 70:130].sum()), int(dark[middle:, 70:130].sum())
        if variant != "four":  # which may point to all sides
            assert halves[side] > 1.1 * halves[1 - side]


def test_styles_name_variants_that_exist_and_all_of_them_are_used():
    for field, known in (
        ("details", details.VARIANTS),
        ("elevations", elevations.VARIANTS),
        ("titles", titles.VARIANTS),
    ):
        assert set().union(*(getattr(style, field) for style in STYLES)) == set(known)
    assert len({style.name for style in STYLES}) == len(STYLES)
