"""Where a sheet lies in a picture of it: numbers worked out by hand, and pictures made by OpenCV in place of a tool."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from stages.review.identity.resizing import (
    AS_IT_IS,
    Placement,
    by_pixels,
    by_shape,
    in_frame,
    is_blank,
    look_at,
    placements,
    share_shown,
    to_sheet,
)

WIDTH, HEIGHT = 640, 452
BOXES = np.array([[10.0, 20.0, 110.0, 70.0], [500.0, 300.0, 640.0, 452.0]])


def sheet(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Draw a sheet with frame and title block, as every sheet of a set has them, and contents of its own: grey."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width), 255, np.uint8)
    cv2.rectangle(image, (12, 12), (width - 12, height - 12), 0, 2)
    cv2.rectangle(image, (width - 160, height - 80), (width - 12, height - 12), 0, 2)
    for _ in range(40):
        x, y = int(rng.integers(20, width - 100)), int(rng.integers(20, height - 100))
        cv2.rectangle(image, (x, y), (x + int(rng.integers(10, 90)), y + int(rng.integers(10, 90))), 60, 1)
        cv2.putText(image, str(rng.integers(99)), (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1)
    return image


def stretched(image: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def fitted(image: np.ndarray, width: int, height: int, *, bars: int | None = 114, corner: bool = False) -> np.ndarray:
    """Fit into a size with bars of one grey, or of the reflected picture (None)."""
    scale = min(width / image.shape[1], height / image.shape[0])
    small = stretched(image, round(image.shape[1] * scale), round(image.shape[0] * scale))
    rest = (height - small.shape[0], width - small.shape[1])
    top, left = (0, 0) if corner else (rest[0] // 2, rest[1] // 2)
    kind = cv2.BORDER_REFLECT if bars is None else cv2.BORDER_CONSTANT
    return cv2.copyMakeBorder(small, top, rest[0] - top, left, rest[1] - left, kind, value=bars or 0)


def filled(image: np.ndarray, width: int, height: int) -> np.ndarray:
    scale = max(width / image.shape[1], height / image.shape[0])
    large = stretched(image, round(image.shape[1] * scale), round(image.shape[0] * scale))
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return large[top : top + height, left : left + width]


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def test_ways_by_hand() -> None:
    """A sheet of 200 x 100 in a square of 100."""
    assert placements((200, 100), (100, 100)) == [
        Placement("stretched", (0.5, 1.0), (0.0, 0.0)),
        Placement("fitted", (0.5, 0.5), (0.0, 25.0)),
        Placement("filled", (1.0, 1.0), (-50.0, 0.0)),
        Placement("fitted at the top left", (0.5, 0.5), (0.0, 0.0)),
    ]
    box = [[20.0, 30.0, 40.0, 50.0]]
    found = [to_sheet(box, way).tolist()[0] for way in placements((200, 100), (100, 100))]
    assert found == [[40, 30, 80, 50], [40, 10, 80, 50], [70, 30, 90, 50], [40, 60, 80, 100]]


@pytest.mark.parametrize("frame", [(640, 452), (320, 226), (1280, 904), (213, 150), (213, 151), (64, 45)])
def test_one_shape_within_rounding_is_one_way(frame: tuple[int, int]) -> None:
    way = by_shape((WIDTH, HEIGHT), frame)
    assert way is not None
    np.testing.assert_allclose(to_sheet([[0, 0, *frame]], way), [[0, 0, WIDTH, HEIGHT]])


@pytest.mark.parametrize("frame", [(640, 640), (452, 640), (640, 448), (320, 228)])
def test_another_shape_says_nothing_alone(frame: tuple[int, int]) -> None:
    assert by_shape((WIDTH, HEIGHT), frame) is None


def test_boxes_come_back_from_any_frame() -> None:
    """Fractions, or px of another size that is shown, of a picture in which the sheet was fitted."""
    way = placements((WIDTH, HEIGHT), (320, 320))[1]
    assert way.way == "fitted"
    there = BOXES * 0.5 + np.array([0, 47, 0, 47])
    np.testing.assert_allclose(to_sheet(there, way), BOXES)
    np.testing.assert_allclose(to_sheet(there / 320, in_frame(way, (320, 320), (1.0, 1.0))), BOXES)
    np.testing.assert_allclose(to_sheet(there * 3, in_frame(way, (320, 320), (960, 960))), BOXES)


def test_the_share_that_is_shown() -> None:
    ways = {way.way: share_shown(way, (200, 100), (100, 100)) for way in placements((200, 100), (100, 100))}
    assert ways == {"stretched": 1.0, "fitted": 1.0, "filled": 0.5, "fitted at the top left": 1.0}


WAYS: list[tuple[str, Callable[[np.ndarray, int, int], np.ndarray]]] = [
    ("stretched", stretched),
    ("fitted", fitted),
    ("fitted", lambda image, width, height: fitted(image, width, height, bars=255)),
    ("fitted", lambda image, width, height: fitted(image, width, height, bars=0)),
    ("fitted", lambda image, width, height: fitted(image, width, height, bars=None)),
    ("fitted at the top left", lambda image, width, height: fitted(image, width, height, corner=True)),
    ("filled", filled),
]
CHANGES: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda image: image,
    lambda image: jpeg(image, 30),
    lambda image: jpeg(np.clip(image * 0.6 + 90, 0, 255).astype(np.uint8), 60),
    lambda image: cv2.createCLAHE(2.0, (8, 8)).apply(image),
]


@pytest.mark.parametrize("size", [(320, 320), (416, 416), (640, 640), (640, 480), (512, 448)])
@pytest.mark.parametrize("change", CHANGES)
def test_pixels_decide(size: tuple[int, int], change: Callable[[np.ndarray], np.ndarray]) -> None:
    image = sheet(1)
    look = look_at(image)
    for name, make in WAYS:
        assert [way.way for way in by_pixels(look, change(make(image, *size)))] == [name], name


@pytest.mark.parametrize("height", [440, 446, 450, 454])
def test_a_few_pixels_of_another_shape_are_told_apart(height: int) -> None:
    """640 x 452 would be the shape of the sheet: all its tiles agree in more than one of the ways."""
    image = sheet(1, 1280, 904)
    for name, make in WAYS[:2]:
        assert [way.way for way in by_pixels(look_at(image), jpeg(make(image, 640, height), 80))] == [name]


def test_boxes_that_the_pixels_place_are_right_within_a_pixel_of_the_picture() -> None:
    """OpenCV draws the box into the picture; where it is found there, and brought back, is where it was."""
    image = sheet(2)
    for make in (stretched, fitted):
        mark = np.zeros_like(image)
        x1, y1, x2, y2 = BOXES[0].astype(int)
        mark[y1:y2, x1:x2] = 255
        (way,) = by_pixels(look_at(image), make(image, 400, 400))
        found = fitted(mark, 400, 400, bars=0) if make is fitted else stretched(mark, 400, 400)
        ys, xs = np.nonzero(found > 127)
        box = [[xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]]
        assert np.abs(to_sheet(box, way) - BOXES[0]).max() <= 1 / min(way.scale)


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3, 1.6])
def test_the_same_shape_is_found_at_any_size(scale: float) -> None:
    image = sheet(3)
    picture = jpeg(stretched(image, round(WIDTH * scale), round(HEIGHT * scale)), 50)
    assert len(by_pixels(look_at(image), picture)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda image: sheet(8),  # of the same set: frame and title block agree
        lambda image: image[:, ::-1],
        lambda image: image[::-1, ::-1],
        lambda image: np.ascontiguousarray(np.rot90(image)),
        lambda image: stretched(image[20:-20, 30:-30], WIDTH, HEIGHT),
        lambda image: stretched(image[:, :500], WIDTH, HEIGHT),
        lambda image: np.full_like(image, 255),
        lambda image: np.roll(image, 25, axis=1),
    ],
)
def test_what_is_not_the_sheet_as_it_lies_is_not_found(change: Callable[[np.ndarray], np.ndarray]) -> None:
    assert by_pixels(look_at(sheet(4)), change(sheet(4))) == []


def test_a_blank_sheet_says_nothing() -> None:
    blank = np.full((HEIGHT, WIDTH), 250, np.uint8)
    assert is_blank(look_at(blank).square)
    assert not is_blank(look_at(sheet(5)).square)
    assert [way.way for way in by_pixels(look_at(blank), np.full((226, 320), 240, np.uint8))] == ["stretched"]
    assert len(by_pixels(look_at(blank), np.full((320, 320), 240, np.uint8))) == 4
    assert by_pixels(look_at(blank), sheet(5)) == []


def test_a_mark_in_the_middle_may_lie_in_many_ways() -> None:
    """A round spot in the middle looks nearly alike whichever way it was resized: nobody can tell."""
    image = np.full((400, 420), 255, np.uint8)
    cv2.circle(image, (210, 200), 6, 0, -1)
    assert len(by_pixels(look_at(image), stretched(image, 400, 390))) > 1


def test_a_tiny_picture_and_a_long_one() -> None:
    tiny = stretched(sheet(6), 40, 28)
    assert [way.way for way in by_pixels(look_at(tiny), tiny)] == ["stretched"]
    long = sheet(7, 3000, 200)
    assert [way.way for way in by_pixels(look_at(long), stretched(long, 1500, 100))] == ["stretched"]


def test_as_it_is_moves_nothing() -> None:
    assert to_sheet(BOXES, AS_IT_IS).tolist() == BOXES.tolist()
    assert to_sheet([], AS_IT_IS).shape == (0, 4)
