"""A copy fits roughly where it lies, whatever was done to it; sheets of one drawing set do not."""

import cv2
import numpy as np
import pytest

from demo.drawing.sets import draw_set
from stages.firewall.copies import THUMB, Candidate, Fingerprint, windows
from stages.firewall.fingerprinting import fingerprint
from stages.firewall.laying.alignment import Laying
from stages.firewall.laying.rough_fit import may_fit


@pytest.fixture(scope="module")
def sheets() -> list[np.ndarray]:
    drawn = draw_set(3, {"train": 10})["train"]
    return [cv2.resize(sheet.pixels, (THUMB, THUMB), interpolation=cv2.INTER_AREA) for _, sheet in drawn]


def print_of(square: np.ndarray) -> Fingerprint:
    return fingerprint(square, crops=False)


def laying(whole: np.ndarray, part: np.ndarray, *, window: int = 0, orientation: int = 0) -> Laying:
    return Laying(print_of(whole), print_of(part), Candidate(0, 0, window, orientation))


def nearest_window(*box: float) -> int:
    return int(np.abs(np.array(windows()) - box).sum(axis=1).argmin())


def cut(square: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """Return a window as a tool would export it, at the size of a whole sheet."""
    x, y, size = (round(value * THUMB) for value in (left, top, side))
    return cv2.resize(square[y : y + size, x : x + size], (THUMB, THUMB), interpolation=cv2.INTER_LINEAR)


def test_a_sheet_fits_in_itself_brighter_noisy_and_turned(sheets):
    rng = np.random.default_rng(0)
    noisy = [np.clip(one + rng.normal(0, 12, one.shape), 0, 255).astype(np.uint8) for one in sheets]
    darker = [(one * 0.6 + 20).astype(np.uint8) for one in sheets]
    assert may_fit([laying(one, other) for one, other in zip(sheets * 2, noisy + darker, strict=True)]).all()
    for orientation in range(8):
        mirrored = slice(None, None, -1) if orientation >= 4 else slice(None)
        back = [np.rot90(one, -orientation % 4)[:, mirrored] for one in sheets]
        assert may_fit([laying(*pair, orientation=orientation) for pair in zip(sheets, back, strict=True)]).all()


@pytest.mark.parametrize("off", [-0.02, 0, 0.02])
@pytest.mark.parametrize("side", [0.86, 0.84])
def test_a_crop_fits_in_a_window_near_it(side, off, sheets):
    window = nearest_window(0.1, 0.05, 0.85, 0.85)
    assert may_fit([laying(one, cut(one, 0.1 + off, 0.05, side), window=window) for one in sheets]).all()


def test_another_sheet_and_a_window_elsewhere_do_not_fit(sheets):
    others = [laying(one, other) for one, other in zip(sheets, sheets[1:] + sheets[:1], strict=True)]
    elsewhere = [laying(one, cut(one, 0, 0, 0.8), window=nearest_window(0.2, 0.2, 0.8, 0.8)) for one in sheets]
    assert not may_fit(others + elsewhere).any()


def test_paper_hides_nothing(sheets):
    """A sheet without ink fits everywhere, so that the pixels decide; a sheet does not fit on paper."""
    blank = np.full((THUMB, THUMB), 240, np.uint8)
    assert may_fit([laying(sheets[0], blank), laying(blank, blank), laying(blank, sheets[0])]).tolist() == [
        True,
        True,
        False,
    ]


def test_the_answer_does_not_depend_on_who_else_is_asked(sheets, monkeypatch):
    prints = [print_of(one) for one in sheets]
    every = [Laying(one, other, Candidate(0, 0, 0, turn)) for one in prints for other in prints for turn in (0, 5)]
    together = may_fit(every)
    assert together.tolist() == [bool(may_fit([one])[0]) for one in every]
    monkeypatch.setattr("stages.firewall.laying.rough_fit._AT_ONCE", 7)
    assert may_fit(every).tolist() == together.tolist()
    assert may_fit([]).tolist() == []
