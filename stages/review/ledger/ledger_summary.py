"""Sums a ledger up: what the review found, how good the pre-labels were, what it cost, and whether the picker paid."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stages.picking.picker_verdict import Arm, Comparison, compare, verdict
from stages.picking.random_arm import PICKED, RANDOM
from stages.picking.second_looks.recheck_arm import RECHECK
from stages.picking.strategies.earlier_reviews import cost_of
from stages.picking.strategies.review_cost import ReviewCost
from stages.review.ledger.correction_ledger import OUTCOMES, count_outcomes
from stages.review.ledger.review_minutes import minutes_of
from stages.ruler.scores.intervals import rate_estimates

UNSEEN = "auto"  # labels that nobody looked at: no review
FROM_POOL = (PICKED, RANDOM)  # the arms whose sheets the model has not learned from


def sheet_rows(boxes: pd.DataFrame, sheets: pd.DataFrame) -> pd.DataFrame:
    """Return `sheets` (image_id and what else is known of each) with counts of their rows in the ledger `boxes`."""
    there = dict(list(boxes.groupby("image_id", sort=False)))
    counts = [
        {"boxes": len(rows), **count_outcomes(rows)}
        for name in sheets["image_id"]
        for rows in [there.get(name, boxes[:0])]
    ]
    table = pd.DataFrame(counts, columns=["boxes", *OUTCOMES, "errors"], index=sheets.index)
    return sheets.join(table.astype("int64"))


class Past(NamedTuple):
    """What metrics/review.json keeps of every review, by iteration."""

    judged: Sequence[Mapping[str, Any]] = ()  # detections that reviews have judged
    packets: Sequence[Mapping[str, Any]] = ()  # what was expected of a packet, and found
    repeats: Sequence[Mapping[str, Any]] = ()  # how a second look at a sheet agrees with the first (`agreements`)

    def before(self, iteration: int) -> "Past":
        """Return what is of earlier iterations; the rest is of another line."""
        return Past(*([row for row in rows if row["iteration"] < iteration] for rows in self))

    def after(
        self, iteration: int, *, judged: Sequence[Mapping[str, Any]], repeats: Sequence[Mapping[str, Any]]
    ) -> "Past":
        """Return it with what the review of `iteration` judged and repeated; its packet is not yet among them."""
        own = {"iteration": iteration}
        return self._replace(
            judged=[*self.judged, *({**own, **row} for row in judged)],
            repeats=[*self.repeats, *({**own, **row} for row in repeats)],
        )


def summarize(
    boxes: pd.DataFrame,
    sheets: pd.DataFrame,
    *,
    iteration: int,
    source: str | None,
    packet_sheets: int,
    iou: float,
    past: Past,
    forecast: Mapping[str, Any],
) -> dict[str, Any]:
    """Return metrics/review.json; what is undefined is None.

    `boxes` is the ledger of the review of `iteration` by `source` (None: there was none yet), `sheets` has the rows of
    all reviews so far. The arms are compared over all sheets that somebody looked at; the rest is about this review,
    and counts no sheet that nobody looked at. `packet_sheets` is how many went out, `iou` is the ruler's. `past` has
    what this review judged and repeated, and the packets before it; `forecast` is what metrics/sample.json expected of
    this review.
    """
    last, every = sheets[sheets["iteration"] == iteration], sheets[sheets["source"] != UNSEEN]
    seen = last[last["source"] != UNSEEN]
    of_pool = seen[seen["arm"].isin(FROM_POOL)]
    boxes = boxes[boxes["image_id"].isin(of_pool["image_id"])]
    found = compare(every)
    shown = _shown(seen, found, forecast, f1=prelabel_quality(boxes, iou=iou)["f1"])
    details = {
        "source": source,  # the tool
        "packet_sheets": packet_sheets,  # sheets that went out
        **_about_boxes(boxes, seen, of_pool, iou=iou),
        **_over_all(every, found),
        # minutes of this review, sheets without a time as `seconds` says
        "packet_minutes": minutes_of(seen, timed=every) if len(seen) else None,
        # F1 of the model's pre-labels on the sheets that were drawn at random, with its 95 % interval over these sheets
        "random_prelabels": random_prelabels(boxes, seen, iou=iou),
        # per review what became of the model's detections, by class and confidence: what the picker learns from
        "judged": list(past.judged),
        # errors that each packet was expected to hold on its picked sheets (with the 95 % interval; null with `hard`),
        # those that were found there, and the minutes of the review
        "packets": [*past.packets, *([_promise(iteration, shown)] if len(seen) else [])],
        # per sheet that was reviewed a second time: boxes that both reviews have (`tp`), only the second one (`fp`),
        # only the first one (`fn`)
        "repeats": list(past.repeats),
        "agreement": agreement(past.repeats),  # the sums of these, and the F1 between the two, 0 to 1
        **_unseen(last[last["source"] == UNSEEN], sheets),
    }
    return {**shown, "details": [details]}


def _shown(seen: pd.DataFrame, found: Comparison, forecast: Mapping[str, Any], *, f1: float | None) -> dict[str, Any]:
    """Return what DVC's tables show."""
    return {
        **_totals(seen),
        "prelabel_f1": f1,  # F1 of the pre-labels against the review, 0 to 1
        # time spent, where the tool says so
        "minutes": None if (seconds := _seconds(seen)) is None else seconds / 60,
        "picked_errors": int(seen.loc[seen["arm"] == PICKED, "errors"].sum()),  # errors on the picked sheets
        # how many the packet had promised there; null with `hard`
        "expected_errors": forecast.get("expected_errors"),
        "expected_errors_low": forecast.get("expected_errors_low"),  # its low end
        "expected_errors_high": forecast.get("expected_errors_high"),  # its high end
        **_gain(found),
    }


