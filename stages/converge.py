"""Decides whether another iteration is worth it, and adds this one to the history."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from stages.base.command import stage_command
from stages.base.errors import problem
from stages.base.params import Strict, read_classes, read_iteration, read_section
from stages.base.tables import read_metrics, write_csv, write_metrics
from stages.convergence.agreement import Agreement, agreement_with
from stages.convergence.gains import Gain, MeasuredIteration, comparable, gains_of, measured, measured_now, val_scatter
from stages.convergence.history.history_file import read_carried, write_history
from stages.convergence.history_rows import history_row, long_by_class, with_row
from stages.convergence.outcome_files import (
    read_outcomes,
    read_parent_outcomes,
    read_pool_boxes,
    read_pool_groups,
    read_val,
    write_outcomes,
)
from stages.convergence.packet_forecast import PacketForecast, forecast
from stages.convergence.regression import Regression, regression_since
from stages.convergence.regression_lines import regression_lines, regression_values
from stages.convergence.score_files import read_scores, read_sheets
from stages.convergence.sheet_history import SHEETS, read_carried_sheets, write_sheets
from stages.convergence.stop_evidence import Answer, Measured, Rate, judge_evidence
from stages.convergence.stop_rules import StopLimits, Verdict, judge
from stages.ruler.scores.score_rows import row_of
from stages.ruler.size_bounds import SizeBounds
from stages.ruler.validate_params import ValidateParams
from stages.wording.quantities import counted
from stages.wording.rates import gain_in, rate, rate_in

VALIDATE = Path("metrics/validate.json")
REVIEW = Path("metrics/review.json")
METRICS = Path("metrics/converge.json")
HISTORY = Path("plots/converge/history.csv")  # rows 0..N; `yoloop advance` carries it over
CLASSES = Path("plots/converge/classes.csv")
PACKETS = Path("plots/converge/packets.csv")
PACKET_COLUMNS = [
    "iteration",  # whose packet it was
    "expected",  # errors that it was expected to hold on its picked sheets; empty with `hard`
    "low",  # low end of the 95 % interval of that
    "high",  # high end of it
    "found",  # errors that the review found there
]

Fraction = Annotated[float, Field(ge=0, le=1)]


class ConvergeParams(Strict):
    """Section `converge`: when to stop."""

    rule: Literal["classic", "evidence"] = "classic"
    target_f1: Fraction
    max_iterations: int = Field(ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    plateau_gain: Fraction
    plateau_window: int = Field(ge=1)
    overfit_gap: Fraction


Params = ConvergeParams  # as every stage calls them


def run() -> None:
    """Decide whether to go on: target, iterations, minutes, plateau, overfitting, in this order."""
    params = read_section(ConvergeParams, "converge")
    limits = StopLimits(**params.model_dump(exclude={"rule"}))
    classes, iteration = read_classes(), read_iteration()
    carried = read_carried(iteration, classes)
    earlier = measured(carried, read_carried_sheets(carried["ruler"].tolist()))
    before = read_parent_outcomes(iteration)
    metrics, scores, sheets, review = read_metrics(VALIDATE), read_scores(), read_sheets(), read_metrics(REVIEW)
    val = read_val(sheets, classes, read_section(SizeBounds, "analyze").areas)
    try:
        now = measured_now(metrics, iteration=iteration, sheets=sheets)
        iterations = [*earlier, now]
        gains = gains_of(iterations, window=limits.plateau_window)
        seen = _measured(metrics, scores, review, iterations, gains.get(iteration - limits.plateau_window), limits)
        verdict, answers = _judged(seen, limits, rule=params.rule)
        row = history_row(
            metrics, scores, iteration=iteration, classes=classes, verdict=verdict.verdict, rule=verdict.rule
        )
    except KeyError as error:
        raise problem("converge.key", VALIDATE, error=error) from error
    packet = forecast(seen.f1, seen.val_sd, review.get("packet_minutes"))
    history = with_row(carried, row, classes=classes)
    write_history(history, HISTORY)
    write_csv(long_by_class(history, classes), CLASSES)
    write_csv(_packets(review, iteration), PACKETS)
    write_sheets(iterations, SHEETS)
    groups = read_pool_groups()
    drawn = read_pool_boxes(list(groups), confidence=metrics["confidence"])
    outcomes = read_outcomes(val, drawn, iteration=iteration, ruler=now.ruler)
    write_outcomes(outcomes)
    regression = regression_since(before, outcomes, val, gains.get(iteration - 1))
    agreed = agreement_with(before, outcomes, groups=groups, iou=read_section(ValidateParams, "validate").iou)
    shown, details = _metrics(verdict, gains, answers, packet, regression, agreed, iteration)
    write_metrics(shown, details, METRICS)
    beside = [*_random_said(review, earlier), *([agreed.says] if agreed.says else [])]
    said = [*_said(row, gains), *beside, packet.says, *regression_lines(details)]
    for line in (f"iteration {iteration}: {verdict.verdict}. {verdict.reason}", *said):
        print(f"[CONVERGENCE] {line}")


def _measured(
    metrics: Mapping[str, Any],
    scores: pd.DataFrame,
    review: Mapping[str, Any],
    iterations: Sequence[MeasuredIteration],
    gain: Gain | None,
    limits: StopLimits,
) -> Measured:
    """Return what is known after the last of `iterations`; `gain` is that over the window."""
    alike = comparable(iterations)
    return Measured(
        val=Rate(metrics["f1"], metrics["f1_low"], metrics["f1_high"]),
        train=_of_train(metrics, scores),
        gain=gain,
        f1=[one.f1 for one in alike if one.f1 is not None],
        val_sd=val_scatter(alike, window=limits.plateau_window) if alike else None,
        sheets=len(iterations[-1].sheets),
        done=len(iterations),
        minutes=review.get("minutes_so_far"),  # a review of an earlier version does not say
    )


def _of_train(metrics: Mapping[str, Any], scores: pd.DataFrame) -> Rate:
    """Return F1 on train, undefined where it has no sheet yet: after a start without labels."""
    if not any(one["labelled"] for one in metrics["splits"] if one["split"] == "train"):
        return Rate(None, None, None)
    train = row_of(scores, split="train")
    return Rate(metrics["train_f1"], train["f1_low"], train["f1_high"])


def _judged(seen: Measured, limits: StopLimits, *, rule: str) -> tuple[Verdict, list[Answer]]:
    if rule == "evidence":
        return judge_evidence(seen, limits)
    return judge(seen.val.value, seen.train.value, seen.gain, limits, done=seen.done, minutes=seen.minutes), []


def _metrics(
    verdict: Verdict,
    gains: Mapping[int, Gain],
    answers: Sequence[Answer],
    packet: PacketForecast,
    regression: Regression,
    agreed: Agreement,
    iteration: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what metrics/converge.json shows in DVC's tables, and what it holds besides."""
    before = gains.get(iteration - 1)
    shown = {
        **{key: value for key, value in verdict._asdict().items() if key != "reason"},
        # whether another ruler measured the iteration before
        "ruler_changed": bool(before and before.other_ruler),
        "lost": regression.total("lost"),  # boxes of val that the iteration before found and this one misses
        "won": regression.total("won"),  # boxes that it missed and this one finds
        "agreement": agreed.agreement,  # with the iteration before, on the pool: F1 of the one's boxes to the other's
    }
    details = {
        "reason": verdict.reason,
        # since the iteration before, and over the window
        "gains": [gain._asdict() for gain in gains.values()],
        # with `converge.rule: evidence`: what target, plateau and overfitting answer
        "answers": [answer._asdict() for answer in answers],
        # what one packet more will bring
        "forecast": packet._asdict(),
        # what was lost and won since the iteration before
        "regression": regression_values(regression),
        # how far the iteration before and this one agree on the pool
        "pool_agreement": agreed._asdict(),
    }
    return shown, details


def _packets(review: Mapping[str, Any], iteration: int) -> pd.DataFrame:
    """Return a row per iteration so far, empty where no packet was reviewed: a plot of no rows has no size."""
    found = pd.DataFrame(review.get("packets", []), columns=PACKET_COLUMNS).set_index("iteration")
    return found.reindex(range(iteration + 1)).astype({"found": "Int64"}).reset_index()


def _random_said(review: Mapping[str, Any], earlier: Sequence[MeasuredIteration]) -> list[str]:
    """Return F1 on random sheets of the pool beside that on val, both of the iteration whose packet was reviewed."""
    found = review.get("random_prelabels") or {}
    if found.get("f1") is None or not earlier:
        return []
    f1 = rate_in(found["f1"], found["f1_low"], found["f1_high"])
    sheets = counted(found["sheets"], "random sheet")
    return [f"iteration {earlier[-1].iteration} on {sheets} of the pool: F1 {f1}; on val {rate(earlier[-1].f1)}"]


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
