"""Puts together what goes out beside the choice from the pool: sheets to check, a repeat, and all files of a packet."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.dataset.crops import to_grey
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, Sheet
from stages.picking.candidates import prelabels, with_class_names
from stages.picking.packet import Outgoing
from stages.picking.packet_choice import Chooser
from stages.picking.packet_order import OrderedSheet, in_order
from stages.picking.sampling.sample_inputs import SampleInputs
from stages.picking.second_looks.recheck_arm import recheck_rows
from stages.picking.second_looks.repeat_arm import (
    REPEAT,
    candidates_of,
    draw_repeat,
    hides_a_repeat,
    is_due,
    repeat_rows,
    with_new,
)


def added_rows(scored: pd.DataFrame, known: SampleInputs, chooser: Chooser) -> pd.DataFrame:
    """Return what to look at on sheets that go out beside the choice `scored`, rows of candidates with their arm.

    Nothing is added to a packet for which nothing was picked.
    """
    params, parts = known.params, [pd.DataFrame(columns=["image_id", "arm"])]
    if params.recheck_share:
        rows = recheck_rows(scored, known.seen, share=params.recheck_share, reviewed=known.reviewed)
        parts.append(with_class_names(rows, known.classes))
    if is_due(known.iteration, params.repeat_every) and hides_a_repeat(scored, known.seen.images):
        parts.append(_repeat(scored, known, chooser, without=set(parts[-1]["image_id"])))
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _repeat(scored: pd.DataFrame, known: SampleInputs, chooser: Chooser, *, without: Collection[str]) -> pd.DataFrame:
    params = known.params
    rng = np.random.default_rng([params.seed, known.iteration, 1])  # of its own: the choice stays what it is
    name = draw_repeat(read_manifest(DATASET / "train" / MANIFEST), without=without, rng=rng)
    if name is None:
        return pd.DataFrame()
    grey = to_grey(read_bgr(_file(known.files, name).image))
    own = candidates_of(name, known.seen, grey=grey, limits=known.limits, plausible=params.plausible, iou=known.iou)
    return repeat_rows(with_class_names(own, known.classes), scored, chooser, rng)


def outgoing(rows: pd.DataFrame, known: SampleInputs, *, rng: np.random.Generator) -> list[Outgoing]:
    """Return the sheets of the packet in the reviewer's order, with their files; `rows` are all candidates."""
    images = known.seen.images
    facts = {row["image_id"]: row for row in images[images["split"].isin(["pool", "train"])].to_dict("records")}
    shown = rows[rows["arm"] != ""]
    ranks = shown.dropna(subset="rank").groupby("image_id")["rank"].min().to_dict()
    as_new = set(_repeats(rows))
    names = sorted(set(shown["image_id"]))
    order = in_order([OrderedSheet(name, facts[name]["group"], ranks.get(name)) for name in names], rng)
    sizes = {name: (facts[name]["width"], facts[name]["height"], facts[name]["group"]) for name in names}
    return [Outgoing(_file(known.files, name), *sizes[name], as_new=name in as_new) for name in order]


def packet_prelabels(rows: pd.DataFrame, known: SampleInputs) -> pd.DataFrame:
    """Return the detections that the review of sheets without labels starts from, and that of a repeat in `rows`."""
    as_new = _repeats(rows)
    detections, images = with_new(known.seen.detections, as_new), with_new(known.seen.images, as_new)
    return prelabels(detections, images, confidence=known.params.prelabel_confidence)


def _repeats(rows: pd.DataFrame) -> list[str]:
    """Return the sheets of train that go out as if they were new."""
    return [str(name) for name in rows.loc[rows["arm"] == REPEAT, "image_id"].unique()]


def _file(files: Mapping[str, Sheet], image_id: str) -> Sheet:
    if image_id not in files:
        raise problem("added_sheets.sheet_validate_saw", Path("data/dataset/pool/images") / image_id)
    return files[image_id]
