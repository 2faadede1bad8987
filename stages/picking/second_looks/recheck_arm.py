"""The arm `recheck`: sheets that have labels, some of which look wrong, go back to a person; it alone is marked.

`analyze` weighs for every label, and for every detection without one, how much speaks against the labels
(stages/analysis/triage.py), on each split against what is usual there: a model that learned from wrong labels is sure
of many of them, and then nothing is suspected. The suspicions of a sheet are summed up: that many errors are expected,
and the sheets with most of them in a minute of review come first. Val and test are never looked at.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from stages.base.boxes import BOX
from stages.picking.random_arm import PICKED
from stages.picking.reasons import with_check
from stages.picking.sampling.sample_inputs import SeenTables
from stages.picking.strategies.review_cost import ReviewCost, known_cost

RECHECK = "recheck"
KIND = "label"  # of what such a sheet points at
SPLITS = ("train", "pool")
SHOWN = 5  # labels of a sheet that the packet points at


def worth_checking(
    suspects: pd.DataFrame, truth: pd.DataFrame, *, cost: ReviewCost, without: Collection[str] = ()
) -> pd.DataFrame:
    """Return the labelled sheets of train and pool with a label that looks wrong, most errors per minute first.

    `suspects` and `truth` have the columns of SUSPECTS and GROUND_TRUTH; sheets of `without` (image_id) are left out.
    The columns are split, image_id, labels (that look wrong), errors (expected) and minutes.
    """
    own = suspects[suspects["split"].isin(SPLITS) & ~suspects["image_id"].isin(list(without))]
    doubtful = own[own["judgement"] != "model"].assign(
        labels=lambda rows: rows["judgement"] == "label", missing=lambda rows: rows["object_id"].isna()
    )
    sheets = (
        doubtful.groupby(["split", "image_id"])
        .agg(labels=("labels", "sum"), errors=("score", "sum"), missing=("missing", "sum"))
        .reset_index()
    )
    sheets = sheets[sheets["labels"] > 0]
    drawn = truth.groupby("image_id").size().reindex(sheets["image_id"], fill_value=0).to_numpy(float)
    errors = sheets["errors"].to_numpy(float)
    minutes = cost.minutes(sheets=np.ones(len(sheets)), boxes=drawn + sheets["missing"].to_numpy(float), errors=errors)
    order = np.lexsort((sheets["image_id"].to_numpy(str), -(errors / minutes).round(9)))
    return sheets.drop(columns="missing").assign(minutes=minutes).iloc[order].reset_index(drop=True)


def sheets_to_check(sheets: int, *, share: float) -> int:
    """Return how many sheets make `share`, in [0, 1), of a packet with `sheets` picked ones: at least one.

    None where the share is 0 and where nothing was picked: an empty packet says that the loop is at its end.
    """
    return max(1, round(share * sheets / (1 - share))) if share and sheets else 0


def share_now(share: float, reviewed: Mapping[str, Any]) -> float:
    """Return the share of this packet, from what metrics/review.json says of the reviews so far.

    It is `share` while rechecked sheets brought at least as many errors per minute as picked ones did, or nothing is
    known yet, and half of it otherwise.
    """
    rates = {row["arm"]: row.get("errors_per_minute") for row in reviewed.get("arms", [])}
    found, picked = rates.get(RECHECK), rates.get(PICKED)
    return share if found is None or picked is None or found >= picked else share / 2


def recheck_rows(packet: pd.DataFrame, seen: SeenTables, *, share: float, reviewed: Mapping[str, Any]) -> pd.DataFrame:
    """Return what to look at on the sheets that are rechecked along with `packet`, which has arm and image_id.

    `share` is that of the params, `reviewed` is metrics/review.json. A sheet that is in the packet already, or was
    rechecked before, is not chosen. Columns as those of `marked`.
    """
    picked = packet.loc[packet["arm"] == PICKED, "image_id"].nunique()
    there = packet.loc[packet["arm"] != "", "image_id"]
    without = {*there, *reviewed.get("rechecked", [])}
    worth = worth_checking(seen.suspects, seen.truth, cost=known_cost(reviewed), without=without)
    return marked(worth[: sheets_to_check(picked, share=share_now(share, reviewed))], seen)


def marked(chosen: pd.DataFrame, seen: SeenTables) -> pd.DataFrame:
    """Return what to look at on the sheets `chosen` (of `worth_checking`): the labels that look wrong, surest first.

    Rows as candidates have them, without class_name; the place is that of the label, or of the detection where a label
    is missing. Every reason says that the label is to be checked.
    """
    own = seen.suspects.merge(chosen[["split", "image_id", "labels"]], on=["split", "image_id"])
    own = own[own["judgement"] == "label"].sort_values(["image_id", "score"], ascending=[True, False], kind="stable")
    own = own[own.groupby("image_id").cumcount() < SHOWN]
    key = ["split", "image_id"]
    there = own.merge(seen.truth[[*key, "object_id", *BOX]], on=[*key, "object_id"], how="left")
    shown = own.merge(seen.detections[[*key, "detection_id", *BOX]], on=[*key, "detection_id"], how="left")
    corners = there[BOX].where(there[BOX].notna(), shown[BOX]).to_numpy(float)
    missing = own["object_id"].isna().to_numpy()
    rows = own.drop(columns=["score", "labels"]).reset_index(drop=True).assign(kind=KIND, arm=RECHECK)
    rows[BOX] = corners
    rows["confidence"] = rows["confidence"].where(missing)  # of a label it is none
    reasons = [with_check(said, int(n)) for said, n in zip(own["reason"], own["labels"], strict=True)]
    return rows.assign(reason=pd.Series(reasons, dtype="str"))
