"""Chooses what a person looks at next, and puts it into a packet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from stages.analysis.analysis_tables import FINDINGS, SUSPECTS
from stages.base.boxes import BOX
from stages.base.command import stage_command
from stages.base.errors import problem
from stages.base.params import Strict, read_classes, read_iteration, read_section
from stages.base.tables import read_metrics, read_table, write_csv, write_metrics
from stages.dataset.sheets.split_folder import Sheet, read_split
from stages.picking.arms_file import ARMS
from stages.picking.candidates import labels_to_check, pool_candidates, prelabels, without_wrong_labels
from stages.picking.greedy_choice import FACTORS, Weights
from stages.picking.packet import Outgoing, Packet, read_packet, write_packet
from stages.picking.packet_choice import PickPlan, pick, rarities_of
from stages.picking.packet_order import OrderedSheet, in_order
from stages.picking.packet_pictures import write_contact_sheet
from stages.picking.reasons import with_check
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.ruler.size_bounds import SizeBounds

VALIDATE = Path("data/validate")
FINDINGS_FILE = Path("data/analyze/findings.parquet")
SUSPECTS_FILE = Path("data/analyze/suspects.parquet")
CANDIDATES = Path("data/sample/candidates.csv")
METRICS = Path("metrics/sample.json")
MEASURED = Path("metrics/validate.json")
FIGURE = Path("plots/sample/packet.png")
_SHOWN = ("chosen_objects", "packet_sheets", "labels_to_check")  # in DVC's tables; the file has all
KINDS = (
    "missed",  # boxes of the pool that were not found
    "uncertain",  # detections on sheets without labels
    "nothing_seen",  # sheets without a plausible detection
)
_KIND = {kind: kind.replace("_", " ") for kind in KINDS}
COLUMNS = [
    "rank",  # from 1, the best first; empty for what was not chosen
    "arm",
    "image_id",
    "kind",  # missed, uncertain, nothing_seen
    "class_name",
    *BOX,
    "confidence",
    "size",
    "position",
    "score",  # sum of the four factors by their weights, 0 to 1
    *FACTORS,
    "reason",
]

Weight = Annotated[float, Field(ge=0)]


class SampleParams(Strict):
    """Section `sample`: how much goes to review, and what is preferred."""

    budget: int = Field(ge=1)
    class_balance: Weight
    size_diversity: Weight
    spatial_diversity: Weight
    uncertainty: Weight
    most_per_sheet: float = Field(gt=0, le=1)
    plausible: float = Field(ge=0, le=1)
    prelabel_confidence: float = Field(ge=0, le=1)
    random_share: float = Field(default=0.1, ge=0, lt=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_weight_counts(self) -> Self:
        if sum(self.weights()) == 0:
            raise ValueError("at least one of the four weights above 0")
        return self

    def weights(self) -> Weights:
        """Return the weights of the four factors."""
        return Weights(self.class_balance, self.size_diversity, self.spatial_diversity, self.uncertainty)

    def plan(self) -> PickPlan:
        """Return what picking needs of it."""
        return PickPlan(self.budget, self.weights(), self.most_per_sheet, self.plausible, self.random_share)


Params = SampleParams  # as every stage calls them


def run() -> None:
    """Choose the objects of the pool that are most worth a look; the packet is the sheets that hold them.

    Some sheets are drawn at random besides, and nothing in the packet tells which.
    """
    params, classes = read_section(SampleParams, "sample"), read_classes()
    bounds = read_section(SizeBounds, "analyze").areas
    images = read_table(VALIDATE / "images.parquet", IMAGES)
    pool = images[images["split"] == "pool"]
    suspects = read_table(SUSPECTS_FILE, SUSPECTS)
    findings = without_wrong_labels(read_table(FINDINGS_FILE, FINDINGS), suspects)
    found = pool_candidates(images=images, findings=findings, plausible=params.plausible)
    to_check = labels_to_check(suspects)
    truth = read_table(VALIDATE / "ground_truth.parquet", GROUND_TRUTH)
    detections = read_table(PREDICTED / "detections.parquet", DETECTIONS)
    rarities = rarities_of(truth[truth["split"] == "train"], classes=classes, bounds=bounds)
    candidates = found.assign(class_name=[_name(class_id, classes) for class_id in found["class_id"]])
    rng = np.random.default_rng([params.seed, read_iteration()])
    scored = pick(
        candidates,
        pool=pool,
        detections=detections[detections["split"] == "pool"],
        classes=classes,
        rarities=rarities,
        bounds=bounds,
        plan=params.plan(),
        rng=rng,
    )
    checks = scored["image_id"].map(to_check).fillna(0).astype(int)
    scored["reason"] = [with_check(said, labels) for said, labels in zip(scored["reason"], checks, strict=True)]
    pictures = write_packet(
        outgoing(scored, pool, rng=rng),
        focus=scored[scored["arm"] != ""],
        detections=prelabels(detections, images, confidence=params.prelabel_confidence),
        classes=classes,
        iteration=read_iteration(),
        seed=params.seed,
        ruler=str(read_metrics(MEASURED)["ruler"]),
    )
    metrics = counts(scored, pool_sheets=len(pool), to_check=to_check)
    write_csv(scored[COLUMNS], CANDIDATES)
    arms = scored.loc[scored["arm"] != "", ["image_id", "arm"]].drop_duplicates().sort_values("image_id")
    write_csv(arms, ARMS)
    _draw(read_packet(), pictures, metrics)
    rest = {key: value for key, value in metrics.items() if key not in _SHOWN}
    write_metrics({key: metrics[key] for key in _SHOWN}, rest, METRICS)
    print(f"[SAMPLING] {_summary(metrics)}")


def outgoing(scored: pd.DataFrame, pool: pd.DataFrame, *, rng: np.random.Generator) -> list[Outgoing]:
    """Return the sheets of the packet in the reviewer's order, with their files."""
    facts = {row["image_id"]: row for row in pool.to_dict("records")}
    shown = scored[scored["arm"] != ""]
    ranks = shown.dropna(subset="rank").groupby("image_id")["rank"].min().to_dict()
    names = sorted(set(shown["image_id"]))
    order = in_order([OrderedSheet(name, facts[name]["group"], ranks.get(name)) for name in names], rng)
    files = {sheet.image_id: sheet for sheet in read_split("pool")}
    return [
        Outgoing(_file(files, name), facts[name]["width"], facts[name]["height"], facts[name]["group"])
        for name in order
    ]


