"""What is usual on a split: how sure the model is of what it finds, how well it fits, how large things are."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, Boxes
from stages.ruler.pairing.pairs import Floats

ALL = -1  # instead of a class_id: every class
FEW = 10  # boxes of a class that weigh as much as those of all classes together
_LOW_FITS = 0.05  # share of found objects whose IoU is called low
_ODD = (2.0, 6.0)  # deviations from the median shape, from where a box is odd, and where nothing could be odder
# A shape that one label in twenty of its class has is not odd, however far it is from the median: titles also stand
# upright. Stray clicks are rarer, and of no shape of their own.
_COMMON = 0.05
_ALIKE = 0.3  # difference of log area and of log aspect (a third, roughly) up to which two boxes have one shape
_ROUNDING = 1e-9  # of a logarithm: what is just alike must not be lost before it is compared
_NONE: Floats = np.zeros(0)


class Standard(NamedTuple):
    """Values by class_id, and for `ALL`; ascending.

    Each is asked for once for every finding, so nothing here goes through all values of a class to answer.
    """

    found: Mapping[int, Floats]  # confidence of true positives
    false: Mapping[int, Floats]  # of false positives
    fits: Mapping[int, Floats]  # IoU of true positives
    shapes: Mapping[int, Floats]  # (2, 2): median and spread of log area and log aspect
    labels: Mapping[int, Floats]  # (k, 2): log area, ascending, and log aspect of each label
    best: Mapping[int, Floats]  # (found,): the best share of right ones from that find, or any below it, on

    def trust(self, class_id: int, confidence: float) -> float:
        """Return how much a detection says: its rank among those of found objects, times how often such are right."""
        return self.sure(class_id, confidence) * self.right(class_id, confidence)

    def trust_beside(self, class_id: int, confidence: float) -> float:
        """Return how much a detection says that lies on an unfound label: two signs of one mistake need less rank."""
        return (1 + self.sure(class_id, confidence)) / 2 * self.right(class_id, confidence)

    def sure(self, class_id: int, confidence: float) -> float:
        """Return the share of found objects of the class that the model was at most so sure of."""
        return self._blend(self.found, class_id, confidence)

    def right(self, class_id: int, confidence: float) -> float:
        """Return the share of right ones among the detections of the class that are about so sure, or surer.

        It is the best share from any lower confidence of a find on, so that it never falls while confidence rises: a
        missing label among the very surest would speak against itself.
        """
        here = float(_shares(self.found, self.false, class_id, np.array([confidence]))[0])
        below = int(np.searchsorted(self.found.get(class_id, _NONE), confidence, side="right"))
        return max(here, float(self.best[class_id][below - 1])) if below else here

    def badly(self, class_id: int, iou: float) -> float:
        """Return how low an IoU is for a found object of the class: 1 below all, 0 from the lowest 5 % on."""
        return max(0.0, 1 - self._blend(self.fits, class_id, iou) / _LOW_FITS)

    def odd(self, class_id: int, box: Floats) -> float:
        """Return how unusual size and shape of a box (4,) are for the class, 0 to 1; 0 for a class without boxes."""
        if class_id not in self.shapes:
            return 0.0
        middle, spread = self.shapes[class_id]
        shape = log_shape(box[None])[0]
        far = float((np.abs(shape - middle) / spread).max())
        if far <= _ODD[0] or self._is_common(class_id, shape):
            return 0.0
        return min((far - _ODD[0]) / (_ODD[1] - _ODD[0]), 1.0)

    def _is_common(self, class_id: int, shape: Floats) -> bool:
        """Return whether one label in twenty of the class has that shape; few are as large, so few are looked at."""
        labels = self.labels[class_id]
        ends = np.searchsorted(labels[:, 0], shape[0] + np.array([-1, 1]) * (_ALIKE + _ROUNDING))
        alike = (np.abs(labels[slice(*ends)] - shape) <= _ALIKE).all(axis=1)
        return bool(alike.sum() / len(labels) >= _COMMON)

    def _blend(self, values: Mapping[int, Floats], class_id: int, value: float) -> float:
        own, every = values.get(class_id, _NONE), values.get(ALL, _NONE)
        weight = len(own) / (len(own) + FEW)
        return weight * _rank(own, value) + (1 - weight) * _rank(every, value)


def standards(*, images: pd.DataFrame, ground_truth: pd.DataFrame, matches: pd.DataFrame) -> dict[str, Standard]:
    """Return what is usual on each split; shapes are those of all labels together."""
    labels = _log_shapes(ground_truth)
    shapes = {key: _usual(values) for key, values in labels.items()}
    tables = {}
    for split in images["split"].unique():
        rows = matches[matches["split"] == split]
        good, bad = rows[rows["outcome"] == "tp"], rows[rows["outcome"] == "fp"]
        found, false = _by_class(good, "confidence"), _by_class(bad, "confidence")
        tables[str(split)] = standard_of(found, false, _by_class(good, "iou"), shapes, labels)
    return tables


def log_shape(boxes: Boxes) -> Floats:
    """Return log area and log aspect of boxes (n, 4), (n, 2)."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 1e-6, None)
    return np.log(np.stack([sides[:, 0] * sides[:, 1], sides[:, 0] / sides[:, 1]], axis=1))


