"""Puts together what goes out beside the choice from the pool: sheets to check, a repeat, and all files of a packet."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stages.analysis.findings import FindingLimits
from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.dataset.crops import to_grey
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, Sheet, read_split
from stages.picking.packet import Outgoing
from stages.picking.packet_choice import Chooser
from stages.picking.packet_order import OrderedSheet, in_order
from stages.picking.second_looks.recheck_arm import recheck_rows
from stages.picking.second_looks.repeat_arm import (
    REPEAT,
    candidates_of,
    draw_repeat,
    hides_a_repeat,
    is_due,
    repeat_rows,
)
from stages.picking.second_looks.seen_tables import SeenTables


class SecondPlan(NamedTuple):
    """What is asked for: of the section `sample` but for `iou`, the ruler's, and the iteration."""

    recheck_share: float
    repeat_every: int
    plausible: float
    seed: int
    iteration: int
    iou: float

    @property
    def splits(self) -> tuple[str, ...]:
        """Where sheets may come from: nothing is read of train unless it is asked for."""
        return ("pool", "train") if self.recheck_share or self.repeat_every else ("pool",)


def sheet_files(splits: Sequence[str]) -> dict[str, Sheet]:
    """Return the sheets of `splits` by image_id; raise `UserError` where they are not as their manifest lists them."""
    return {sheet.image_id: sheet for split in splits for sheet in read_split(split)}


def added_rows(
    scored: pd.DataFrame,
    seen: SeenTables,
    files: Mapping[str, Sheet],
    plan: SecondPlan,
    *,
    reviewed: Mapping[str, Any],
    limits: FindingLimits,
    chooser: Chooser,
    class_name: Callable[[object], str],
) -> pd.DataFrame:
    """Return what to look at on sheets that go out beside the choice `scored`, rows of candidates with their arm.

    `reviewed` is metrics/review.json. Nothing is added to a packet for which nothing was picked.
    """
    parts = [pd.DataFrame(columns=["image_id", "arm"])]
    if plan.recheck_share:
        parts.append(recheck_rows(scored, seen, share=plan.recheck_share, reviewed=reviewed))
    if is_due(plan.iteration, plan.repeat_every) and hides_a_repeat(scored, seen.images):
        parts.append(_repeat(scored, seen, files, plan, limits, chooser, class_name, parts[-1]["image_id"]))
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0]
    rows = pd.concat(filled, ignore_index=True)
    return rows.assign(class_name=[class_name(class_id) for class_id in rows["class_id"]])


def _repeat(
    scored: pd.DataFrame,
    seen: SeenTables,
    files: Mapping[str, Sheet],
    plan: SecondPlan,
    limits: FindingLimits,
    chooser: Chooser,
    class_name: Callable[[object], str],
    without: Collection[str],
) -> pd.DataFrame:
    rng = np.random.default_rng([plan.seed, plan.iteration, 1])  # of its own: the choice stays what it is
    name = draw_repeat(read_manifest(DATASET / "train" / MANIFEST), without=set(without), rng=rng)
    if name is None:
        return pd.DataFrame()
    grey = to_grey(read_bgr(_file(files, name).image))
    own = candidates_of(name, seen, grey=grey, limits=limits, plausible=plan.plausible, iou=plan.iou)
    named = own.assign(class_name=[class_name(class_id) for class_id in own["class_id"]])
    return repeat_rows(named, scored, chooser, rng)


def outgoing(
    rows: pd.DataFrame, images: pd.DataFrame, files: Mapping[str, Sheet], *, rng: np.random.Generator
) -> list[Outgoing]:
    """Return the sheets of the packet in the reviewer's order, with their files; `images` are those of all splits."""
    facts = {row["image_id"]: row for row in images[images["split"].isin(["pool", "train"])].to_dict("records")}
    shown = rows[rows["arm"] != ""]
    ranks = shown.dropna(subset="rank").groupby("image_id")["rank"].min().to_dict()
    as_new = set(shown.loc[shown["arm"] == REPEAT, "image_id"])
    names = sorted(set(shown["image_id"]))
    order = in_order([OrderedSheet(name, facts[name]["group"], ranks.get(name)) for name in names], rng)
    sizes = {name: (facts[name]["width"], facts[name]["height"], facts[name]["group"]) for name in names}
    return [Outgoing(_file(files, name), *sizes[name], as_new=name in as_new) for name in order]


def _file(files: Mapping[str, Sheet], image_id: str) -> Sheet:
    if image_id not in files:
        raise problem("added_sheets.sheet_validate_saw", Path("data/dataset/pool/images") / image_id)
    return files[image_id]