def _file(files: Mapping[str, Sheet], image_id: str) -> Sheet:
    if image_id not in files:
        raise problem("sample.sheet_validate_saw", f"data/dataset/pool/images/{image_id}")
    return files[image_id]


def counts(scored: pd.DataFrame, *, pool_sheets: int, to_check: pd.Series) -> dict[str, int]:
    """Return the metrics: candidates by kind, objects chosen, the sheets that hold them, and labels that look wrong.

    `to_check` is how many of those a sheet has, by image_id; they are no candidates.
    """
    chosen = scored[scored["rank"].notna()]
    return {
        "candidates": len(scored),  # all that might have gone to review: the sum of the three kinds
        **{kind: int((scored["kind"] == kind).sum()) for kind in KINDS},
        # candidates that go to review: at most `sample.budget`, and at most `sample.most_per_sheet` of it on one sheet
        # while there is anything else
        "chosen_objects": len(chosen),
        "packet_sheets": int(scored.loc[scored["arm"] != "", "image_id"].nunique()),  # sheets that go to review
        # sheets of these that were drawn at random from the whole pool, on top of the budget: `sample.random_share`
        "random_sheets": int(scored.loc[scored["arm"] == "random", "image_id"].nunique()),
        "pool_sheets": pool_sheets,  # sheets in the pool
        "labels_to_check": int(to_check.sum()),  # labels of the pool that look wrong; they are no candidates
    }


def _name(class_id: object, classes: Sequence[str]) -> str:
    return classes[int(class_id)] if isinstance(class_id, int | np.integer) else ""


def _summary(metrics: dict[str, int]) -> str:
    kinds = ", ".join(f"{metrics[kind]} {kind.replace('_', ' ')}" for kind in KINDS)
    picked = f"{metrics['chosen_objects']} of {metrics['candidates']} candidates ({kinds})"
    random, doubtful = metrics["random_sheets"], metrics["labels_to_check"]
    by_chance = f", {random} of them drawn at random" if random else ""
    check = f"; {doubtful} labels of the pool look wrong (yoloop suspects)" if doubtful else ""
    sheets = f"{metrics['packet_sheets']} of {metrics['pool_sheets']} pool sheets{by_chance}"
    return f"{picked} go to review, on {sheets}{check}"


def _draw(packet: Packet, pictures: Sequence[np.ndarray], metrics: dict[str, int]) -> None:
    place = {sheet.image_id: sheet.order for sheet in packet.sheets}
    write_contact_sheet(
        pictures,
        titles=[f"sheet {place[row['image_id']]}   {_KIND[row['kind']]}" for _, row in packet.focus.iterrows()],
        captions=list(packet.focus["reason"]),
        heading=_summary(metrics),
        file=FIGURE,
    )


main = stage_command("sample", run)

if __name__ == "__main__":
    main()
