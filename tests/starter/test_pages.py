"""The pages that the starter weights learn from: equal seeds give equal pages, and boxes hold the ink."""

import numpy as np
import pytest

from starter.pages import draw_page
from starter.pretrain import write_pages
from starter.symbols import draw_symbol
from starter.vocabulary import vocabulary

SYMBOLS = vocabulary(240, np.random.default_rng(0))


def test_equal_seeds_give_equal_pages():
    one, two = (draw_page(SYMBOLS, 160, np.random.default_rng([0, 7])) for _ in range(2))
    assert (one.pixels == two.pixels).all()
    assert (one.xyxy == two.xyxy).all()


@pytest.mark.parametrize("number", range(20))
def test_boxes_lie_on_the_page_and_apart(number):
    page = draw_page(SYMBOLS, 160, np.random.default_rng([1, number]))
    assert page.pixels.shape == (160, 160)
    assert len(page.class_id) == len(page.xyxy) > 0
    assert (page.xyxy >= 0).all()
    assert (page.xyxy <= 160).all()
    for i, a in enumerate(page.xyxy):
        for b in page.xyxy[i + 1 :]:
            assert min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1])


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: symbol.prompt)
def test_every_symbol_can_be_drawn_at_every_size_and_touches_its_four_sides(symbol):
    rng = np.random.default_rng(5)
    for size in (13, 30, 64):
        ink = draw_symbol(symbol, size, rng) < 200
        assert ink[0].any()
        assert ink[-1].any()
        assert ink[:, 0].any()
        assert ink[:, -1].any()
        assert max(ink.shape) >= size * 0.6


def test_pages_that_are_there_are_not_drawn_again(tmp_path):
    write_pages(tmp_path, SYMBOLS, 3)
    kept = tmp_path / "images/000001.png"
    (tmp_path / "images/000002.png").unlink()
    kept.write_bytes(b"kept")
    write_pages(tmp_path, SYMBOLS, 4)
    assert kept.read_bytes() == b"kept"
    assert len(list((tmp_path / "images").iterdir())) == len(list((tmp_path / "labels").iterdir())) == 4
