"""Geometry of axis-aligned boxes as plain functions over arrays; the format is in the name."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]  # (n, 4)
BOX = ["x1", "y1", "x2", "y2"]  # columns that hold a box in a table


def xywhn_to_xyxy(xywhn: Boxes, *, width: int, height: int) -> Boxes:
    """Return centre-and-size fractions of the image, (n, 4) in [0, 1], as corners in pixels, (n, 4)."""
    boxes = np.asarray(xywhn, dtype=np.float64).reshape(-1, 4)
    half = boxes[:, 2:] / 2
    corners = np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])
    return corners * np.array([width, height, width, height], dtype=np.float64)


def xyxy_to_xywhn(xyxy: Boxes, *, width: int, height: int) -> Boxes:
    """Return corners in pixels, (n, 4), as centre-and-size fractions of the image, (n, 4)."""
    boxes = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)
    centre_size = np.hstack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])
    return centre_size / np.array([width, height, width, height], dtype=np.float64)


def area(xyxy: Boxes) -> NDArray[np.float64]:
    """Return the areas, (n,), in square pixels; an inverted box has area 0."""
    boxes = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], dtype=np.float64)


def iou_matrix(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Return the intersection over union of every box of `a` (n, 4) with every box of `b` (m, 4): (n, m), in [0, 1].

    Two boxes without area have IoU 0.
    """
    a = np.asarray(a, dtype=np.float64).reshape(-1, 1, 4)
    b = np.asarray(b, dtype=np.float64).reshape(1, -1, 4)
    overlap = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    inter = overlap[..., 0] * overlap[..., 1]  # (n, m)
    union = area(a)[:, None] + area(b)[None, :] - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0), dtype=np.float64)