def standard_of(
    found: Mapping[int, Floats],
    false: Mapping[int, Floats],
    fits: Mapping[int, Floats],
    shapes: Mapping[int, Floats],
    labels: Mapping[int, Floats],
) -> Standard:
    """Return the standard of these values, as `Standard` has them."""
    best = {key: np.maximum.accumulate(_shares(found, false, key, starts)) for key, starts in found.items()}
    return Standard(found, false, fits, shapes, labels, best)


def _shares(found: Mapping[int, Floats], false: Mapping[int, Floats], class_id: int, starts: Floats) -> Floats:
    """Return the share of right ones among the detections of the class from each of `starts`, (k,), on."""
    good, bad = _at_least(found, false, class_id, starts)
    every_good, every_bad = _at_least(found, false, ALL, starts)
    known = FEW * (every_good + 1) / (every_good + every_bad + 1)
    return np.asarray((good + known) / (good + bad + FEW), dtype=np.float64)


def _at_least(
    found: Mapping[int, Floats], false: Mapping[int, Floats], class_id: int, confidence: Floats
) -> tuple[Floats, Floats]:
    """Return how many right and false detections of the class are at least so sure, for each of (k,)."""
    tables = (found.get(class_id, _NONE), false.get(class_id, _NONE))
    good, bad = (len(one) - np.searchsorted(one, confidence, side="left").astype(float) for one in tables)
    return good, bad


def _log_shapes(ground_truth: pd.DataFrame) -> dict[int, Floats]:
    """Return log area and log aspect of the labels, (k, 2), of each class that has `FEW` or more."""
    classes, values = ground_truth["class_id"].to_numpy(), log_shape(ground_truth[BOX].to_numpy(float))
    order = np.argsort(values[:, 0], kind="stable")
    classes, values = classes[order], values[order]
    return {int(key): values[classes == key] for key in np.unique(classes) if (classes == key).sum() >= FEW}


def _usual(values: Floats) -> Floats:
    """Return median and spread, (2, 2); the spread is a standard deviation as the median deviation tells it."""
    middle = np.median(values, axis=0)
    spread = 1.4826 * np.median(np.abs(values - middle), axis=0)
    return np.stack([middle, np.maximum(spread, 0.1)])


def _by_class(rows: pd.DataFrame, column: str) -> dict[int, Floats]:
    classes, values = rows["class_id"].to_numpy(), rows[column].to_numpy(float)
    return {ALL: np.sort(values)} | {int(key): np.sort(values[classes == key]) for key in np.unique(classes)}


def _rank(values: Floats, value: float) -> float:
    """Return the share of ascending `values` that are at most `value`; 0.5 where there are none."""
    return float(np.searchsorted(values, value, side="right") / len(values)) if len(values) else 0.5
