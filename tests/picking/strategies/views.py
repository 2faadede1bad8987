"""Small pools to order, by hand and by a seed."""

import numpy as np

from stages.picking.strategies.calibration import Calibration, calibrate
from stages.picking.strategies.pool_view import PoolView

FEATURES = 8


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32).reshape(-1, FEATURES)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def as_said(classes: int = 2, overlooked: float = 0.0) -> Calibration:
    """A detector whose confidence is the chance to be right."""
    return Calibration(0.0, 1.0, np.zeros(classes), overlooked)


def view(boxes, *, sheets=None, groups=None, known=(), classes=2, wanted=2, overlooked=0.0):
    """A pool of `boxes`: (sheet, class_id, confidence) or with a direction of their features; `known`: the same."""
    names = sorted(sheets or {row[0] for row in boxes})
    eye = np.eye(FEATURES)

    def directions(rows, at):
        return unit([eye[row[at]] if len(row) > at else np.zeros(FEATURES) for row in rows])

    return PoolView(
        sheets=tuple(names),
        groups=np.array(groups or [""] * len(names)),
        sheet=np.array([names.index(row[0]) for row in boxes], dtype=np.int64),
        class_id=np.array([row[1] for row in boxes], dtype=np.int64),
        confidence=np.array([row[2] for row in boxes], dtype=float),
        features=directions(boxes, 3),
        known_class=np.array([row[0] for row in known], dtype=np.int64),
        known_features=directions(known, 1),
        calibration=as_said(classes, overlooked),
        prelabel=0.25,
        wanted=wanted,
        classes=classes,
    )


def drawn_view(seed: int, *, sheets=30, boxes=200, classes=3) -> PoolView:
    """A pool of chance."""
    rng = np.random.default_rng(seed)
    return PoolView(
        sheets=tuple(f"{n:03d}.png" for n in range(sheets)),
        groups=rng.choice(["A", "B", ""], sheets),
        sheet=rng.integers(0, sheets, boxes),
        class_id=rng.integers(0, classes, boxes),
        confidence=rng.uniform(0.01, 1, boxes),
        features=unit(rng.normal(size=(boxes, FEATURES))),
        known_class=rng.integers(0, classes, 20),
        known_features=unit(rng.normal(size=(20, FEATURES))),
        calibration=calibrate([], classes=classes),
        prelabel=0.25,
        wanted=5,
        classes=classes,
    )


def permuted(one: PoolView, seed: int) -> PoolView:
    """The same pool with its detections and known objects in another order."""
    rng = np.random.default_rng(seed)
    rows, known = rng.permutation(len(one.sheet)), rng.permutation(len(one.known_class))
    return one._replace(
        sheet=one.sheet[rows],
        class_id=one.class_id[rows],
        confidence=one.confidence[rows],
        features=one.features[rows],
        known_class=one.known_class[known],
        known_features=one.known_features[known],
    )


def names(one: PoolView, order) -> list[str]:
    """The sheets in their order."""
    return [one.sheets[place] for place in order.places]
