"""What the next packet will buy: the gain of F1 to expect of one iteration more, and the minutes of its review."""

from collections.abc import Sequence
from typing import NamedTuple

from stages.convergence.learning_curve import LEAST, curves_of, next_gain
from stages.wording.rates import gain_in


class PacketForecast(NamedTuple):
    """What one iteration more brings; None where too few iterations say nothing."""

    gain: float | None  # F1 on val then minus now, expected
    low: float | None  # low end of the 95 % interval of what will be measured: the curve, and a training's scatter
    high: float | None  # its high end
    minutes: float | None  # of review, as the last packet took; None before the first
    says: str  # in words


def forecast(f1: Sequence[float], val_sd: float | None, minutes: float | None) -> PacketForecast:
    """Return the forecast from F1 on val of the last iterations that compare, the newest last, in [0, 1].

    `val_sd` is the scatter of each from the choice of val's sheets, `minutes` what the last packet took.
    """
    curves = curves_of(f1, val_sd=val_sd or 0.0, ahead=1)
    if curves is None or val_sd is None:
        few = f"too few iterations to say ({len(f1)} by this ruler, {LEAST} are needed)"
        why = few if curves is None else "nothing to say, as gains have no interval"
        return PacketForecast(None, None, None, minutes, f"the next packet: {why}")
    gain, ends = next_gain(curves, f1[-1])
    cost = "" if minutes is None else f" for about {minutes:.0f} minutes of review, as the last one took"
    return PacketForecast(gain, *ends, minutes, f"the next packet: F1 {gain_in(gain, *ends)} expected{cost}")
