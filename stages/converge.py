"""Decides whether another iteration is worth it, and adds this one to the history."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from stages.core.convergence import Limits, Verdict, judge
from stages.core.errors import problem
from stages.core.history import history_row, long_by_class, with_row
from stages.files.command import stage_command
from stages.files.history import read_carried, write_history
from stages.files.params import Strict, read_classes, read_iteration, read_section
from stages.files.tables import read_json, write_csv, write_json

VALIDATE = Path("metrics/validate.json")
METRICS = Path("metrics/converge.json")
HISTORY = Path("plots/converge/history.csv")  # rows 0..N; `yoloop advance` carries it over
CLASSES = Path("plots/converge/classes.csv")

Fraction = Annotated[float, Field(ge=0, le=1)]


class Params(Strict):
    """Section `converge`: when to stop."""

    target_f1: Fraction
    max_iterations: int = Field(ge=1)
    plateau_gain: Fraction
    plateau_window: int = Field(ge=1)
    overfit_gap: Fraction


def run() -> None:
    """Decide whether to go on: target, number of iterations, plateau, overfitting, in this order."""
    limits = Limits(**read_section(Params, "converge").model_dump())
    classes, iteration = read_classes(), read_iteration()
    carried = read_carried(iteration, classes)
    metrics = read_json(VALIDATE)
    try:
        verdict = judge([*_f1(carried), metrics["val"]["f1"]], metrics["train"]["f1"], limits)
        row = history_row(metrics, iteration=iteration, classes=classes, verdict=verdict.verdict, rule=verdict.rule)
    except KeyError as error:
        raise problem(
            VALIDATE, expected=f"the key {error}", found="none", mend="Run `dvc repro` to write it again."
        ) from error
    history = with_row(carried, row, classes=classes)
    write_history(history, HISTORY)
    write_csv(long_by_class(history, classes), CLASSES)
    write_json(_metrics(verdict), METRICS)
    print(f"[CONVERGENCE] iteration {iteration}: {verdict.verdict}. {verdict.reason}")


def _f1(history: pd.DataFrame) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in history["f1"]]


def _metrics(verdict: Verdict) -> dict[str, Any]:
    return dict(verdict._asdict())


main = stage_command(
    "converge",
    run,
    reads="params.yaml (iteration, classes, converge), metrics/history.csv, metrics/validate.json",
    writes="metrics/converge.json, plots/converge/history.csv, plots/converge/classes.csv",
)

if __name__ == "__main__":
    main()
