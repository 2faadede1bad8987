"""When the loop stops: four rules, checked in the order in which they stand; the first that holds decides."""

from collections.abc import Sequence
from typing import NamedTuple

# F1 is saved with six decimals, and a difference of two such numbers is one again. Rounding it there keeps
# 0.93 - 0.925 (in binary 0.00500000000000000444) equal to 0.005, so that a boundary means what is written.
_DECIMALS = 6


class Limits(NamedTuple):
    """The numbers of the four rules; all F1 in [0, 1]."""

    target_f1: float  # stop when F1 on val is at least this
    max_iterations: int  # stop when so many iterations are done (10: after N = 9)
    plateau_gain: float  # stop when F1 rose by less than this ...
    plateau_window: int  # ... over so many iterations (F1 of N minus F1 of N - window)
    overfit_gap: float  # stop when F1 on train minus F1 on val is more than this


class Verdict(NamedTuple):
    """Whether to go on. `gain` and `gap` are None where they are undefined."""

    verdict: str  # "go on" or "stop"
    rule: str | None  # target_f1, max_iterations, plateau, overfitting; None for "go on"
    reason: str  # one sentence with both numbers
    gain: float | None  # F1 of N minus F1 of N - window
    gap: float | None  # F1 on train minus F1 on val


def judge(val_f1: Sequence[float | None], train_f1: float | None, limits: Limits) -> Verdict:
    """Return the verdict on iteration N from F1 on val of iterations 0..N, and F1 on train of iteration N.

    An undefined F1 (None: no boxes and no detections) never stops by target, plateau or overfitting.
    """
    now = val_f1[-1]
    before = val_f1[-1 - limits.plateau_window] if len(val_f1) > limits.plateau_window else None
    gain, gap = _difference(now, before), _difference(train_f1, now)
    for rule, reason in (
        ("target_f1", _target(now, limits)),
        ("max_iterations", _enough(len(val_f1), limits)),
        ("plateau", _plateau(gain, limits)),
        ("overfitting", _overfitting(gap, limits)),
    ):
        if reason:
            return Verdict("stop", rule, reason, gain, gap)
    return Verdict("go on", None, _go_on(val_f1, train_f1, gain, gap, limits), gain, gap)


def _target(f1: float | None, limits: Limits) -> str | None:
    if f1 is None or f1 < limits.target_f1:
        return None
    return f"F1 on val is {_text(f1)}, at least the target of {_text(limits.target_f1)}."


def _enough(done: int, limits: Limits) -> str | None:
    if done < limits.max_iterations:
        return None
    return f"{done} {_iterations(done)} done, and the most is {limits.max_iterations}."


def _plateau(gain: float | None, limits: Limits) -> str | None:
    if gain is None or gain >= limits.plateau_gain:
        return None
    over = f"the last {limits.plateau_window} {_iterations(limits.plateau_window, verb=False)}"
    return f"F1 on val gained {_text(gain)} over {over}, less than {_text(limits.plateau_gain)}."


def _overfitting(gap: float | None, limits: Limits) -> str | None:
    if gap is None or gap <= limits.overfit_gap:
        return None
    return f"F1 on train is {_text(gap)} above F1 on val, more than {_text(limits.overfit_gap)}."


def _go_on(
    val_f1: Sequence[float | None],
    train_f1: float | None,
    gain: float | None,
    gap: float | None,
    limits: Limits,
) -> str:
    """Return one sentence that says for each rule why it does not hold."""
    now, done, window = val_f1[-1], len(val_f1), limits.plateau_window
    parts = [f"{done} of {limits.max_iterations} iterations done"]
    if now is None:
        return f"F1 on val is undefined, so only the number of iterations can stop the loop: {parts[0]}."
    if gain is not None:
        parts.append(f"gained {_text(gain)} over the last {window} (at least {_text(limits.plateau_gain)} is wanted)")
    elif done > window:
        parts.append(f"no gain, since F1 was undefined {window} {_iterations(window, verb=False)} ago")
    if gap is not None:
        parts.append(f"train minus val is {_text(gap)} (at most {_text(limits.overfit_gap)})")
    elif train_f1 is None:
        parts.append("F1 on train is undefined")
    return f"F1 on val is {_text(now)}, under the target of {_text(limits.target_f1)}; {'; '.join(parts)}."


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else round(a - b, _DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def _text(value: float) -> str:
    """Return `value` with all its decimals, six at most: a rounded one could contradict its verdict."""
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _iterations(count: int, *, verb: bool = True) -> str:
    one, many = ("iteration is", "iterations are") if verb else ("iteration", "iterations")
    return one if count == 1 else many
