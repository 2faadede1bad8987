"""Our numbers beside those of Ultralytics' own validator, for the same model and split, on the same boxes.

    python -m benchmarks.validator .scratch/benchmarks/bccd/fold0/best.pt ../shared/datasets/bccd --imgsz 320

DATASET is a folder with data.yaml, images/<split> and labels/<split>. The validator runs as `yolo val` does, on a
scratch view of the split, since it writes a cache beside the labels. Its boxes are taken before it rounds anything, so
both judge the same ones, in the pixels of its letterboxed batch. Printed are

1. how many of its decisions (detections x IoUs) our matching takes otherwise;
2. its AP from our matching: what remains is arithmetic, as the rest of the formula is its own;
3. our AP beside it: what remains is its formula, which draws straight lines between recalls and takes their area;
4. F1 at one threshold: it has none, but its precision and recall are those of the confidence with the best mean F1;
5. AP from the boxes that `validate` would predict with the same weights, which is another forward pass.
"""

import tempfile
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import typer
import yaml

from benchmarks.folds import plain_params
from stages.base.boxes import BOX, xywhn_to_xyxy
from stages.dataset.sheets.split_folder import Sheet, read_labels
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.predictor import predict
from stages.detector.training.training_view import write_view
from stages.ruler.matching.matching import hits, outcomes
from stages.ruler.scores.average_precision import AP_IOUS, ap_of, hit_table
from stages.ruler.scores.metrics import ratios
from stages.wording.rates import rate

MAX_DET = 300  # of the validator, as is the floor of benchmarks/folds.py
CONFIDENCE = 0.25


class Seen(NamedTuple):
    """What the validator judged, as tables, and what it says."""

    sheets: pd.DataFrame
    ground_truth: pd.DataFrame
    detections: pd.DataFrame
    right: np.ndarray  # (detections, IoUs): its decisions
    metrics: Any


def main(
    weights: Annotated[Path, typer.Argument(exists=True)],
    dataset: Annotated[Path, typer.Argument(exists=True)],
    split: Annotated[str, typer.Option()] = "val",
    imgsz: Annotated[int, typer.Option(help="px")] = 320,
    batch: Annotated[int, typer.Option()] = 8,
) -> None:
    """Print where the two agree and where they do not."""
    names = list(_names(dataset).values())
    seen = validate(weights, dataset, split=split, imgsz=imgsz, batch=batch)
    tables = {"detections": seen.detections, "ground_truth": seen.ground_truth}
    print(f"{len(seen.sheets)} sheets, {len(seen.ground_truth)} boxes, {len(seen.detections)} detections")
    ours = hits(**tables, thresholds=AP_IOUS)
    print(f"1. decisions: {ours.size}, taken otherwise: {int((ours != seen.right).sum())}")
    theirs = seen.metrics.box
    present = theirs.ap_class_index
    again = ap_per_class(ours, seen)
    print(f"2. its AP from our matching: largest difference {np.abs(again - theirs.all_ap).max():.1e}")
    ap = ap_of(hit_table(**tables, sheets=seen.sheets, classes=len(names)))[present]
    print("3. AP50 and AP50-95 per class and their means")
    print(_beside(ap, theirs.all_ap, [names[i] for i in present]).to_string(index=False))
    counts = outcomes(**tables, iou=0.5, confidence=CONFIDENCE)["outcome"].value_counts()
    at = ratios(**{key: int(counts.get(key, 0)) for key in ("tp", "fp", "fn")})
    best = float(theirs.px[_smoothed(theirs.f1_curve.mean(0)).argmax()])
    print(f"4. at {CONFIDENCE}: " + ", ".join(f"{key} {rate(value)}" for key, value in at.items()), end="; ")
    print(f"it says precision {theirs.mp:.4f}, recall {theirs.mr:.4f}, means over classes at its best, {best:.3f}")
    own = predicted(weights, dataset, split=split, imgsz=imgsz, batch=batch, names=names)
    ap_own = ap_of(hit_table(**own, classes=len(names)))[present]
    print(f"5. predicted by `predict`, {len(own['detections'])} detections: mAP50 {ap_own[:, 0].mean():.4f}, ", end="")
    print(f"mAP50-95 {ap_own.mean():.4f}")


