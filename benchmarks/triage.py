"""How well the triage finds label errors: plants errors of known kinds among real labels, and counts what it finds.

Needs the predictions that `python -m benchmarks.folds` leaves. Of each kind of benchmarks/spoil.py 3 % of the labels
are spoiled, by several seeds. Real errors of the data are still there, and count as false alarms here.

    python -m benchmarks.triage circuits callouts --seeds 20

With `--planted` the errors are those that `python -m benchmarks.spoil` planted before the training, which saw them.
"""

from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks.folds import SCRATCH
from benchmarks.spoil import KINDS, Spoiled, plant
from stages.analysis.triage import triage
from stages.base.boxes import BOX, iou_matrix
from stages.base.tables import read_table
from stages.ruler.matching.matching import SHEET, outcomes
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH, IMAGES

IOU = 0.5
FIRST = 20  # suspects: so many are looked at before one gives up
THRESHOLDS = np.arange(0.1, 0.75, 0.05)


class Boxes(NamedTuple):
    """The tables of one dataset."""

    images: pd.DataFrame
    ground_truth: pd.DataFrame
    detections: pd.DataFrame


def main(
    names: Annotated[list[str], typer.Argument(help="Folders that `benchmarks.folds` left.")],
    share: Annotated[float, typer.Option(help="Of the labels, per kind.")] = 0.03,
    seeds: Annotated[int, typer.Option()] = 20,
    planted: Annotated[Path | None, typer.Option(help="errors.csv of `benchmarks.spoil`: plants no others.")] = None,
    home: Annotated[Path, typer.Option(help="Where `benchmarks.folds` left it.")] = SCRATCH,
) -> None:
    """Print found errors at k and k/2, and the share of each kind that is found: mean and range of the seeds."""
    for name in names:
        boxes = read(home / name)
        rows = [row for seed in range(seeds) for row in trial(boxes, spoiled(boxes, share, seed, planted), seed)]
        f1 = f1_of(judged(boxes, boxes.ground_truth)[1])  # of the labels without planted errors
        head = f"{name}: {len(boxes.images)} sheets, {len(boxes.ground_truth)} labels, F1 {f1:.3f}"
        print(f"\n{head}, {seeds} seeds")
        print(table(pd.DataFrame(rows)), flush=True)


def read(folder: Path) -> Boxes:
    """Return the tables of a dataset; all sheets are judged at the confidence with the best F1."""
    schemas = {"images": IMAGES, "ground_truth": GROUND_TRUTH, "detections": DETECTIONS}
    return Boxes(**{table: read_table(folder / f"{table}.parquet", schema) for table, schema in schemas.items()})


def spoiled(boxes: Boxes, share: float, seed: int, planted: Path | None) -> Spoiled:
    """Return labels with errors: new ones, or those that were there before the training."""
    if planted:
        errors = pd.read_csv(planted)
        there = errors[errors["image_id"].isin(boxes.images["image_id"])]  # not every fold may have been predicted
        return Spoiled(boxes.ground_truth, there.reset_index(drop=True))
    return plant(boxes.ground_truth, share, np.random.default_rng(seed))


