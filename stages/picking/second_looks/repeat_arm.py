"""The arm `repeat`: now and then a sheet that was reviewed before goes out again, like any other, as if it were new.

It starts from the model's present detections, and nothing in the packet tells it from a picked sheet. What comes back,
beside what came back the first time, says how far a reviewer agrees with himself; no F1 can be known better than that.
"""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.analysis.findings import FindingLimits, contrasts, describe, usual_aspects
from stages.base.boxes import BOX
from stages.dataset.sheets.manifest import ManifestRow
from stages.picking.candidates import pool_candidates
from stages.picking.packet_choice import Chooser, shown_as
from stages.picking.sampling.sample_inputs import SeenTables

REPEAT = "repeat"
REVIEWERS = ("person", "folder", "oracle")  # who has reviewed, as LABEL_SOURCES has them; oracle: in simulations


def is_due(iteration: int, every: int) -> bool:
    """Say whether the packet of `iteration` has a repeat, one in `every` packets; 0: none has.

    The first packet never has one: nothing was reviewed before it.
    """
    return every > 0 and iteration > 0 and iteration % every == 0


def hides_a_repeat(packet: pd.DataFrame, images: pd.DataFrame) -> bool:
    """Say whether a sheet of `packet`, which has arm and image_id, starts from the model's detections.

    Where all start from labels of their own, a sheet that does not would be known at once.
    """
    bare = images.loc[(images["split"] == "pool") & ~images["labelled"], "image_id"]
    return bool(packet.loc[packet["arm"] != "", "image_id"].isin(bare).any())


def draw_repeat(train: Iterable[ManifestRow], *, without: Collection[str], rng: np.random.Generator) -> str | None:
    """Return one of the sheets of `train` that somebody reviewed, each as likely, None where there is none."""
    names = sorted(row.image_id for row in train if row.label_source in REVIEWERS and row.image_id not in without)
    return str(rng.choice(names)) if names else None


def with_new(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return `table` (IMAGES or DETECTIONS) and the rows of the sheets `names` of train once more, `as_pool`."""
    return pd.concat([table, *(as_pool(table, name) for name in names)], ignore_index=True) if names else table


def as_pool(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of the sheet `name` of train as those of a sheet of the pool that has no labels."""
    own = table[(table["split"] == "train") & (table["image_id"] == name)].assign(split="pool")
    return own.assign(labelled=False) if "labelled" in own else own


def candidates_of(
    name: str, seen: SeenTables, *, grey: NDArray[np.uint8], limits: FindingLimits, plausible: float, iou: float
) -> pd.DataFrame:
    """Return the candidates of the sheet `name` of train, as `analyze` and `sample` make them of one without labels.

    `grey` (height, width) is its picture.
    """
    image, detections = as_pool(seen.images, name), as_pool(seen.detections, name)
    types = {"object_id": "Int32", "detection_id": "Int32", "confidence": "Float64", "class_id": "int32"}
    judged = detections.assign(outcome="unjudged").reindex(columns=[*detections, "outcome", "object_id"])
    rows = judged.astype(types).reset_index(drop=True)
    usual = usual_aspects(seen.train)
    described = describe(rows, images=image, detections=detections, usual=usual, limits=limits, iou=iou)
    contrast = contrasts(grey, rows[BOX].to_numpy(float))
    findings = described.assign(low_contrast=contrast < limits.low_contrast)
    return pool_candidates(images=image, findings=findings, plausible=plausible)


def repeat_rows(own: pd.DataFrame, packet: pd.DataFrame, chooser: Chooser, rng: np.random.Generator) -> pd.DataFrame:
    """Return what to look at on the repeat: of its candidates `own` as many as on some sheet picked in `packet`."""
    per_sheet = packet[packet["rank"].notna()].groupby("image_id").size().tolist()
    ranked = chooser.show(own, np.arange(len(own)), int(rng.choice(per_sheet)), rng)
    return shown_as(REPEAT, own, ranked)
