"""P, R, F1 and AP of each split: over all boxes, per class, per size and per group, each with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX, area
from stages.ruler.matching.matching import SHEET, on_sheets
from stages.ruler.scores.ap_intervals import ap_estimates
from stages.ruler.scores.average_precision import hit_table
from stages.ruler.scores.intervals import Estimates, rate_estimates, units_of
from stages.ruler.scores.score_rows import COLUMNS, OUTCOMES, RATES
from stages.ruler.sizes import SIZES, area_range, size_ids


class JudgedSplit(NamedTuple):
    """The labelled sheets of one split with all that was on them and seen there (IMAGES, GROUND_TRUTH, ...)."""

    images: pd.DataFrame
    ground_truth: pd.DataFrame
    detections: pd.DataFrame
    matches: pd.DataFrame

    def only(self, chosen: NDArray[np.bool_]) -> "JudgedSplit":
        """Return the part of the sheets that `chosen`, (sheets,), names."""
        images = self.images[chosen]
        return JudgedSplit(images, *(on_sheets(part, images) for part in self[1:]))


def score_table(judged: JudgedSplit, *, classes: Sequence[str], size_bounds: Sequence[float]) -> pd.DataFrame:
    """Return the scores of one split with the columns `COLUMNS`: a row for all, each class, size and group.

    `size_bounds` are the three areas in px² between the sizes: a find or a miss goes by the size of its box, a false
    alarm by its own. In AP of 'all' classes weigh alike, in the rest boxes do. Undefined: NaN. A split without
    labelled sheets has no rows.
    """
    if not len(judged.images):
        return pd.DataFrame(columns=COLUMNS)
    parts = [
        _all_and_classes(judged, classes),
        _sizes(judged, classes, size_bounds),
        *_groups(judged, classes),
    ]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return table.assign(split=judged.images["split"].iloc[0])[COLUMNS]


def sheet_counts(*, images: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Return split, image_id, group, confidence, tp, fp, fn of every labelled sheet, sorted by split and image_id.

    `images` is the table IMAGES, `matches` the table MATCHES.
    """
    labelled = images.loc[images["labelled"], [*SHEET, "group", "confidence"]]
    counted = matches.groupby([*SHEET, "outcome"]).size().unstack(fill_value=0)
    counts = counted.reindex(columns=list(OUTCOMES), fill_value=0).reset_index()
    table = labelled.merge(counts, on=SHEET, how="left").fillna(dict.fromkeys(OUTCOMES, 0))
    return table.astype(dict.fromkeys(OUTCOMES, "int64")).sort_values(SHEET, ignore_index=True)


def _all_and_classes(judged: JudgedSplit, classes: Sequence[str]) -> pd.DataFrame:
    found, boxes = judged.matches["class_id"].to_numpy(), judged.ground_truth["class_id"].to_numpy()
    every = [np.ones(len(found), dtype=bool), *(found == i for i in range(len(classes)))]
    table = hit_table(
        detections=judged.detections,
        ground_truth=judged.ground_truth,
        sheets=judged.images,
        classes=len(classes),
    )
    rates = {**_rates(judged, every), **ap_estimates(table, unit=_units(judged))}
    counts = [len(boxes), *(int((boxes == i).sum()) for i in range(len(classes)))]
    parts = [("all", "all"), *(("class", name) for name in classes)]
    return _rows(judged, parts, every, boxes=counts, rates=rates)


def _sizes(judged: JudgedSplit, classes: Sequence[str], bounds: Sequence[float]) -> pd.DataFrame:
    found, boxes = _match_sizes(judged, bounds), size_ids(area(judged.ground_truth[BOX].to_numpy(float)), bounds)
    every = [found == i for i in range(len(SIZES))]
    tables = [
        hit_table(
            detections=judged.detections,
            ground_truth=judged.ground_truth,
            sheets=judged.images,
            classes=len(classes),
            areas=area_range(size, bounds),
        )
        for size in SIZES
    ]
    unit = _units(judged)
    aps = [ap_estimates(table, unit=unit) for table in tables]
    merged = {rate: _stacked([ap[rate] for ap in aps]) for rate in ("ap50", "ap50_95")}
    counts = [int((boxes == i).sum()) for i in range(len(SIZES))]
    return _rows(
        judged, [("size", size) for size in SIZES], every, boxes=counts, rates={**_rates(judged, every), **merged}
    )


def _groups(judged: JudgedSplit, classes: Sequence[str]) -> list[pd.DataFrame]:
    """Return the score of every named group over its own sheets."""
    names = judged.images["group"].to_numpy()
    rows = []
    for name in sorted({str(name) for name in names if name}):
        part = judged.only(names == name)
        alone = part._replace(images=part.images.assign(group=""))  # inside a group chance draws sheets
        total = _all_and_classes(alone, classes).iloc[[0]]
        rows.append(total.assign(part="group", name=name))
    return rows


def _match_sizes(judged: JudgedSplit, bounds: Sequence[float]) -> NDArray[np.int64]:
    """Return the size of each match: that of its box, or of the detection where there is none."""
    matches = judged.matches
    areas = []
    for table, key in ((judged.ground_truth, "object_id"), (judged.detections, "detection_id")):
        keys = pd.MultiIndex.from_frame(table[[*SHEET, key]].astype({key: "Int32"}))
        known = pd.Series(area(table[BOX].to_numpy(float)), index=keys)
        areas.append(known.reindex(pd.MultiIndex.from_frame(matches[[*SHEET, key]])).to_numpy(float))
    return size_ids(np.where(matches["object_id"].notna(), *areas), bounds)


def _units(judged: JudgedSplit) -> NDArray[np.int64]:
    return units_of(judged.images["group"].tolist())


def _rates(judged: JudgedSplit, chosen: Sequence[NDArray[np.bool_]]) -> dict[str, Estimates]:
    """Return f1, precision and recall of k choices of matches."""
    sheet = pd.MultiIndex.from_frame(judged.images[SHEET]).get_indexer(pd.MultiIndex.from_frame(judged.matches[SHEET]))
    outcome, sheets = judged.matches["outcome"].to_numpy(), len(judged.images)
    counts = {
        key: np.stack([np.bincount(sheet[one & (outcome == key)], minlength=sheets) for one in chosen], axis=1)
        for key in OUTCOMES
    }
    return rate_estimates(**counts, unit=_units(judged))


def _stacked(estimates: Sequence[Estimates]) -> Estimates:
    """Return the first number of each, together."""
    return Estimates(*(np.array([one[i][0] for one in estimates]) for i in range(3)))


def _rows(
    judged: JudgedSplit,
    parts: Sequence[tuple[str, str]],
    chosen: Sequence[NDArray[np.bool_]],
    *,
    boxes: Sequence[int],
    rates: dict[str, Estimates],
) -> pd.DataFrame:
    outcome = judged.matches["outcome"].to_numpy()
    table = pd.DataFrame(parts, columns=["part", "name"])
    table = table.assign(images=len(judged.images), boxes=list(boxes))
    table = table.assign(**{key: [int((one & (outcome == key)).sum()) for one in chosen] for key in OUTCOMES})
    ends = {
        f"{rate}{end}": values for rate in RATES for end, values in zip(("", "_low", "_high"), rates[rate], strict=True)
    }
    return table.assign(**ends)
