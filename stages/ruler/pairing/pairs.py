"""The kernel of matching, on flat arrays without a loop per box: candidate pairs, and COCO's greedy choice of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.base.boxes import Boxes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_BLOCK = 1 << 17  # pairs that are looked at together: few enough for the processor's cache
_NEARLY_ONE = 1 - 1e-10  # as in pycocotools: at a threshold of 1, equal boxes may differ by a rounding


class Pairs(NamedTuple):
    """Row of the detection, row of the box, and their IoU; each (pairs,)."""

    detection: Ints
    truth: Ints
    iou: Floats

    def take(self, which: Bools | Ints) -> "Pairs":
        """Return the pairs at `which`, a mask or their numbers."""
        return Pairs(self.detection[which], self.truth[which], self.iou[which])


def overlapping_pairs(
    *, detections: Boxes, detection_group: Ints, ground_truth: Boxes, ground_truth_group: Ints, iou: float
) -> Pairs:
    """Return the pairs of one group with an IoU of at least `iou`, above 0; by rows of detections, then of boxes.

    Boxes are corners in px, (n, 4) and (m, 4). A group, (n,) and (m,), is a sheet, or a class of a sheet.
    """
    order = np.argsort(ground_truth_group, kind="stable")
    groups, firsts, sizes = np.unique(ground_truth_group[order], return_index=True, return_counts=True)
    rows, place = _known(detection_group, groups)
    first, count = firsts[place], sizes[place]
    ends = np.cumsum(count)
    columns = np.ascontiguousarray(ground_truth[order].T)  # (4, m)
    none = Pairs(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    parts, start = [none], 0
    while start < len(rows):
        so_far = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, so_far + _BLOCK, side="right")))
        block = slice(start, stop)
        near, truth = _side_by_side(first[block], count[block])
        found = _overlapping(detections[rows[block]], columns, near=near, truth=truth, iou=iou)
        parts.append(Pairs(rows[block][found.detection], order[found.truth], found.iou))
        start = stop
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def by_preference(pairs: Pairs, *, confidence: Floats, worse: Bools | None = None) -> Pairs:
    """Return `pairs`, sorted as `overlapping_pairs` returns them, in the order in which COCO looks at them.

    First by falling `confidence`, (n,), equal ones by the row of the detection. Of the boxes of one detection first
    those that are not `worse`, (m,), then the higher IoU; of equal ones the later box, as in pycocotools.
    """
    beside = np.append(False, pairs.detection[1:] == pairs.detection[:-1])
    choice = np.flatnonzero(beside | np.append(beside[1:], False))  # few detections overlap several boxes
    of_choice = pairs.take(choice)
    second = [] if worse is None else [worse[of_choice.truth]]
    order = np.arange(len(pairs.iou))
    order[choice] = choice[np.lexsort((-of_choice.truth, -of_choice.iou, *second, of_choice.detection))]
    return pairs.take(order[np.argsort(-confidence[pairs.detection], kind="stable")])


def settle(pairs: Pairs, *, detections: int, boxes: int, iou: float) -> Ints:
    """Return the row of its box for every detection, (detections,), or -1.

    `pairs` are as `by_preference` returns them: in that order, each detection takes its first box that is free and
    overlaps by at least `iou`. This is done for all at once: a detection takes the first of its boxes if nobody
    before it has a claim on that box, since then nobody before it can take it. What is taken goes, and again, until
    nothing is left.
    """
    found = np.full(detections, -1, dtype=np.int64)
    enough = pairs.iou >= min(iou, _NEARLY_ONE)
    detection, truth = pairs.detection[enough], pairs.truth[enough]
    taken = np.zeros(boxes, dtype=bool)
    claimed = np.empty(boxes, dtype=np.int64)  # by which pair first
    while len(detection):
        at = np.arange(len(detection))
        claimed[truth] = len(detection)
        np.minimum.at(claimed, truth, at)
        favourite = np.append(True, detection[1:] != detection[:-1])
        gets = favourite & (claimed[truth] == at)
        found[detection[gets]] = truth[gets]
        taken[truth[gets]] = True
        left = (found[detection] < 0) & ~taken[truth]
        detection, truth = detection[left], truth[left]
    return found


def paired_iou(a: Boxes, b: Boxes) -> Floats:
    """Return the IoU of each box of `a` with the one beside it in `b`, (n, 4) corners each; they overlap."""
    inter = np.prod(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), axis=1)
    areas = np.prod(a[:, 2:] - a[:, :2], axis=1) + np.prod(b[:, 2:] - b[:, :2], axis=1)
    return np.asarray(inter / (areas - inter), dtype=np.float64)


def _known(group: Ints, groups: Ints) -> tuple[Ints, Ints]:
    """Return the rows of `group` that occur in the sorted `groups`, and their places there."""
    if not len(groups):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(groups, group), len(groups) - 1)
    rows = np.flatnonzero(groups[place] == group)
    return rows, place[rows]


def _side_by_side(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Return 0, 0, .., 1, .. as often as `count` says, and beside it `first[0]`, `first[0]` + 1, .., `first[1]`, .."""
    ends = np.cumsum(count)
    return np.repeat(np.arange(len(count)), count), np.arange(ends[-1]) + np.repeat(first - ends + count, count)


def _overlapping(boxes: Boxes, columns: Boxes, *, near: Ints, truth: Ints, iou: float) -> Pairs:
    """Return of the pairs (`near`, `truth`) those that overlap; `boxes` (n, 4), `columns` (4, m)."""
    for low, high in ((0, 2), (1, 3)):  # most pairs are apart on one axis already
        start, end = np.ascontiguousarray(boxes[:, low]), np.ascontiguousarray(boxes[:, high])
        together = np.minimum(columns[high][truth], end[near]) > np.maximum(columns[low][truth], start[near])
        near, truth = near[together], truth[together]
    overlap = paired_iou(boxes[near], columns[:, truth].T)
    enough = overlap >= min(iou, _NEARLY_ONE)
    return Pairs(near, truth, overlap).take(enough)
