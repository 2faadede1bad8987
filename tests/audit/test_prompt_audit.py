"""What `yoloop prompts audit` says of the numbers; the audit of real weights is in tests/real/test_loop.py."""

import numpy as np
import pytest

from stages.audit.prompt_audit import advice_lines, effect_line
from stages.audit.prompt_effect import ClassEffect, class_effects
from stages.ruler.scores.intervals import PairedChange

NONE = PairedChange(0.0, -0.02, 0.02, 0.5)


def effect(name: str, f1: PairedChange) -> ClassEffect:
    return ClassEffect(name, 10, 0.9, 0.5, f1, NONE, NONE, 3, 4)


def test_a_flood_of_false_alarms_is_seen_in_precision():
    before = np.array([[[3, 1, 1]]] * 8)  # tp, fp, fn of a sheet
    now = np.array([[[3, 297, 1]]] * 8)
    assert effect_line(class_effects(before=before, now=now, unit=np.arange(8), classes=["R_small"])[1]) == (
        "  R_small: 0.750 -> 0.020 (-0.730 (-0.732 to -0.728)), 32 boxes; precision -0.740 (-0.742 to -0.738); "
        "recall no effect measurable: +0.000 (-0.074 to +0.074); false alarms 8 -> 2376"
    )


@pytest.mark.parametrize(
    ("change", "advised"),
    [
        (PairedChange(-0.1, -0.15, -0.05, 0.0), True),
        (PairedChange(-0.099, -0.15, -0.05, 0.0), False),  # little
        (PairedChange(-0.3, -0.7, 0.1, 0.1), False),  # chance
        (PairedChange(-0.3, None, None, None), False),  # too few sheets
        (PairedChange(0.3, 0.2, 0.4, 1.0), False),
        (PairedChange(None, None, None, None), False),
    ],
)
def test_a_fall_by_much_says_what_to_do(change: PairedChange, advised: bool):
    lines = advice_lines([effect("all", change), effect("door", NONE), effect("title", change)])
    assert [line.split(":")[0] for line in lines] == ["F1 of title falls by much"] * advised
