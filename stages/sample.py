"""Chooses what a person looks at next, and puts it into a packet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from stages.core.boxes import BOX, area
from stages.core.candidates import labels_to_check, pool_candidates, without_duplicates, without_wrong_labels
from stages.core.reasons import reason, with_check
from stages.core.sampling import FACTORS, Weights, choose, count_sizes, rarity
from stages.files.command import stage_command
from stages.files.dataset import read_split
from stages.files.packet import write_packet
from stages.files.packet_pictures import write_contact_sheet
from stages.files.params import Strict, read_classes, read_iteration, read_section
from stages.files.schemas import DETECTIONS, FINDINGS, GROUND_TRUTH, IMAGES, SUSPECTS
from stages.files.size_bounds import SizeBounds
from stages.files.tables import read_table, write_csv, write_metrics

VALIDATE = Path("data/validate")
FINDINGS_FILE = Path("data/analyze/findings.parquet")
SUSPECTS_FILE = Path("data/analyze/suspects.parquet")
CANDIDATES = Path("data/sample/candidates.csv")
METRICS = Path("metrics/sample.json")
FIGURE = Path("plots/sample/packet.png")
_SHOWN = ("chosen_objects", "packet_sheets", "labels_to_check")  # in DVC's tables; the file has all
KINDS = ("missed", "uncertain", "nothing_seen")
COLUMNS = [
    "rank",
    "image_id",
    "kind",
    "class_name",
    *BOX,
    "confidence",
    "size",
    "position",
    "score",
    *FACTORS,
    "reason",
]

Weight = Annotated[float, Field(ge=0)]


class Params(Strict):
    """Section `sample`: how much goes to review, and what is preferred."""

    budget: int = Field(ge=1)
    class_balance: Weight
    size_diversity: Weight
    spatial_diversity: Weight
    uncertainty: Weight
    most_per_sheet: float = Field(gt=0, le=1)
    plausible: float = Field(ge=0, le=1)
    prelabel_confidence: float = Field(ge=0, le=1)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_weight_counts(self) -> Self:
        if sum(self.weights()) == 0:
            raise ValueError("at least one of the four weights above 0")
        return self

    def weights(self) -> Weights:
        """Return the weights of the four factors."""
        return Weights(self.class_balance, self.size_diversity, self.spatial_diversity, self.uncertainty)


def run() -> None:
    """Choose the objects of the pool that are most worth a look; the packet is the sheets that hold them."""
    params, classes = read_section(Params, "sample"), read_classes()
    bounds = read_section(SizeBounds, "analyze")
    images = read_table(VALIDATE / "images.parquet", IMAGES)
    suspects = read_table(SUSPECTS_FILE, SUSPECTS)
    findings = without_wrong_labels(read_table(FINDINGS_FILE, FINDINGS), suspects)
    found = pool_candidates(images=images, findings=findings, plausible=params.plausible)
    to_check = labels_to_check(suspects)
    truth = read_table(VALIDATE / "ground_truth.parquet", GROUND_TRUTH)
    scored = score(
        found.assign(class_name=[_name(class_id, classes) for class_id in found["class_id"]]),
        train=truth[truth["split"] == "train"],
        classes=classes,
        bounds=bounds.areas,
        params=params,
        rng=np.random.default_rng([params.seed, read_iteration()]),
    )
    checks = scored["image_id"].map(to_check).fillna(0).astype(int)
    scored["reason"] = [with_check(said, labels) for said, labels in zip(scored["reason"], checks, strict=True)]
    chosen = scored[scored["rank"].notna()]
    detections = read_table(VALIDATE / "detections.parquet", DETECTIONS)
    pictures = write_packet(
        chosen,
        sheets={sheet.image_id: sheet for sheet in read_split("pool")},
        prelabels=prelabels(detections, images, confidence=params.prelabel_confidence),
        classes=classes,
    )
    metrics = counts(scored, pool_sheets=int((images["split"] == "pool").sum()), to_check=to_check)
    write_csv(scored[COLUMNS], CANDIDATES)
    _draw(chosen, pictures, metrics)
    rest = {key: value for key, value in metrics.items() if key not in _SHOWN}
    write_metrics({key: metrics[key] for key in _SHOWN}, rest, METRICS)
    print(f"[SAMPLING] {_summary(metrics)}")


def score(
    candidates: pd.DataFrame,
    *,
    train: pd.DataFrame,
    classes: Sequence[str],
    bounds: Sequence[float],
    params: Params,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the candidates with factors, score, rank and reason; `train` is that split's ground truth."""
    per_class = np.bincount(train["class_id"], minlength=len(classes))
    ranked = choose(
        candidates,
        class_rarity=rarity(dict(zip(classes, per_class.tolist(), strict=True))),
        size_rarity=rarity(count_sizes(area(train[BOX].to_numpy(float)), bounds)),
        weights=params.weights(),
        budget=params.budget,
        most_per_sheet=params.most_per_sheet,
        rng=rng,
    )
    reasons = [reason(row.to_dict(), params.weights()) for _, row in ranked.iterrows()]
    return ranked.assign(reason=pd.Series(reasons, dtype="str"))


