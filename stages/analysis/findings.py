"""Describes what was missed and what was seen wrongly: size, place, contrast, shape, neighbours."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.base.boxes import BOX, Boxes, area, iou_matrix
from stages.ruler.matching.matching import SHEET, counting
from stages.ruler.pairing.pairs import Bools, Floats
from stages.ruler.sizes import SIZES, size_ids

POSITIONS = ("corner", "edge", "center")
ENOUGH_BOXES = 5  # of a class in train, from which its median says what shape is usual
_SHORTEST = 1e-6  # px, so that a box without height has a ratio too


class FindingLimits(NamedTuple):
    """Where the words begin: areas in px², border in px, contrast in grey values, ratios of sides."""

    tiny_area: float
    small_area: float
    medium_area: float
    border: float
    low_contrast: float
    aspect_factor: float
    aspect_min: float
    aspect_max: float
    overlap_iou: float

    @property
    def size_bounds(self) -> list[float]:
        """The three areas between tiny, small, medium and large, rising."""
        return [self.tiny_area, self.small_area, self.medium_area]


def size_names(areas: Floats, limits: FindingLimits) -> NDArray[np.str_]:
    """Return tiny, small, medium or large for areas (n,) in px²; an area at a limit has the larger size."""
    return np.array(SIZES)[size_ids(areas, limits.size_bounds)]


def border_distances(xyxy: Boxes, *, width: Floats, height: Floats) -> Floats:
    """Return how far boxes (n, 4) are from the left, top, right and bottom border, (n, 4) px, at least 0."""
    x1, y1, x2, y2 = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4).T
    return np.clip(np.stack([x1, y1, width - x2, height - y2], axis=1), 0, None)


def position_names(distances: Floats, *, border: float) -> NDArray[np.str_]:
    """Return corner, edge or center for distances (n, 4) as `border_distances` returns them.

    Two perpendicular borders nearer than `border` px make a corner, one (or two opposite ones) an edge.
    """
    near = distances < border
    sideways, upright = near[:, [0, 2]].any(axis=1), near[:, [1, 3]].any(axis=1)
    return np.select([sideways & upright, sideways | upright], POSITIONS[:2], POSITIONS[2])


def aspects(xyxy: Boxes) -> Floats:
    """Return width / height of boxes (n, 4), (n,)."""
    sides = np.clip(xyxy[:, 2:] - xyxy[:, :2], _SHORTEST, None)
    return np.asarray(sides[:, 0] / sides[:, 1], dtype=np.float64)


def usual_aspects(ground_truth: pd.DataFrame) -> dict[int, float]:
    """Return the median width / height per class_id, for the classes with at least `ENOUGH_BOXES` boxes."""
    values = pd.Series(aspects(ground_truth[BOX].to_numpy(float)), index=ground_truth["class_id"].to_numpy())
    groups = values.groupby(level=0)
    enough = groups.median()[groups.size() >= ENOUGH_BOXES]
    return {int(key): float(value) for key, value in zip(enough.index.tolist(), enough.tolist(), strict=True)}


def unusual_aspects(
    values: Floats, *, class_id: NDArray[np.int32], usual: Mapping[int, float], limits: FindingLimits
) -> Bools:
    """Return whether each width / height (n,) is odd for its class; fixed limits where none is usual."""
    typical = np.array([usual.get(int(key), np.nan) for key in class_id])
    factor = limits.aspect_factor
    own = (values > typical * factor) | (values < typical / factor)
    fixed = (values > limits.aspect_max) | (values < limits.aspect_min)
    return np.where(np.isnan(typical), fixed, own)


def contrasts(grey: NDArray[np.uint8], xyxy: Boxes) -> Floats:
    """Return the standard deviation, 0 to 127.5, of the pixels whose centres lie in each box; NaN if none do.

    `grey` is (height, width); boxes (n, 4) may reach over its borders.
    """
    height, width = grey.shape
    edges = np.ceil(np.asarray(xyxy, dtype=np.float64).reshape(-1, 4) - 0.5)
    x1, y1, x2, y2 = np.clip(edges, 0, [width, height, width, height]).astype(int).T
    crops = (grey[top:bottom, left:right] for left, top, right, bottom in zip(x1, y1, x2, y2, strict=True))
    return np.array([crop.std() if crop.size else np.nan for crop in crops], dtype=np.float64)


def select(
    *, images: pd.DataFrame, ground_truth: pd.DataFrame, detections: pd.DataFrame, matches: pd.DataFrame
) -> pd.DataFrame:
    """Return what there is to describe, with its box: fn, fp, and `unjudged` on sheets without labels."""
    misses = matches[matches["outcome"] == "fn"].merge(
        ground_truth[[*SHEET, "object_id", *BOX]], on=[*SHEET, "object_id"], validate="one_to_one"
    )
    alarms = matches[matches["outcome"] == "fp"].merge(
        detections[[*SHEET, "detection_id", *BOX]], on=[*SHEET, "detection_id"], validate="one_to_one"
    )
    unlabelled = images.loc[~images["labelled"], SHEET]
    unjudged = detections.merge(unlabelled, on=SHEET, validate="many_to_one").assign(outcome="unjudged")
    columns = [*SHEET, "outcome", "class_id", "object_id", "detection_id", "confidence", *BOX]
    types = {"object_id": "Int32", "detection_id": "Int32", "confidence": "Float64", "class_id": "int32"}
    parts = [part.reindex(columns=columns).astype(types) for part in (misses, alarms, unjudged)]
    return pd.concat(parts, ignore_index=True)


def describe(
    rows: pd.DataFrame,
    *,
    images: pd.DataFrame,
    detections: pd.DataFrame,
    usual: Mapping[int, float],
    limits: FindingLimits,
    iou: float,
) -> pd.DataFrame:
    """Return `rows` of `select` with every column of FINDINGS that needs no pixels (all but contrast).

    `images` says with which confidence each sheet is judged, `iou` what counts as found.
    """
    placed = with_place(rows, images=images, limits=limits)
    values = aspects(rows[BOX].to_numpy(float))
    odd = unusual_aspects(values, class_id=rows["class_id"].to_numpy(), usual=usual, limits=limits)
    judged = with_counting(detections, images=images)
    beside = neighbours(rows, detections=judged, iou=iou)
    return placed.assign(
        aspect=values,
        unusual_aspect=odd,
        overlap_iou=beside["overlap_iou"],
        overlapping=beside["overlap_iou"] > limits.overlap_iou,
        near_miss=beside["near_miss"],
    )


def with_counting(detections: pd.DataFrame, *, images: pd.DataFrame) -> pd.DataFrame:
    """Return `detections` with a column `counts`: whether each is at least as sure as its sheet asks for."""
    return detections.assign(counts=counting(detections, images=images))


def with_place(rows: pd.DataFrame, *, images: pd.DataFrame, limits: FindingLimits) -> pd.DataFrame:
    """Return `rows` (any boxes with split and image_id) with area, size, position and border_distance."""
    boxes = rows[BOX].to_numpy(float)
    sides = rows[SHEET].merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    width, height = sides["width"].to_numpy(float), sides["height"].to_numpy(float)
    distances = border_distances(boxes, width=width, height=height)
    areas = area(boxes)
    return rows.assign(
        area=areas,
        size=size_names(areas, limits),
        position=position_names(distances, border=limits.border),
        border_distance=distances.min(axis=1, initial=np.inf),
    )


def neighbours(rows: pd.DataFrame, *, detections: pd.DataFrame, iou: float) -> pd.DataFrame:
    """Return overlap_iou and near_miss for `rows`, with their index; `detections` as `with_counting` returns them.

    overlap_iou: with the best other detection of any class that counts; 0 without one.
    near_miss: for a miss, the highest confidence of those that found it but were not sure enough.
    """
    there = dict(list(detections.groupby(SHEET, sort=False)))
    parts = [
        _neighbours_on_sheet(here, there[key], iou) for key, here in rows.groupby(SHEET, sort=False) if key in there
    ]
    blank = pd.DataFrame({"overlap_iou": pd.Series(dtype="float64"), "near_miss": pd.Series(dtype="Float64")})
    table = (pd.concat(parts) if parts else blank).reindex(rows.index)
    return table.fillna({"overlap_iou": 0.0})


def confusions(findings: pd.DataFrame, *, iou: float) -> pd.DataFrame:
    """Return class_id, other_class_id: a row per miss with a false alarm of another class on it.

    `iou` is the least overlap of the two; of several alarms the one that overlaps most counts.
    """
    misses, alarms = (findings[findings["outcome"] == outcome] for outcome in ("fn", "fp"))
    there = dict(list(alarms.groupby(SHEET, sort=False)))
    parts = [
        _confusions_on_sheet(here, there[key], iou) for key, here in misses.groupby(SHEET, sort=False) if key in there
    ]
    blank = pd.DataFrame({"class_id": pd.Series(dtype="int32"), "other_class_id": pd.Series(dtype="int32")})
    table = pd.concat(parts) if parts else blank
    return table.sort_values(["class_id", "other_class_id"]).reset_index(drop=True)


def _confusions_on_sheet(misses: pd.DataFrame, alarms: pd.DataFrame, iou: float) -> pd.DataFrame:
    missed, seen = misses["class_id"].to_numpy(), alarms["class_id"].to_numpy()
    overlap = iou_matrix(misses[BOX].to_numpy(float), alarms[BOX].to_numpy(float))
    others = np.where(missed[:, None] != seen[None, :], overlap, -1.0)
    confused = others.max(axis=1) >= iou
    return pd.DataFrame({"class_id": missed[confused], "other_class_id": seen[others.argmax(axis=1)[confused]]})


def _neighbours_on_sheet(here: pd.DataFrame, there: pd.DataFrame, iou: float) -> pd.DataFrame:
    overlap = iou_matrix(here[BOX].to_numpy(float), there[BOX].to_numpy(float))
    confidence = there["confidence"].to_numpy(float)
    sure = there["counts"].to_numpy(bool)
    itself = here["detection_id"].fillna(-1).to_numpy(int)[:, None] == there["detection_id"].to_numpy()[None, :]
    best = np.where(sure[None, :] & ~itself, overlap, 0.0).max(axis=1, initial=0.0)
    same = here["class_id"].to_numpy()[:, None] == there["class_id"].to_numpy()[None, :]
    missed = (here["outcome"] == "fn").to_numpy()[:, None]
    nearly = np.where(same & missed & ~sure[None, :] & (overlap >= iou), confidence[None, :], -1.0)
    near = pd.Series(nearly.max(axis=1, initial=-1.0), index=here.index, dtype="Float64")
    return pd.DataFrame({"overlap_iou": best, "near_miss": near.mask(near < 0)}, index=here.index)