def trial(boxes: Boxes, spoiled: Spoiled, seed: int) -> list[dict[str, object]]:
    """Return one row per ranking: hits at k and k/2, and the share of each kind that is found at k."""
    images, matches = judged(boxes, spoiled.ground_truth)
    spoilt = boxes._replace(images=images, ground_truth=spoiled.ground_truth)
    found = triage(**spoilt._asdict(), matches=matches, iou=IOU, trusted=True)
    suspects = found.sort_values("score", ascending=False, kind="stable")
    plain = by_confidence(matches, np.random.default_rng(seed))
    ranked = {
        "triage": suspects,
        "without duplicates": suspects[suspects["kind"] != "duplicate"],
        "confidence over 0.95": plain[plain["confidence"].fillna(0) > 0.95],
        "by confidence": plain,
    }
    k, of_kind = len(spoiled.errors), spoiled.errors["kind"].value_counts()
    rows = []
    for rule, order in ranked.items():
        found = hits(order[:k], spoiled, boxes.detections)
        row = {"rule": rule, "k": k, "listed": min(len(order), k), "found": len(set(found) - {-1})}
        row["half"] = len(set(found[: k // 2]) - {-1})
        row["first"] = np.mean([hit >= 0 for hit in found[:FIRST]]) if found else 0.0
        at = spoiled.errors.loc[sorted(set(found) - {-1}), "kind"].value_counts()
        rows.append({**row, **{kind: at.get(kind, 0) / of_kind[kind] for kind in KINDS}})
    return rows


def judged(boxes: Boxes, ground_truth: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return images with the confidence of the best F1, and the matches at it."""
    options = []
    for confidence in THRESHOLDS:
        matches = outcomes(
            detections=boxes.detections, ground_truth=ground_truth, iou=IOU, confidence=float(confidence)
        )
        options.append((f1_of(matches), float(confidence), matches))
    _, confidence, matches = max(options, key=lambda option: option[0])
    return boxes.images.assign(confidence=confidence), matches


def f1_of(matches: pd.DataFrame) -> float:
    """Return F1 of the outcomes of `matches`."""
    tp, fp, fn = matches["outcome"].value_counts().reindex(["tp", "fp", "fn"], fill_value=0)
    return float(2 * tp / (2 * tp + fp + fn))


def by_confidence(matches: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the plain rule: false alarms by falling confidence, then the misses in any order."""
    alarms = matches[matches["outcome"] == "fp"].sort_values("confidence", ascending=False, kind="stable")
    misses = matches[matches["outcome"] == "fn"]
    return pd.concat([alarms, misses.iloc[rng.permutation(len(misses))]])


def hits(ranked: pd.DataFrame, spoiled: Spoiled, detections: pd.DataFrame) -> list[int]:
    """Return for each of `ranked` the error that it points at, by its row, or -1.

    A suspect with a label points at the error of that label; one without at a true box of its class below it.
    """
    boxes = ranked[[*SHEET, "object_id", "detection_id", "class_id"]].merge(
        detections[[*SHEET, "detection_id", *BOX]], on=[*SHEET, "detection_id"], how="left"
    )
    there = dict(list(spoiled.errors.groupby(SHEET)))
    none = spoiled.errors[:0]
    return [_hit(row, there.get((row.split, row.image_id), none)) for row in boxes.itertuples()]


def _hit(suspect: "pd.core.frame.Series[object]", errors: pd.DataFrame) -> int:
    if errors.empty:
        return -1
    if not pd.isna(suspect.object_id):
        rows = errors[(errors["object_id"] == suspect.object_id) | (errors["twin"] == suspect.object_id)]
        return int(rows.index[0]) if len(rows) else -1
    errors = errors[(errors["class_id"] == suspect.class_id) & (errors["kind"] != "duplicate")]
    box = np.array([[suspect.x1, suspect.y1, suspect.x2, suspect.y2]], dtype=float)
    on = iou_matrix(box, errors[BOX].to_numpy(float))[0]
    return int(errors.index[on.argmax()]) if on.max(initial=0.0) >= IOU else -1


def table(rows: pd.DataFrame) -> str:
    """Return the means over seeds with their range as text."""
    rows = rows.assign(
        precision=rows["found"] / rows["listed"].clip(lower=1),
        recall=rows["found"] / rows["k"],
        half=rows["half"] / (rows["k"] // 2),
    )
    lines = []
    for rule, group in rows.groupby("rule", sort=False):
        cells = [_cell(group[name]) for name in ("precision", "recall", "half", "first", *KINDS)]
        lines.append(f"{rule:22}{group['listed'].mean():7.0f}" + "".join(f"{cell:>18}" for cell in cells))
    head = [
        "precision at k",
        "recall at k",
        "precision at k/2",
        f"of the first {FIRST}",
        *(f"recall {kind}" for kind in KINDS),
    ]
    return f"{'rule':22}{'listed':>7}" + "".join(f"{name:>18}" for name in head) + "\n" + "\n".join(lines)


def _cell(values: pd.Series) -> str:
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{values.mean():.2f} ({low:.2f}-{high:.2f})"


if __name__ == "__main__":
    typer.run(main)
