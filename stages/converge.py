"""Decides whether another iteration is worth it, and adds this one to the history."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from stages.base.command import stage_command
from stages.base.errors import problem
from stages.base.params import Strict, read_classes, read_iteration, read_section
from stages.base.tables import read_metrics, write_csv, write_metrics
from stages.convergence.gains import Gain, gains_of, measured, measured_now
from stages.convergence.history.history_file import read_carried, write_history
from stages.convergence.history_rows import history_row, long_by_class, with_row
from stages.convergence.outcome_files import read_outcomes, read_parent_outcomes, read_val, write_outcomes
from stages.convergence.regression import Regression, regression_since
from stages.convergence.regression_lines import regression_lines, regression_values
from stages.convergence.score_files import read_scores, read_sheets
from stages.convergence.sheet_history import SHEETS, read_carried_sheets, write_sheets
from stages.convergence.stop_rules import StopLimits, Verdict, judge
from stages.ruler.size_bounds import SizeBounds
from stages.wording.rates import gain_in, rate_in

VALIDATE = Path("metrics/validate.json")
METRICS = Path("metrics/converge.json")
HISTORY = Path("plots/converge/history.csv")  # rows 0..N; `yoloop advance` carries it over
CLASSES = Path("plots/converge/classes.csv")

Fraction = Annotated[float, Field(ge=0, le=1)]


class ConvergeParams(Strict):
    """Section `converge`: when to stop."""

    target_f1: Fraction
    max_iterations: int = Field(ge=1)
    plateau_gain: Fraction
    plateau_window: int = Field(ge=1)
    overfit_gap: Fraction


Params = ConvergeParams  # as every stage calls them


def run() -> None:
    """Decide whether to go on: target, number of iterations, plateau, overfitting, in this order."""
    limits = StopLimits(**read_section(ConvergeParams, "converge").model_dump())
    classes, iteration = read_classes(), read_iteration()
    carried = read_carried(iteration, classes)
    earlier = measured(carried, read_carried_sheets(carried["ruler"].tolist()))
    before = read_parent_outcomes(iteration)
    metrics, scores, sheets = read_metrics(VALIDATE), read_scores(), read_sheets()
    val = read_val(sheets, classes, read_section(SizeBounds, "analyze").areas)
    try:
        now = measured_now(metrics, iteration=iteration, sheets=sheets)
        gains = gains_of([*earlier, now], window=limits.plateau_window)
        over_window = gains.get(iteration - limits.plateau_window)
        verdict = judge(now.f1, metrics["train_f1"], over_window, limits, done=iteration + 1)
        row = history_row(
            metrics, scores, iteration=iteration, classes=classes, verdict=verdict.verdict, rule=verdict.rule
        )
    except KeyError as error:
        raise problem("converge.key", VALIDATE, error=error) from error
    history = with_row(carried, row, classes=classes)
    write_history(history, HISTORY)
    write_csv(long_by_class(history, classes), CLASSES)
    write_sheets([*earlier, now], SHEETS)
    outcomes = read_outcomes(val, iteration=iteration, ruler=now.ruler)
    write_outcomes(outcomes)
    regression = regression_since(before, outcomes, val, gains.get(iteration - 1))
    shown, details = _metrics(verdict, gains, regression, iteration)
    write_metrics(shown, details, METRICS)
    lines = (f"iteration {iteration}: {verdict.verdict}. {verdict.reason}", *_said(row, gains))
    for line in (*lines, *regression_lines(details)):
        print(f"[CONVERGENCE] {line}")


def _metrics(
    verdict: Verdict, gains: Mapping[int, Gain], regression: Regression, iteration: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what metrics/converge.json shows in DVC's tables, and what it holds besides."""
    before = gains.get(iteration - 1)
    shown = {
        **{key: value for key, value in verdict._asdict().items() if key != "reason"},
        # whether another ruler measured the iteration before
        "ruler_changed": bool(before and before.other_ruler),
        "lost": regression.total("lost"),  # boxes of val that the iteration before found and this one misses
        "won": regression.total("won"),  # boxes that it missed and this one finds
    }
    # since the iteration before, and over the window
    details = {
        "reason": verdict.reason,
        "gains": [gain._asdict() for gain in gains.values()],
        "regression": regression_values(regression),  # what was lost and won since the iteration before
    }
    return shown, details


def _said(row: Mapping[str, Any], gains: Mapping[int, Gain]) -> list[str]:
    """Return F1 with its interval, what it gained since when, and which earlier iterations it does not compare with."""
    gained = [f"{gain_in(*one[1:4])} since iteration {one.since}" for one in gains.values() if one.gain is not None]
    others = [
        f"iteration {one.since} was measured by another ruler: {one.other_ruler}"
        for one in gains.values()
        if one.other_ruler
    ]
    f1 = rate_in(row["f1"], row["f1_low"], row["f1_high"])
    return [", ".join([f"F1 on val {f1}", *gained]), *others]


main = stage_command("converge", run)

if __name__ == "__main__":
    main()
