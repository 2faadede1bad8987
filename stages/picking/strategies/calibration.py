"""How likely a detection is right, learned from sheets that the detector was not trained on, and what it overlooks.

A confidence is no probability: with few labelled sheets a detector is too sure of some classes, and its faint boxes are
right more often than they say, or less. On sheets with labels it was seen which detections were right. From these a
logistic line is fitted (Platt, 1999) on the logit of the confidence with an offset for each class:

    logit P(right) = a + b logit(confidence) + offset of the class

by penalized likelihood: normal priors on a (around 0), b (around 1) and the offsets (around 0), whose widths stand
below. Without any sheet that is the prior: the confidence itself. It is the mode of the posterior (Newton's method; the
loss is convex, so there is one).

Objects that no detection lies on cannot be seen from detections. They are counted on the same sheets, per object that
was detected, with a prior as well. And a wrong box on an object that is missing, of another class or badly placed, is
one correction and not two: how often is counted where all labels are known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAINTEST = 0.01  # confidence under which a detection says nothing about a sheet: most are noise
INTERCEPT_SD = 2.0  # logits: a detector may well be off by a factor of seven in odds
SLOPE_SD = 0.5  # of b around 1
OFFSET_SD = 1.0  # logits, of a class beside the others
PRIOR_FOUND, PRIOR_OVERLOOKED = 8.0, 2.0  # objects that stand for "a fifth is overlooked" before anything is known
PRIOR_ALONE = 10.0  # wrong boxes and missing objects that stand for "each is a correction of its own" before that
_STEPS, _CLOSE = 50, 1e-10  # Newton's; it takes six as a rule


class JudgedDetections(NamedTuple):
    """Detections on sheets whose labels are known, and how many labelled objects none of them lies on."""

    class_id: Ints  # (k,)
    confidence: Floats  # (k,) in [0, 1], from FAINTEST on
    right: Floats  # (k,) how many detections of this class and confidence have a labelled object matched with them
    wrong: Floats  # (k,) how many have not
    overlooked: int  # objects without any such detection


class Corrections(NamedTuple):
    """Wrong pre-labels and missing objects on sheets whose labels are known, and the corrections that they take."""

    mistakes: int  # wrong pre-labels, and objects without a right one
    corrections: int  # the same, where a wrong one that lies on a missing object counts once


class Calibration(NamedTuple):
    """The fitted line, the overlooked objects per object that some detection lies on, and corrections per mistake."""

    intercept: float
    slope: float
    offsets: Floats  # (classes,)
    overlooked: float
    once: float = 1.0  # corrections per wrong pre-label or missing object, from 0.5

    def chance(self, class_id: Ints, confidence: Floats) -> Floats:
        """Return how likely each detection is right, (n,) in (0, 1)."""
        return _logistic(self.intercept + self.slope * logit(confidence) + self.offsets[class_id])


NOTHING_KNOWN = Corrections(0, 0)


def calibrate(seen: Sequence[JudgedDetections], *, classes: int, known: Corrections = NOTHING_KNOWN) -> Calibration:
    """Return the line that fits all of `seen` best, given the priors; `known` is of sheets with all labels."""
    class_id = np.concatenate([np.zeros(0, np.int64), *(one.class_id for one in seen)])
    confidence = np.concatenate([np.zeros(0), *(one.confidence for one in seen)])
    right = np.concatenate([np.zeros(0), *(one.right for one in seen)])
    wrong = np.concatenate([np.zeros(0), *(one.wrong for one in seen)])
    order = np.lexsort((wrong, right, confidence, class_id))  # sums must not depend on the order of rows
    design = np.column_stack([np.ones(len(order)), logit(confidence[order]), np.eye(classes)[class_id[order]]])
    beta = _mode(design, right[order], wrong[order], np.array([INTERCEPT_SD, SLOPE_SD, *[OFFSET_SD] * classes]))
    found = PRIOR_FOUND + right.sum()
    overlooked = PRIOR_OVERLOOKED + sum(one.overlooked for one in seen)
    once = (PRIOR_ALONE + known.corrections) / (PRIOR_ALONE + known.mistakes)
    return Calibration(float(beta[0]), float(beta[1]), beta[2:], float(overlooked / found), once)


def logit(confidence: Floats) -> Floats:
    """Return the log of the odds; a confidence of 0 or 1 counts as one in ten thousand short of it."""
    inside = np.clip(confidence, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(inside / (1 - inside)), dtype=np.float64)


def _mode(design: Floats, right: Floats, wrong: Floats, sd: Floats) -> Floats:
    """Return the coefficients of highest posterior density; the priors are normal around (0, 1, 0, …)."""
    center, precision = np.zeros(len(sd)), np.diag(1 / sd**2)
    center[1] = 1.0
    beta = center.copy()
    for _ in range(_STEPS):
        chance = _logistic(design @ beta)
        slope = design.T @ (right - (right + wrong) * chance) - precision @ (beta - center)
        curve = (design * ((right + wrong) * chance * (1 - chance))[:, None]).T @ design + precision
        step = np.linalg.solve(curve, slope)
        beta = beta + step / max(1.0, float(np.abs(step).max()))  # a long step may overshoot
        if float(np.abs(step).max()) < _CLOSE:
            break
    return beta


def _logistic(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float64)
