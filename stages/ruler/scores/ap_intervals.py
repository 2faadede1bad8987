"""Average precision per class and its mean over classes, with 95 % intervals over sheets.

Three things are particular to AP (measured: benchmarks/coverage.py). It is too high on few sheets, as each precision is
the best of all at higher recalls; halves of the sheets show by how much, and the low end goes down by that. A class
with few boxes may be perfect here by luck, and then adds nothing to the spread of the mean over classes; what its own
interval says is added instead. And AP without each of thousands of sheets takes long, so blocks of them are left out.
"""

import numpy as np

from stages.ruler.pairing.pairs import Bools, Floats, Ints
from stages.ruler.scores.average_precision import HitTable, ap_of
from stages.ruler.scores.intervals import Estimates, divided, interval_of, per_unit, pulled_by_few, shares_of, spread

_BLOCKS = 40  # units that AP is computed without; beyond, neighbours in the order of names go together


def ap_estimates(table: HitTable, *, unit: Ints) -> dict[str, Estimates]:
    """Return ap50 and ap50_95, each (1 + classes,): the mean over the classes that have boxes, then each class.

    The thresholds of `table` are AP_IOUS, its sheets those of `unit` (sheets,), see `units_of`. More than `_BLOCKS`
    units are left out in blocks of neighbours, so that the cost does not grow with the square of the sheets.
    Undefined: NaN. Unlike rates, the low ends depend a little on the order of the sheets (which halves they fall in).
    """
    block = _blocks(unit)
    count = int(block.max(initial=-1)) + 1
    without = block[None, :] != np.arange(count)[:, None]
    halves = _halves(count)[:, block]
    answers = ap_of(table, np.vstack([np.ones((1, len(block))), without, halves]).astype(float))
    boxes = per_unit(table.boxes, block)
    return {
        name: _estimates(part[0], left_out=part[1 : 1 + count], halves=part[1 + count :], boxes=boxes)
        for name, part in (("ap50", answers[:, :, 0]), ("ap50_95", answers.mean(axis=2)))
    }


def _estimates(value: Floats, *, left_out: Floats, halves: Floats, boxes: Floats) -> Estimates:
    """Return the estimates of the mean, then of each class, from AP of all sheets, `value` (classes,).

    `left_out`, AP without each unit, and `boxes` are (units, classes), `halves` is (halves, classes).
    """
    total, there = boxes.sum(axis=0), boxes.sum(axis=0) > 0
    low, high = interval_of(value, left_out=left_out, weight=boxes, trials=total)
    shares = shares_of(boxes)
    variance, quantile = spread(left_out - value, shares)
    unseen = np.where(pulled_by_few(left_out - value), ((high - low) / 2 / quantile) ** 2 - variance, 0.0)
    together = max(int(there.sum()), 1)
    mean, mean_left_out, mean_halves = (_mean(np.atleast_2d(part)) for part in (value, left_out, halves))
    mean_low, mean_high = interval_of(
        mean,
        left_out=mean_left_out[:, None],
        weight=shares.sum(axis=1)[:, None],
        trials=np.array([together**2 / max(float((1 / total[there]).sum()), 1e-9)]),
        more=np.maximum(np.nan_to_num(unseen), 0).sum() / together**2,
    )
    values = np.concatenate([mean, value])
    too_high = np.maximum(_mean(np.column_stack([mean_halves, halves]).T) - values, 0.0)
    lowest = np.clip(np.concatenate([mean_low, low]) - np.nan_to_num(too_high), 0, 1)
    return Estimates(values, lowest, np.concatenate([mean_high, high]))


def _mean(rows: Floats) -> Floats:
    """Return the mean of what is defined in each row, NaN where nothing is."""
    defined = ~np.isnan(rows)
    return divided(np.where(defined, rows, 0.0).sum(axis=1), defined.sum(axis=1).astype(float))


def _blocks(unit: Ints) -> Ints:
    """Return the block of every sheet: its unit, or with more than `_BLOCKS` units a run of neighbours.

    Runs, since sheets whose names stand together often come from one drawing set, also where nobody said so.
    """
    count = int(unit.max(initial=-1)) + 1
    return unit if count <= _BLOCKS else unit * _BLOCKS // count


def _halves(count: int) -> Bools:
    """Return pairs of halves, (halves, count): by each binary digit of a block's number, so that halves cross."""
    digits = np.arange(max(count - 1, 0).bit_length())
    one = (np.arange(count)[None, :] >> digits[:, None]) & 1 == 1
    return np.vstack([one, ~one])
