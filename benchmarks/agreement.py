"""Our AP beside that of pycocotools and of faster-coco-eval on the same boxes.

    python -m benchmarks.agreement .scratch/benchmarks/bccd
    python -m benchmarks.agreement data/validate --detections data/predict     # after a run
    python -m benchmarks.agreement --synthetic                   # the COCO-sized set of ruler_speed.py

FOLDER holds images.parquet and ground_truth.parquet as `validate` writes them, and detections.parquet unless that is
elsewhere. Printed are AP50 and AP50-95 per class, and the largest difference in AP of any class, IoU and size, of
COCO's sizes and of ours.
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.ruler_speed import CLASSES, Shrink, synthetic
from stages.ruler.matching.matching import SHEET
from stages.ruler.scores.average_precision import ap_of, hit_table
from tests.coco import ALL, verdict

INFINITE = float("inf")
SIZES = {
    "all": ALL,
    "COCO small": (0.0, 32.0**2),
    "COCO medium": (32.0**2, 96.0**2),
    "COCO large": (96.0**2, INFINITE),
    "tiny": (0.0, 500.0),
    "small": (500.0, 2000.0),
    "medium": (2000.0, 10000.0),
    "large": (10000.0, INFINITE),
}
JUDGES = ("pycocotools", "faster-coco-eval")


def main(
    folder: Annotated[Path | None, typer.Argument(help="with the three tables")] = None,
    synthetic_set: Annotated[bool, typer.Option("--synthetic", help="judge the synthetic set instead")] = False,
    detections: Annotated[Path | None, typer.Option(help="the folder of detections.parquet, if not the same")] = None,
    shrink: Shrink = 1,
) -> None:
    """Print how far the three judges are apart."""
    if synthetic_set == (folder is not None):
        raise typer.BadParameter("a folder with tables, or --synthetic")
    tables, classes = (synthetic(0, shrink), CLASSES) if folder is None else read(folder, detections or folder)
    print({key: len(table) for key, table in tables.items()}, f"{classes} classes")
    ours = np.stack([ap_of(hit_table(**tables, classes=classes, areas=areas)) for areas in SIZES.values()])
    theirs = {judge: verdict(judge, **tables, classes=classes, areas=tuple(SIZES.values())).ap for judge in JUDGES}
    if classes <= 10:
        print(per_class(ours[0], {judge: ap[0] for judge, ap in theirs.items()}).to_string(index=False))
    print(differences(ours, theirs).to_string(index=False))


def read(folder: Path, detections: Path) -> tuple[dict[str, pd.DataFrame], int]:
    """Return the labelled part of the tables of the two folders, and how many classes they have."""
    images, truth = (pd.read_parquet(folder / f"{name}.parquet") for name in ("images", "ground_truth"))
    found = pd.read_parquet(detections / "detections.parquet")
    sheets = images.loc[images["labelled"], SHEET].sort_values(SHEET, ignore_index=True)
    judged = found.merge(sheets, on=SHEET)
    classes = 1 + int(max(table["class_id"].max() for table in (truth, judged)))
    return {"sheets": sheets, "ground_truth": truth, "detections": judged}, classes


def per_class(ours: Any, theirs: dict[str, Any]) -> pd.DataFrame:
    """Return AP50 and AP50-95 of every class, (classes, IoUs) each, judge beside judge."""
    rows = []
    for name, ap in {"ours": ours, **theirs}.items():
        for c, values in enumerate(ap):
            rows.append({"class": c, "judge": name, "ap50": f"{values[0]:.16f}", "ap50_95": f"{values.mean():.16f}"})
    return pd.DataFrame(rows).sort_values("class", kind="stable")


def differences(ours: Any, theirs: dict[str, Any]) -> pd.DataFrame:
    """Return per size and judge how many APs are defined, the largest difference, and whether the same are."""
    rows = []
    for i, size in enumerate(SIZES):
        for judge, ap in theirs.items():
            both = ~np.isnan(ours[i]) & ~np.isnan(ap[i])
            gap = np.abs(ours[i] - ap[i])[both].max(initial=0.0)
            same = bool((np.isnan(ours[i]) == np.isnan(ap[i])).all())
            rows.append({"size": size, "judge": judge, "APs": int(both.sum()), "gap": gap, "same undefined": same})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    typer.run(main)
