"""What a packet yields: errors that a reviewer mends per minute and per box, of each strategy over chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX
from stages.picking.candidates import without_duplicates
from stages.picking.sheet_choice import forecast
from stages.picking.strategies.earned_order import expected
from stages.picking.strategies.pool_view import Order, PoolView, by_score, summed
from stages.picking.strategies.review_cost import ReviewCost
from stages.picking.strategies.strategy_list import SHEET_STRATEGIES, order_sheets
from stages.review.ledger.correction_ledger import box_ledger

PLAIN = ("doubt_sum", "doubt_max")  # sum and maximum of 1 - |2p - 1| over the boxes of a sheet
BEST = "best"  # the sheets with most errors per minute, known in hindsight: what there is to get
NAMES = (*SHEET_STRATEGIES, *PLAIN, BEST)
LUCKY = ("random", "by_group")  # strategies that lean on luck


def packet_yields(
    view: PoolView, found: pd.DataFrame, *, names: Sequence[str], wanted: int, draws: int, packet: int
) -> list[dict[str, Any]]:
    """Return a row per strategy of `names`: errors per minute and per box over those of the whole pool, and a forecast.

    `found` is what `mended` says of the sheets of `view`, in their order; `wanted` sheets are picked. What leans on
    luck is the mean of `draws` packets; `packet` is the second number of every seed.
    """
    chance, guess = rates(found), expected(view, ReviewCost())
    rows = []
    for name in names:
        for draw in range(draws if name in LUCKY else 1):
            picked = order_of(name, view, found, np.random.default_rng([draw, packet]))[:wanted]
            own = rates(found.iloc[picked])
            rows.append(
                {
                    "strategy": name,
                    "per_minute": over_chance(own[0], chance[0]),
                    "per_box": over_chance(own[1], chance[1]),
                    **dict(zip(("expected", "low", "high"), forecast(guess, picked), strict=False)),
                    "found": found["errors"].iloc[picked].sum(),
                }
            )
    means = pd.DataFrame(rows).groupby("strategy", sort=False).mean().reset_index()
    return [{str(key): value for key, value in row.items()} for row in means.to_dict("records")]


def over_chance(own: float, chance: float) -> float:
    """Return the errors of a packet over those of the whole pool; 1 where the pool has none, and no packet can."""
    return own / chance if chance else 1.0


def order_of(name: str, view: PoolView, found: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the places of the sheets, the best first."""
    if name == BEST:
        return np.argsort(-(found["errors"] / found["minutes"]).to_numpy(), kind="stable")
    if name in PLAIN:
        return _plain(name, view, rng).places
    return order_sheets(name, view, cost=ReviewCost(), rng=rng).places  # type: ignore[arg-type]


def mended(
    names: Sequence[str], detections: pd.DataFrame, truth: pd.DataFrame, *, iou: float, prelabel: float
) -> pd.DataFrame:
    """Return boxes, errors and minutes of a review of each sheet of the pool, in the order of `names`.

    Pre-labels are the `detections` of confidence `prelabel` and more; `truth` holds what is really there.
    """
    own = detections[(detections["split"] == "pool") & (detections["confidence"] >= prelabel)]
    kept = without_duplicates(own)
    before = kept.assign(prelabel_id=kept["detection_id"].astype(str), class_name=kept["class_id"].astype(str))
    after = truth.assign(prelabel_id="", class_name=truth["class_id"].astype(str))
    columns = ["image_id", "prelabel_id", "class_name", *BOX]
    ledger = box_ledger(prelabels=before[[*columns, "confidence"]], reviewed=after[columns], iou=iou)
    counts = ledger.groupby("image_id")["error"].agg(["size", "sum"]).reindex(list(names), fill_value=0)
    boxes, errors = counts["size"].to_numpy(float), counts["sum"].to_numpy(float)
    minutes = ReviewCost().minutes(sheets=np.ones(len(boxes)), boxes=boxes, errors=errors)
    return pd.DataFrame({"boxes": boxes, "errors": errors, "minutes": minutes})


def rates(found: pd.DataFrame) -> tuple[float, float]:
    """Return errors per minute and per box; without a box there is no error."""
    errors, minutes, boxes = (float(found[name].sum()) for name in ("errors", "minutes", "boxes"))
    return errors / minutes, errors / max(boxes, 1.0)


def _plain(name: str, view: PoolView, rng: np.random.Generator) -> Order:
    """Return the order of a plain baseline on raw confidences of at least 0.1."""
    doubts = np.where(view.confidence >= 0.1, 1 - np.abs(2 * view.confidence - 1), 0.0)
    if name == "doubt_sum":
        score = summed(doubts, view)
    else:
        score = np.zeros(len(view.sheets))
        np.maximum.at(score, view.sheet, doubts)
    return by_score(score, [""] * len(score), rng)