def prelabels(detections: pd.DataFrame, images: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Return labels to start from on unlabelled pool sheets: image_id, class_id, box, width and height."""
    sheets = images[(images["split"] == "pool") & ~images["labelled"]]
    pool = detections[(detections["split"] == "pool") & (detections["confidence"] >= confidence)]
    kept = without_duplicates(pool).merge(sheets[["image_id", "width", "height"]], on="image_id")
    return kept.sort_values(["image_id", "detection_id"], ignore_index=True)


def counts(scored: pd.DataFrame, *, pool_sheets: int, to_check: pd.Series) -> dict[str, int]:
    """Return the metrics: candidates by kind, objects chosen, the sheets that hold them, and labels that look wrong.

    `to_check` is how many of those a sheet has, by image_id; they are no candidates.
    """
    chosen = scored[scored["rank"].notna()]
    return {
        "candidates": len(scored),
        **{kind: int((scored["kind"] == kind).sum()) for kind in KINDS},
        "chosen_objects": len(chosen),
        "packet_sheets": int(chosen["image_id"].nunique()),
        "pool_sheets": pool_sheets,
        "labels_to_check": int(to_check.sum()),
    }


def _name(class_id: object, classes: Sequence[str]) -> str:
    return classes[int(class_id)] if isinstance(class_id, int | np.integer) else ""


def _summary(metrics: dict[str, int]) -> str:
    kinds = ", ".join(f"{metrics[kind]} {kind.replace('_', ' ')}" for kind in KINDS)
    picked = f"{metrics['chosen_objects']} of {metrics['candidates']} candidates ({kinds})"
    doubtful = metrics["labels_to_check"]
    check = f"; {doubtful} labels of the pool look wrong (yoloop suspects)" if doubtful else ""
    return f"{picked} go to review, on {metrics['packet_sheets']} of {metrics['pool_sheets']} pool sheets{check}"


def _draw(chosen: pd.DataFrame, pictures: Sequence[np.ndarray], metrics: dict[str, int]) -> None:
    write_contact_sheet(
        pictures,
        titles=[_title(row.to_dict()) for _, row in chosen.iterrows()],
        captions=list(chosen["reason"]),
        heading=_summary(metrics),
        file=FIGURE,
    )


def _title(row: Mapping[Any, Any]) -> str:
    return f"{row['rank']}   {row['score']:.2f}   {row['kind'].replace('_', ' ')}"


main = stage_command(
    "sample",
    run,
    reads="params.yaml (iteration, classes, sample, areas of analyze), data/validate, data/analyze, data/dataset/pool",
    writes="data/sample (candidates.csv, packet), metrics/sample.json, plots/sample",
)

if __name__ == "__main__":
    main()
