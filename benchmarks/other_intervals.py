"""Other 95 % intervals of a ratio of sums over sheets, to compare ours with: benchmarks/coverage.py."""

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

_RESAMPLES = 400


def jackknife_of_logit(part: np.ndarray, whole: np.ndarray, _: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the jackknife of the logit with t of sheets - 1; a single sheet with errors makes it [0, 1]."""
    with np.errstate(all="ignore"):
        value, without, active = _without_each(part, whole)
        spread = np.sqrt(np.where(whole > 0, (logit(without) - logit(value)[:, None]) ** 2, 0).sum(1))
        half = stdtrit(active - 1, 0.975) * spread * np.sqrt(1 - 1 / active)
        low, high = expit(logit(value) - half), expit(logit(value) + half)
    return np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=1.0)


def delta_logit(part: np.ndarray, whole: np.ndarray, _: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the plain jackknife carried to the logit scale, t of sheets - 1; a point when all sheets are perfect."""
    value, without, active = _without_each(part, whole)
    return _on_logit(value, np.sqrt(((without - value[:, None]) ** 2).sum(1) * (1 - 1 / active)), active)


def linear(part: np.ndarray, whole: np.ndarray, _: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the linearised ratio estimator on the logit scale, t of sheets - 1."""
    value, _without, active = _without_each(part, whole)
    pulls = (part - value[:, None] * whole) / whole.sum(1)[:, None]
    return _on_logit(value, np.sqrt((pulls**2).sum(1) * active / (active - 1)), active)


def percentile(part: np.ndarray, whole: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile bootstrap."""
    low, high = np.nanquantile(_bootstrap(part, whole, rng), [0.025, 0.975], axis=0)
    return low, high


def bca(part: np.ndarray, whole: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the bias-corrected and accelerated bootstrap."""
    value, without, _ = _without_each(part, whole)
    answers = np.sort(_bootstrap(part, whole, rng), axis=0)
    below = ((answers < value).mean(axis=0) + (answers <= value).mean(axis=0)) / 2
    shift = ndtri(np.clip(below, 0.5 / _RESAMPLES, 1 - 0.5 / _RESAMPLES))
    pulls = np.nanmean(without, axis=1)[:, None] - without
    cubes, squares = (np.nansum(pulls**power, axis=1) for power in (3, 2))
    bend = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
    ends = []
    for tail in (0.025, 0.975):
        z = shift + ndtri(tail)
        at = ndtr(shift + z / (1 - bend * z))
        rows = np.clip((at * _RESAMPLES).astype(int), 0, _RESAMPLES - 1)
        ends.append(answers[rows, np.arange(len(value))])
    return ends[0], ends[1]


OTHERS = {
    "jackknife of the logit, t(n-1)": jackknife_of_logit,
    "jackknife, delta to logit, t(n-1)": delta_logit,
    "linearised, logit, t(n-1)": linear,
    "percentile bootstrap": percentile,
    "BCa bootstrap": bca,
}


def _without_each(part: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ratio (trials,), the same without each sheet (trials, sheets), and the sheets that weigh (trials,)."""
    above, below = part.sum(1), whole.sum(1)
    with np.errstate(all="ignore"):
        return above / below, (above[:, None] - part) / (below[:, None] - whole), (whole > 0).sum(1)


def _on_logit(value: np.ndarray, spread: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    alone = value * (1 - value)
    half = stdtrit(active - 1, 0.975) * np.divide(spread, alone, out=np.zeros_like(spread), where=alone > 0)
    return expit(logit(value) - half), expit(logit(value) + half)


def _bootstrap(part: np.ndarray, whole: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the ratio of `_RESAMPLES` samples of the sheets, (resamples, trials); NaN where nothing was drawn."""
    sheets = part.shape[1]
    times = rng.multinomial(sheets, np.full(sheets, 1 / sheets), _RESAMPLES).astype(float)
    with np.errstate(all="ignore"):
        return (times @ part.T) / (times @ whole.T)
