"""When the loop stops: five rules, checked in the order in which they stand; the first that holds decides.

Here they are asked of the numbers as measured (`converge.rule: classic`); stop_evidence.py asks their intervals.
"""

from typing import NamedTuple

from stages.convergence.gains import Gain, difference

_DECIMALS = 6  # of F1 as it is saved


class StopLimits(NamedTuple):
    """The numbers of the rules; all F1 in [0, 1]."""

    target_f1: float  # stop when F1 on val is at least this
    max_iterations: int  # stop when so many iterations are done (10: after N = 9)
    plateau_gain: float  # stop when F1 rose by less than this ...
    plateau_window: int  # ... over so many iterations (F1 of N minus F1 of N - window)
    overfit_gap: float  # stop when F1 on train minus F1 on val is more than this
    max_minutes: float | None = None  # stop when reviews took so many minutes; None: whatever they take


class Verdict(NamedTuple):
    """Whether to go on. `gain` and `gap` are None where they are undefined."""

    verdict: str  # "go on" or "stop"
    rule: str | None  # target_f1, max_iterations, max_minutes, plateau, overfitting; None for "go on"
    reason: str  # one sentence with both numbers
    # F1 on val now minus that of `converge.plateau_window` iterations ago, None also where another ruler measured that
    gain: float | None
    gain_low: float | None  # its 95 % interval, which is said but does not decide
    gain_high: float | None
    gap: float | None  # F1 on train minus F1 on val


def judge(
    f1: float | None,
    train_f1: float | None,
    gain: Gain | None,
    limits: StopLimits,
    *,
    done: int,
    minutes: float | None = None,
) -> Verdict:
    """Return the verdict on the iteration that was just measured, the `done`-th, after `minutes` of review.

    `f1` is on val; `gain` is that over the window, None while there are too few iterations. An undefined F1 (None: no
    boxes and no detections) never stops by target, plateau or overfitting, and a gain over another ruler is none.
    """
    gap = difference(train_f1, f1)
    gained, low, high = (gain.gain, gain.low, gain.high) if gain else (None, None, None)
    for rule, reason in (
        ("target_f1", _target(f1, limits)),
        ("max_iterations", enough(done, limits)),
        ("max_minutes", too_long(minutes, limits)),
        ("plateau", _plateau(gain, limits)),
        ("overfitting", _overfitting(gap, limits)),
    ):
        if reason:
            return Verdict("stop", rule, reason, gained, low, high, gap)
    reason = _go_on(f1, gain, limits, done=done, gap=gap)
    return Verdict("go on", None, reason, gained, low, high, gap)


def _target(f1: float | None, limits: StopLimits) -> str | None:
    if f1 is None or f1 < limits.target_f1:
        return None
    return f"F1 on val is {_text(f1)}, at least the target of {_text(limits.target_f1)}."


def enough(done: int, limits: StopLimits) -> str | None:
    """Return why the number of iterations stops the loop, or None."""
    if done < limits.max_iterations:
        return None
    return f"{done} {_iterations(done)} done, and the most is {limits.max_iterations}."


def too_long(minutes: float | None, limits: StopLimits) -> str | None:
    """Return why the minutes of review stop the loop, or None."""
    if minutes is None or limits.max_minutes is None or minutes < limits.max_minutes:
        return None
    return f"Reviews took {minutes:.1f} minutes so far, and the most is {limits.max_minutes:g}."


def _plateau(gain: Gain | None, limits: StopLimits) -> str | None:
    if gain is None or gain.gain is None or gain.gain >= limits.plateau_gain:
        return None
    over = f"the last {limits.plateau_window} {_iterations(limits.plateau_window, verb=False)}"
    doubt = _doubt(gain, limits)
    return (
        f"F1 on val gained {_text(gain.gain)} over {over}, less than {_text(limits.plateau_gain)}"
        f"{f' ({doubt})' if doubt else ''}."
    )


def _doubt(gain: Gain, limits: StopLimits) -> str:
    """Return which of 0 and the limit the interval of the gain holds, in words; "" for none."""
    if gain.low is None or gain.high is None:
        return ""
    low, high = gain.low, gain.high
    held = [_text(value) for value in sorted({0.0, limits.plateau_gain}) if low <= value <= high]
    if not held:
        return ""
    names = f"both {' and '.join(held)}" if len(held) > 1 else held[0]
    return f"the interval {_short(low)} to {_short(high)} holds {names}"


def _overfitting(gap: float | None, limits: StopLimits) -> str | None:
    if gap is None or gap <= limits.overfit_gap:
        return None
    return f"F1 on train is {_text(gap)} above F1 on val, more than {_text(limits.overfit_gap)}."


def _go_on(f1: float | None, gain: Gain | None, limits: StopLimits, *, done: int, gap: float | None) -> str:
    """Return one sentence that says for each rule why it does not hold."""
    parts = [f"{done} of {limits.max_iterations} iterations done"]
    if f1 is None:
        return f"F1 on val is undefined, so only the number of iterations can stop the loop: {parts[0]}."
    if gain is not None:
        parts.append(_gained(gain, limits))
    if gap is not None:
        parts.append(f"train minus val is {_text(gap)} (at most {_text(limits.overfit_gap)})")
    else:
        parts.append("F1 on train is undefined")
    return f"F1 on val is {_text(f1)}, under the target of {_text(limits.target_f1)}; {'; '.join(parts)}."


def _gained(gain: Gain, limits: StopLimits) -> str:
    window = limits.plateau_window
    if gain.other_ruler:
        return f"no gain, since iteration {gain.since} was measured by another ruler ({gain.other_ruler})"
    if gain.gain is None:
        return f"no gain, since F1 was undefined {window} {_iterations(window, verb=False)} ago"
    doubt = _doubt(gain, limits)
    wanted = f"at least {_text(limits.plateau_gain)} is wanted{f'; {doubt}' if doubt else ''}"
    return f"gained {_text(gain.gain)} over the last {window} ({wanted})"


def _text(value: float) -> str:
    """Return `value` with all its decimals, six at most: a rounded one could contradict its verdict."""
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _short(value: float) -> str:
    return _text(round(value, 3) + 0.0)


def _iterations(count: int, *, verb: bool = True) -> str:
    one, many = ("iteration is", "iterations are") if verb else ("iteration", "iterations")
    return one if count == 1 else many
