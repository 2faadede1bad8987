"""Rows of key points are told from polygons by what data.yaml says, or by their own numbers."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.formats.doubts.key_points import KeyPoints, key_points_in, may_be_keyed, undecided
from stages.formats.label_rows import read_rows
from stages.formats.source_sheets import SourceSheet
from stages.formats.yolo_folder import Item

CLASSES = ("detail", "title")
FILE = Path("labels/a.txt")
FACE = "0.5 0.5 0.4 0.4 0.4 0.45 0.6 0.45 0.5 0.55 0.45 0.6 0.55 0.6"  # as yolov5-face has it: eyes, nose, mouth
POSE = "0.5 0.5 0.4 0.4 0.4 0.45 2 0.6 0.45 1 0 0 0 0.45 0.6 2"


@pytest.mark.parametrize(
    ("shape", "meant"),
    [
        ({}, None),
        ({"kpt_shape": [4, 2]}, KeyPoints(4, 2)),
        ({"kpt_shape": [17, 3]}, KeyPoints(17, 3)),
        ({"kpt_shape": None}, KeyPoints(0)),
        ({"kpt_shape": [4, 5]}, None),
        ({"kpt_shape": "many"}, None),
    ],
)
def test_what_data_yaml_says(shape, meant):
    assert key_points_in(shape) == meant


@pytest.mark.parametrize(("text", "shape"), [(FACE, KeyPoints(5, 2)), (POSE, KeyPoints(4, 3))])
def test_the_box_of_key_points_is_taken(text, shape):
    rows, found = read_rows(f"1 {text}\n0 0.2 0.2 0.1 0.1\n", FILE, CLASSES, key_points=shape)
    assert [(row.class_id, row.xywh) for row in rows] == [(1, (0.5, 0.5, 0.4, 0.4)), (0, (0.2, 0.2, 0.1, 0.1))]
    assert [row.text for row in rows] == ["", "0 0.2 0.2 0.1 0.1"]
    assert [(one.code, one.found) for one in found] == [
        ("key-points", "key points behind 1 of 2, as kpt_shape in data.yaml says")
    ]


def ring(x: float, y: float, radius: float, points: int) -> list[float]:
    angles = [2 * math.pi * n / points for n in range(points)]
    return [value for a in angles for value in (x + radius * math.cos(a), y + radius * math.sin(a))]


def corners(*box: float) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2, y1, x2, y2, x1, y2]


@pytest.mark.parametrize(
    ("numbers", "keyed"),
    [
        ([float(value) for value in FACE.split()], True),
        ([float(value) for value in POSE.split()], True),
        ([0.3, 0.3, 0.2, 0.2, *corners(0.2, 0.2, 0.4, 0.4)], True),
        (corners(0.2, 0.2, 0.4, 0.4), False),
        (corners(0.45, 0.45, 0.5, 0.5), False),
        ([0.5, 0.45, 0.55, 0.5, 0.5, 0.55, 0.45, 0.5], False),  # a box turned by 45 degrees
        (ring(0.5, 0.5, 0.2, 12), False),
    ],
)
def test_what_may_be_key_points(numbers, keyed):
    assert may_be_keyed(numbers) == keyed


def sheets(rows: Sequence[Sequence[float]]) -> list[SourceSheet]:
    text = "".join(f"0 {' '.join(f'{value:.4f}' for value in row)}\n" for row in rows)
    return [SourceSheet("train", Item(Path("a.jpg"), FILE), tuple(read_rows(text, FILE, CLASSES)[0]))]


def test_polygons_are_no_key_points():
    """Of any length, of one length, turned boxes: nothing of these is refused."""
    rng = np.random.default_rng(0)
    places = [(rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.02, 0.15)) for _ in range(200)]
    assert undecided(sheets([ring(*place, int(rng.integers(3, 30))) for place in places])) == []
    assert undecided(sheets([ring(*place, 8) for place in places])) == []
    turned = [np.roll(ring(*place, 4), 2 * int(rng.integers(4))).tolist() for place in places]
    assert undecided(sheets(turned)) == []


def test_rows_of_one_length_that_are_boxes_around_their_points_are_undecided():
    row = [float(value) for value in FACE.split()]
    (found,) = undecided(sheets([row, row]))
    assert (found.severity, found.line) == ("error", 1)
    assert "found 2 rows of 15 numbers that may be a box with key points" in str(found)
    assert undecided(sheets([row, ring(0.5, 0.5, 0.1, 9)])) == []  # of two lengths
    assert undecided([]) == []