def validate(weights: Path, dataset: Path, *, split: str, imgsz: int, batch: int) -> Seen:
    """Run the validator on CPU, and return what it judged and says."""
    start_ultralytics()
    from ultralytics import YOLO
    from ultralytics.models.yolo.detect import DetectionValidator

    truth, found, right, images = [], [], [], []

    class Watched(DetectionValidator):  # type: ignore[misc]
        """The validator, but it shows each batch that it judges."""

        def _process_batch(self, preds: Any, batch: Any) -> Any:
            decided = super()._process_batch(preds, batch)
            name = Path(batch["im_file"]).name
            images.append(name)
            truth.append(_rows(name, batch["bboxes"], batch["cls"]))
            found.append(_rows(name, preds["bboxes"], preds["cls"]).assign(confidence=preds["conf"].numpy()))
            right.append(decided["tp"])
            return decided

    with tempfile.TemporaryDirectory() as folder:
        view = write_view(Path(folder) / "view", {split: _split(dataset, split)}, list(_names(dataset).values()))
        settings = {"imgsz": imgsz, "batch": batch, "device": "cpu", "plots": False, "workers": 0, "verbose": False}
        metrics = YOLO(weights).val(Watched, data=str(view), project=folder, name="val", **settings)
    order = np.argsort(images, kind="stable")
    parts = [pd.concat([one[i] for i in order], ignore_index=True) for one in (truth, found)]
    return Seen(_sheets(images), parts[0], parts[1], np.concatenate([right[i] for i in order]), metrics)


def predicted(
    weights: Path, dataset: Path, *, split: str, imgsz: int, batch: int, names: list[str]
) -> dict[str, pd.DataFrame]:
    """Return the tables that `validate` would make: its boxes, in px of the original images."""
    sheets = _split(dataset, split)
    seen = predict(
        weights,
        [sheet.image for sheet in sheets],
        classes=names,
        prompts={name: (name,) for name in names},
        params=plain_params(imgsz=imgsz, batch=batch, max_det=MAX_DET),
    )
    truth, found = [], []
    for sheet, one in zip(sheets, seen, strict=True):
        labels = read_labels(sheet.label, names)
        xyxy = xywhn_to_xyxy(labels.xywhn, width=one.width, height=one.height)
        truth.append(_rows(sheet.image_id, xyxy, labels.class_id))
        found.append(_rows(sheet.image_id, one.xyxy, one.class_id).assign(confidence=one.confidence))
    truth_table, found_table = (pd.concat(parts, ignore_index=True) for parts in (truth, found))
    every = _sheets([sheet.image_id for sheet in sheets])
    return {"sheets": every, "ground_truth": truth_table, "detections": found_table}


def ap_per_class(right: Any, seen: Seen) -> Any:
    """Return AP as Ultralytics computes it, (classes, IoUs), from any decisions about the detections."""
    from ultralytics.utils.metrics import ap_per_class as theirs

    confidence, class_id = seen.detections["confidence"].to_numpy(), seen.detections["class_id"].to_numpy()
    return theirs(right, confidence, class_id, seen.ground_truth["class_id"].to_numpy())[5]


def _smoothed(curve: Any) -> Any:
    from ultralytics.utils.metrics import smooth

    return smooth(curve, 0.1)


def _beside(ours: Any, theirs: Any, names: list[str]) -> pd.DataFrame:
    rows = []
    for i, name in [*enumerate(names), (slice(None), "mean")]:
        for key, part in (("ap50", 0), ("ap50_95", slice(None))):
            one, other = float(np.mean(ours[i, part])), float(np.mean(theirs[i, part]))
            rows.append({"class": name, "number": key, "ours": one, "ultralytics": other, "gap": one - other})
    return pd.DataFrame(rows)


def _split(dataset: Path, split: str) -> list[Sheet]:
    files = sorted((dataset / "images" / split).iterdir())
    return [Sheet(file, dataset / "labels" / split / f"{file.stem}.txt") for file in files]


def _names(dataset: Path) -> dict[int, str]:
    names = yaml.safe_load((dataset / "data.yaml").read_text())["names"]
    return dict(enumerate(names)) if isinstance(names, list) else names


def _sheets(images: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"split": "val", "image_id": sorted(images)}, dtype="str")


def _rows(name: str, xyxy: Any, class_id: Any) -> pd.DataFrame:
    table = pd.DataFrame(np.asarray(xyxy, dtype=np.float64).reshape(-1, 4), columns=BOX)
    table = table.assign(split="val", image_id=name, class_id=np.asarray(class_id).astype(np.int32))
    return table.assign(object_id=np.arange(len(table), dtype=np.int32), detection_id=np.arange(len(table)))


if __name__ == "__main__":
    typer.run(main)
