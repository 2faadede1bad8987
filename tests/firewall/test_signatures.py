"""Copies of a sheet are found by its pixels; sheets of one drawing set are told apart."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.drawing.sets import draw_set
from stages.base.errors import UserError
from stages.firewall.copies import NEAR, SAME, Fingerprint, groups
from stages.firewall.fingerprinting import fingerprint, fingerprint_file
from stages.firewall.signatures import copies, links, near_copies
from tests.firewall.brute_force import every_pair

Picture = np.ndarray


@pytest.fixture(scope="module")
def sheets() -> dict[str, Picture]:
    """Twelve windows of drawing sets, two of each of six styles."""
    drawn = draw_set(3, {"train": 10, "val": 2})
    return {stem: sheet.pixels for found in drawn.values() for stem, sheet in found}


@pytest.fixture(scope="module")
def prints(sheets: dict[str, Picture]) -> dict[str, Fingerprint]:
    return {name: fingerprint(pixels) for name, pixels in sheets.items()}


def reencoded(pixels: Picture) -> Picture:
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)


def scaled(factor: float) -> Callable[[Picture], Picture]:
    return lambda pixels: np.clip(pixels * factor, 0, 255).astype(np.uint8)


def cropped(share: float) -> Callable[[Picture], Picture]:
    """Cut `share` of each side, a third of it at the start."""

    def crop(pixels: Picture) -> Picture:
        height, width = pixels.shape[:2]
        top, left = round(height * share / 3), round(width * share / 3)
        return pixels[top : top + round(height * (1 - share)), left : left + round(width * (1 - share))]

    return crop


KINDS: dict[str, Callable[[Picture], Picture]] = {
    "exact": lambda pixels: pixels,
    "re-encoded": reencoded,
    "half the size": lambda pixels: cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "stretched to a square": lambda pixels: cv2.resize(pixels, (640, 640)),
    "brighter": scaled(1.15),
    "darker": scaled(0.85),
    "more contrast": lambda pixels: np.clip((pixels - 127.5) * 1.15 + 127.5, 0, 255).astype(np.uint8),
    "turned": np.rot90,
    "upside down": lambda pixels: np.rot90(pixels, 2),
    "mirrored": lambda pixels: pixels[:, ::-1],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_copy_is_found_and_no_other_sheet(kind, sheets, prints):
    changed = {f"copy of {name}": fingerprint(KINDS[kind](pixels)) for name, pixels in sheets.items()}
    assert copies(prints, changed) == [(name, f"copy of {name}") for name in sorted(sheets)]
    assert sorted(near_copies(changed, prints)) == sorted(changed)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_crops_are_found_as_far_as_it_goes_and_no_other_sheet(share, sheets, prints):
    changed = {f"copy of {name}": fingerprint(cropped(share)(pixels)) for name, pixels in sheets.items()}
    found = copies(prints, changed)
    assert len(found) >= 10
    assert all(other == f"copy of {name}" for name, other in found)
    assert copies(changed, prints) == sorted((other, name) for name, other in found)


def test_distinct_sheets_are_no_copies(prints):
    assert copies(prints, prints) == []
    assert near_copies(prints, prints) == {}


def test_a_frame_with_other_contents_is_told_apart(sheets):
    """The frame and the title block of one sheet around what is drawn on another."""
    one, other = list(sheets.values())[:2]
    other = cv2.resize(other, one.shape[1::-1])
    height, width = one.shape
    inner = np.s_[height // 6 : -height // 6, width // 6 : -width // 6]
    mixed = one.copy()
    mixed[inner] = other[inner]
    assert copies({"one": fingerprint(one)}, {"mixed": fingerprint(mixed)}) == []


def test_a_sheet_that_was_drawn_on_is_a_near_copy(sheets):
    one = next(iter(sheets.values()))
    height, width = one.shape
    drawn_on = one.copy()
    drawn_on[height // 2 : -height // 8, width // 8 : width // 2] = 255
    pair = {"one": fingerprint(one)}, {"drawn on": fingerprint(drawn_on)}
    assert copies(*pair) == []
    assert near_copies(*pair) == {"one": ["drawn on"]}


def test_a_file_has_the_fingerprint_of_its_pixels(tmp_path: Path, sheets):
    name, pixels = next(iter(sheets.items()))
    file = tmp_path / f"{name}.png"
    assert cv2.imwrite(str(file), pixels)
    of_pixels = fingerprint(pixels, crops=False)
    assert of_pixels.windows.shape == (1, 4)
    for _ in range(2):  # of the pixels, and as it was kept
        mine, theirs = fingerprint_file(file), fingerprint(pixels)
        for name in ("turned", "windows", "unsure", "thumb"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name))
        assert mine.identity == theirs.identity != of_pixels.identity
    assert copies({"file": fingerprint_file(file)}, {"pixels": of_pixels}) == [("file", "pixels")]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="bytes that do not decode"):
        fingerprint_file(file)


@pytest.fixture(scope="module")
def family(sheets: dict[str, Picture], prints: dict[str, Fingerprint]) -> dict[str, Fingerprint]:
    """Sheets with copies of some: equal to the last pixel, re-encoded, turned and cropped."""
    made = {"exact": lambda pixels: pixels, "turned": np.rot90, "coded": reencoded, "cropped": cropped(0.1)}
    few = list(sheets)[:3]
    return {**prints, **{f"{name} {kind}": fingerprint(made[kind](sheets[name])) for name in few for kind in made}}


@pytest.mark.parametrize("bar", [SAME, NEAR])
def test_the_copies_are_those_of_comparing_all_with_all(bar, family, prints):
    """The reference lays every pair on each other whose hashes are near, both ways."""
    near = sorted((name, other) for name, others in near_copies(family, prints).items() for other in others)
    assert (copies(family, prints) if bar == SAME else near) == every_pair(family, prints, bar)


def test_copies_do_not_depend_on_the_order_of_the_sheets(family):
    found = copies(family, family)
    assert found == every_pair(family, family, SAME)
    shuffled = {name: family[name] for name in np.random.default_rng(2).permutation(list(family)).tolist()}
    assert copies(shuffled, shuffled) == copies(shuffled, family) == found
    assert groups(links(shuffled)) == groups(links(family)) == groups(found)


def test_many_equal_sheets_are_joined_by_few_pairs(prints):
    one, other = list(prints)[:2]
    many = {f"{name} {k:02}": prints[name] for name in (one, other) for k in range(20)}
    assert len(links(many)) == 38
    assert groups(links(many)) == [
        tuple(sorted(n for n in many if n.startswith(name))) for name in sorted((one, other))
    ]
    assert len(copies(many, many)) == 2 * 20 * 19