def _promise(iteration: int, shown: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "iteration": iteration,
        "expected": shown["expected_errors"],
        "low": shown["expected_errors_low"],
        "high": shown["expected_errors_high"],
        "found": shown["picked_errors"],
        "minutes": shown["minutes"],
    }


def _about_boxes(boxes: pd.DataFrame, seen: pd.DataFrame, of_pool: pd.DataFrame, *, iou: float) -> dict[str, Any]:
    """Return what became of the boxes of this review, how good its pre-labels were, and what a box cost."""
    timed, seconds = seen[seen["seconds"].notna()], _seconds(seen)
    return {
        **{name: int(seen[name].sum()) for name in OUTCOMES},
        # precision, recall and F1 of the pre-labels on sheets of the pool that were picked or drawn at random, and the
        # boxes behind them
        "prelabels": prelabel_quality(boxes, iou=iou),
        "prelabels_by_class": _by_class(boxes, iou=iou),  # the same per class
        # the same apart for labels that the pool had (claims) and those of the model
        "prelabels_by_origin": _by_origin(boxes, of_pool, iou=iou),
        "timed_sheets": len(timed),  # sheets whose time is known
        # time per box on these
        "seconds_per_box": None if seconds is None else _ratio(seconds, int(timed["boxes"].sum())),
    }


def _over_all(every: pd.DataFrame, found: Comparison) -> dict[str, Any]:
    cost = cost_of(every)
    return {
        # sheets, boxes and errors of picked, random and rechecked sheets, over all reviews so far; errors per minute by
        # what a sheet, a box and an error take (`seconds`)
        "arms": _arms(every, found, cost),
        "verdict": verdict(found),  # whether the picker is better than chance, in a sentence
        # seconds that a sheet, a box and an error take, fitted on the sheets of all reviews that have a time
        "seconds": cost._asdict(),
        "minutes_so_far": minutes_of(every, timed=every),  # as `packet_minutes`, of all reviews
        # sheets whose labels were checked in all reviews so far: none is checked twice
        "rechecked": sorted(set(every.loc[every["arm"] == RECHECK, "image_id"])),
    }


def _unseen(unseen: pd.DataFrame, sheets: pd.DataFrame) -> dict[str, Any]:
    return {
        # sheets and boxes of this review that nobody looked at: in none of the other numbers
        "auto": {"sheets": len(unseen), "boxes": int((unseen["boxes"] - unseen["deleted"]).sum())},
        # such sheets in all reviews so far
        "auto_sheets": int((sheets["source"] == UNSEEN).sum()),
    }


def prelabel_quality(boxes: pd.DataFrame, *, iou: float) -> dict[str, Any]:
    """Return precision, recall and F1 of the pre-labels against the review: same class, IoU from `iou` on; or None."""
    right = int(_right(boxes, iou=iou).sum())
    before, after = int((boxes["class_before"] != "").sum()), int((boxes["class_after"] != "").sum())
    return {
        "before": before,
        "after": after,
        "right": right,
        "precision": _ratio(right, before),
        "recall": _ratio(right, after),
        "f1": _ratio(2 * right, before + after),
    }


def random_prelabels(boxes: pd.DataFrame, seen: pd.DataFrame, *, iou: float) -> dict[str, Any]:
    """Return sheets, f1, f1_low and f1_high of the model's pre-labels on random sheets; what is undefined is None.

    Chance drew these sheets from the whole pool, so this is the pool's own F1, which nobody chose anything by.
    """
    names = seen.loc[(seen["arm"] == RANDOM) & (seen["labels_from"] == "model"), "image_id"].tolist()
    sides = [_right(boxes, iou=iou), boxes["class_before"] != "", boxes["class_after"] != ""]
    sums = [side.astype("int64").groupby(boxes["image_id"]).sum().reindex(names, fill_value=0) for side in sides]
    tp, before, after = (np.asarray(one, dtype=np.int64)[:, None] for one in sums)
    if not names:
        return {"sheets": 0, "f1": None, "f1_low": None, "f1_high": None}
    f1 = rate_estimates(tp=tp, fp=before - tp, fn=after - tp, unit=np.arange(len(names)))["f1"]
    ends = {"f1": f1.value, "f1_low": f1.low, "f1_high": f1.high}
    return {"sheets": len(names), **{key: None if np.isnan(one[0]) else float(one[0]) for key, one in ends.items()}}


