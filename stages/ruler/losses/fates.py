"""What became of every true box: found, or lost, and at which step.

A box goes through these steps: the network proposes candidates; those at most at the confidence floor are dropped, then
duplicates (NMS), then what is beyond `max_det`; windows of one sheet are merged; what a filter forbids goes; of the
rest those under the sheet's threshold do not count; and each of those that count finds one box at most. A lost box gets
the fate that names the last step at which something of its own was lost, because that step is the cheapest to mend. In
this order:

1. `found`: a detection that counts was matched with it.
2. A candidate of its class and in its place (the ruler's IoU), sure enough to count, was there, but `filter`: a filter
   dropped it; else `merge`: it went when windows were put together; else `max_det`: the sheet had too many; else
   `suppressed`: NMS took it for a duplicate; else `taken`: it was kept, and counted for a neighbouring box.
3. `under_threshold`: a candidate of its class and in its place was over the floor, but not sure enough to count.
4. `wrong_class`: a false alarm of another class is in its place; else `badly_placed`: a false alarm of its class
   overlaps it, but by less than the ruler's IoU. First those that count, then those under the threshold.
5. `under_floor`: in its place there were only candidates under the floor.
6. `never_proposed`: no candidate is in its place at all.

A detection that found another box says nothing about this one, and neither does a duplicate of it, except in 2; as the
very last resort, when nothing but such a one of another class is in its place, the fate is `wrong_class`.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.ruler.matching.matching import SHEET, row_thresholds
from stages.ruler.matching.overlaps import first_of, overlaps
from stages.ruler.pairing.evidence import FILTER, FLOOR, MAX_DET, MERGE, NEAR, NMS
from stages.ruler.pairing.pairs import Bools, Floats, Ints

KEPT = "kept"

FATES = (
    "found",
    "filter",
    "merge",
    "max_det",
    "suppressed",
    "taken",
    "under_threshold",
    "wrong_class",
    "badly_placed",
    "under_floor",
    "never_proposed",
)
# The fates of lost boxes by rank of their evidence: a smaller rank wins. Some have several ranks.
_RANKS = (*FATES[1:9], "wrong_class", "badly_placed", "under_floor", "under_floor", "wrong_class", "never_proposed")
_NOTHING = len(_RANKS) - 1


def ledger(
    *,
    images: pd.DataFrame,
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    discarded: pd.DataFrame,
    matches: pd.DataFrame,
    iou: float,
) -> pd.DataFrame:
    """Return the one fate of every row of `ground_truth`: the table LEDGER, in its order.

    The tables are IMAGES, GROUND_TRUTH, DETECTIONS, DISCARDED and MATCHES, `iou` is the ruler's. `confidence` and `iou`
    of a row are those of the evidence: the detection that found the box, or the surest candidate of its fate.
    """
    candidates = pd.concat([detections.assign(reason=KEPT), discarded], ignore_index=True)
    pairs = overlaps(detections=candidates, ground_truth=ground_truth, least=NEAR)
    row = candidates.iloc[pairs.detection]
    rank = _rank(
        right=row["class_id"].to_numpy() == ground_truth["class_id"].to_numpy()[pairs.truth],
        placed=pairs.iou >= iou,
        over=row["confidence"].to_numpy(float) >= row_thresholds(detections=row, images=images).to_numpy(),
        reason=row["reason"].to_numpy(),
        found=_found(row, matches),
    )
    confidence = row["confidence"].to_numpy(float)
    best = first_of(pairs.truth, order=(rank, -confidence, -pairs.iou))
    best = best[rank[best] < _NOTHING]
    lost = ground_truth[[*SHEET, "object_id", "class_id"]].reset_index(drop=True).assign(fate=_RANKS[_NOTHING])
    at = pairs.truth[best]
    lost.loc[at, "fate"] = np.array(_RANKS)[rank[best]]
    sure, near = (_scattered(len(lost), at, values[best]) for values in (confidence, pairs.iou))
    return _with_found(lost.assign(confidence=sure, iou=near), matches)


def fate_counts(fates: pd.DataFrame, *, classes: list[str], splits: list[str]) -> pd.DataFrame:
    """Return split, class_name, boxes and a column per fate: how many true boxes; per split a row "all", then classes.

    `fates` is what `ledger` returned. The fates of a row sum to its boxes.
    """
    rows = []
    for split in splits:
        here = fates[fates["split"] == split]
        for name, part in [("all", here), *((c, here[here["class_id"] == i]) for i, c in enumerate(classes))]:
            counts = part["fate"].value_counts()
            rows.append((split, name, len(part), *(int(counts.get(fate, 0)) for fate in FATES)))
    return pd.DataFrame(rows, columns=["split", "class_name", "boxes", *FATES])


def _rank(*, right: Bools, placed: Bools, over: Bools, reason: NDArray[np.object_], found: Bools) -> Ints:
    """Return for every pair of a candidate and a true box which of `_RANKS` it speaks for."""
    own, floored = right & placed, reason == FLOOR
    free = ~found & ~floored & (reason != NMS) & (reason != MERGE)
    wrong, beside = placed & ~right & free, right & ~placed & free
    cases = [
        own & over & (reason == FILTER),
        own & over & (reason == MERGE),
        own & over & (reason == MAX_DET),
        own & over & (reason == NMS),
        own & over & (reason == KEPT),
        own & ~floored,
        wrong & over,
        beside & over,
        wrong,
        beside,
        own & floored,
        placed & floored,
        placed,
    ]
    return np.select(cases, np.arange(len(cases)), default=_NOTHING).astype(np.int64)


def _found(rows: pd.DataFrame, matches: pd.DataFrame) -> Bools:
    """Return which rows are detections that found a box."""
    key = [*SHEET, "detection_id"]
    hits = pd.MultiIndex.from_frame(matches.loc[matches["outcome"] == "tp", key].astype({"detection_id": "Int64"}))
    kept = (rows["reason"] == KEPT).to_numpy()
    return kept & pd.MultiIndex.from_frame(rows[key].astype({"detection_id": "Int64"})).isin(hits)


def _with_found(lost: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the fate, confidence and iou of those boxes that have a tp in `matches`."""
    key = [*SHEET, "object_id"]
    hits = matches.loc[matches["outcome"] == "tp", [*key, "confidence", "iou"]].astype({"object_id": "int64"})
    at = pd.MultiIndex.from_frame(lost[key]).get_indexer(pd.MultiIndex.from_frame(hits[key]))
    for name in ("confidence", "iou"):
        lost.loc[at, name] = hits[name].to_numpy(float)
    lost.loc[at, "fate"] = "found"
    return lost


def _scattered(size: int, at: Ints, values: Floats) -> Floats:
    spread = np.full(size, np.nan)
    spread[at] = values
    return spread
