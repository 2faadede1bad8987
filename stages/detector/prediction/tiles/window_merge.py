"""Puts together what was seen in the windows of one sheet: each object once.

Of two boxes of a class from different windows that lie on each other the surer one stays, as it is: a union of both
would be an object that nobody saw. A box that ends at an inner border is most likely a part of something, so it goes
where a whole one covers it. The view of the whole sheet speaks for objects that fit into no overlap, without ending at
its borders: smaller ones lie whole in some window, at more pixels.
"""

from typing import NamedTuple

import numpy as np

from stages.base.boxes import Boxes
from stages.detector.prediction.tiles.windows import EDGE, Window
from stages.ruler.pairing.pairs import Bools, Floats, Ints, overlapping_pairs

# IoU from which two windows see one object. Lower than that of the network's own duplicates (0.7): seen twice, a box of
# 10 px that lies one pixel off each way has 0.68.
SAME = 0.5
COVERED = 0.5  # share of a cut box's area that a whole one must cover to stand for it
_ANY = 1e-9


class WindowBoxes(NamedTuple):
    """Boxes of one sheet from all of its views."""

    xyxy: Boxes  # (n, 4) px of the sheet
    confidence: Floats  # (n,)
    class_id: Ints  # (n,)
    view: Ints  # (n,) place in the list of views


def merged(found: WindowBoxes, *, views: list[Window], overlap: int, width: int, height: int) -> Bools:
    """Return which boxes stay, (n,); `views` are those of a sheet of `width` x `height` px, the last one the whole."""
    inner = found.view < len(views) - 1
    cut = inner & _at_inner_border(found.xyxy, np.array(views)[found.view], width=width, height=height)
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    speaks = inner | (sides.max(axis=1, initial=0) > overlap - 2 * EDGE)
    first, second, iou, share = _pairs(found)
    covered = np.zeros(len(cut), dtype=bool)
    covered[first[cut[first] & ~cut[second] & speaks[second] & (share >= COVERED)]] = True
    stay = speaks & ~covered
    same = (iou >= SAME) & stay[first] & stay[second]
    kept: Bools = stay & _surest(found, first[same], second[same])
    return kept


def _at_inner_border(xyxy: Boxes, windows: Boxes, *, width: int, height: int) -> Bools:
    """Return which boxes end within EDGE px of a border of their window, (n, 4), that is no border of the sheet."""
    inner = windows != np.array([0, 0, width, height])
    near = np.abs(xyxy - windows) <= EDGE
    beyond = np.hstack([xyxy[:, :2] < windows[:, :2], xyxy[:, 2:] > windows[:, 2:]])
    return np.asarray((inner & (near | beyond)).any(axis=1))


def _pairs(found: WindowBoxes) -> tuple[Ints, Ints, Floats, Floats]:
    """Return pairs of overlapping boxes of a class and different views, both ways round: rows, IoU, share of the first.

    The share is that of the first one's area that the second covers.
    """
    pairs = overlapping_pairs(
        detections=found.xyxy,
        detection_group=found.class_id,
        ground_truth=found.xyxy,
        ground_truth_group=found.class_id,
        iou=_ANY,
    )
    pairs = pairs.take(found.view[pairs.detection] != found.view[pairs.truth])
    a, b = found.xyxy[pairs.detection], found.xyxy[pairs.truth]
    common = np.prod(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), axis=1)
    return pairs.detection, pairs.truth, pairs.iou, common / np.prod(a[:, 2:] - a[:, :2], axis=1)


def _surest(found: WindowBoxes, first: Ints, second: Ints) -> Bools:
    """Return which boxes no surer one that stays takes the place of, (n,); pairs are given both ways round."""
    rank = np.empty(len(found.confidence), dtype=np.int64)
    xyxy = found.xyxy
    rank[np.lexsort((found.view, xyxy[:, 0], xyxy[:, 1], -found.confidence))] = np.arange(len(rank))
    gives_way = rank[second] > rank[first]
    first, second = first[gives_way], second[gives_way]
    stays = np.ones(len(rank), dtype=bool)
    for row in np.argsort(rank[first], kind="stable"):
        if stays[first[row]]:
            stays[second[row]] = False
    return stays