def _right(boxes: pd.DataFrame, *, iou: float) -> pd.Series:
    """Return for each row of the ledger whether its pre-label was right."""
    same = boxes["class_before"] == boxes["class_after"]
    return same & ((boxes["iou"] >= iou).fillna(False) | (boxes["outcome"] == "confirmed"))


def agreements(repeats: pd.DataFrame, *, iou: float) -> list[dict[str, Any]]:
    """Return tp, fp and fn of each sheet in a ledger of a first review (before) and a second one (after)."""
    rows = []
    for name, boxes in repeats.groupby("image_id"):
        counts = prelabel_quality(boxes, iou=iou)
        fp, fn = counts["after"] - counts["right"], counts["before"] - counts["right"]
        rows.append({"image_id": str(name), "tp": counts["right"], "fp": fp, "fn": fn})
    return rows


def agreement(repeats: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums of `agreements`, and how far the two reviews agree: F1, None without a box."""
    tp, fp, fn = (sum(int(row[name]) for row in repeats) for name in ("tp", "fp", "fn"))
    return {"sheets": len(repeats), "tp": tp, "fp": fp, "fn": fn, "f1": _ratio(2 * tp, 2 * tp + fp + fn)}


def _arms(sheets: pd.DataFrame, found: Comparison, cost: ReviewCost) -> list[dict[str, Any]]:
    own = {name: sheets[sheets["arm"] == name] for name in (PICKED, RANDOM, RECHECK)}
    boxes, errors = int(own[RECHECK]["boxes"].sum()), int(own[RECHECK]["errors"].sum())
    checked = Arm(len(own[RECHECK]), boxes, errors, _ratio(errors, boxes))
    arms = {PICKED: found.picked, RANDOM: found.random, RECHECK: checked}
    return [
        {"arm": name, **arm._asdict(), "errors_per_minute": _per_minute(own[name], cost)} for name, arm in arms.items()
    ]


def _per_minute(sheets: pd.DataFrame, cost: ReviewCost) -> float | None:
    if not len(sheets):
        return None
    boxes, errors = sheets["boxes"].to_numpy(float), sheets["errors"].to_numpy(float)
    return float(errors.sum() / cost.minutes(sheets=np.ones(len(sheets)), boxes=boxes, errors=errors).sum())


def _seconds(seen: pd.DataFrame) -> float | None:
    timed = seen["seconds"].dropna()
    return float(timed.sum()) if len(timed) else None


def _totals(seen: pd.DataFrame) -> dict[str, Any]:
    boxes, errors = int(seen["boxes"].sum()), int(seen["errors"].sum())
    return {
        "sheets": len(seen),  # sheets that were reviewed
        "boxes": boxes,  # looked at on them: before or after the review
        # boxes that were added, deleted or given another class, or lay farther off than `validate.iou` allows
        "errors": errors,
        "errors_per_box": _ratio(errors, boxes),  # their share, 0 to 1
    }


def _gain(found: Comparison) -> dict[str, Any]:
    return {
        "picked_errors_per_box": found.picked.errors_per_box,  # on picked sheets, over all reviews so far, 0 to 1
        # on those that were drawn at random; an iteration weighs the same in both
        "random_errors_per_box": found.random.errors_per_box,
        "picker_gain": found.gain,  # the one minus the other, within each iteration and averaged, -1 to 1
        "picker_gain_low": found.low,
        "picker_gain_high": found.high,
    }


def _by_class(boxes: pd.DataFrame, *, iou: float) -> list[dict[str, Any]]:
    names = sorted({*boxes["class_before"], *boxes["class_after"]} - {""})
    parts = {name: boxes[(boxes["class_before"] == name) | (boxes["class_after"] == name)] for name in names}
    return [{"class_name": name, **prelabel_quality(_only(rows, name), iou=iou)} for name, rows in parts.items()]


def _by_origin(boxes: pd.DataFrame, sheets: pd.DataFrame, *, iou: float) -> list[dict[str, Any]]:
    """Return the quality of claims (the pool's own labels) and of the model's detections, each where there are any."""
    names = {origin: rows["image_id"] for origin, rows in sheets.groupby("labels_from")}
    return [
        {"labels_from": origin, "sheets": len(some), **prelabel_quality(boxes[boxes["image_id"].isin(some)], iou=iou)}
        for origin, some in names.items()
    ]


def _only(boxes: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows as one class sees them: a box that became another class was a false one, or a missing one."""
    return boxes.assign(
        class_before=boxes["class_before"].where(boxes["class_before"] == name, ""),
        class_after=boxes["class_after"].where(boxes["class_after"] == name, ""),
    )


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
