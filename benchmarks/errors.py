"""Our errors in TIDE's terms beside tidecv's, on the real predictions that benchmarks/folds.py left.

    python -m benchmarks.errors bccd

Counts and costs are those at IoU 0.5 of all detections from FLOOR on. tidecv takes minutes for what has more than some
100,000 detections.
"""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from stages.ruler.losses.tide import error_costs
from stages.ruler.scores import average_precision
from tests.ruler.losses.test_tide import outside

SCRATCH = Path(__file__).parents[1] / ".scratch/benchmarks"


def main(
    name: Annotated[str, typer.Argument(help="Folder below .scratch/benchmarks.")],
    floor: Annotated[float, typer.Option(help="Confidence below which detections are left out.")] = 0.01,
    untie: Annotated[bool, typer.Option(help="Move equal confidences apart, by less than their last digit.")] = False,
    home: Annotated[Path, typer.Option(help="Where `benchmarks.folds` left it.")] = SCRATCH,
) -> None:
    """Print counts and costs of both, on our recalls and on tidecv's, and the seconds that they took."""
    tables = {part: pd.read_parquet(home / name / f"{part}.parquet") for part in ("images", "ground_truth")}
    seen = pd.read_parquet(home / name / "detections.parquet")
    seen = seen[seen["confidence"] >= floor].reset_index(drop=True)
    ties = len(seen) - seen["confidence"].nunique()
    if untie:
        seen["confidence"] -= np.arange(len(seen)) * 1e-14
    tables["images"]["confidence"] = 0.0
    tables["detections"] = seen
    began = time.perf_counter()
    ours = _ours(tables)
    took = time.perf_counter() - began
    began = time.perf_counter()
    counts, aps = outside(tables)
    print(f"{len(seen)} detections, {ties} of them not the first of their confidence, {len(tables['images'])} sheets")
    print(f"{took:.2f} s ours, {time.perf_counter() - began:.2f} s tidecv")
    average_precision.RECALLS = np.arange(101) / 100
    same_grid = _ours(tables)["d_ap50"]
    table = ours.assign(tidecv_count=counts, tidecv_d_ap50=aps)
    table["difference"] = table["d_ap50"] - table["tidecv_d_ap50"]
    table["on_its_recalls"] = same_grid - table["tidecv_d_ap50"]
    print(table.to_string(float_format="{:.9f}".format))


def _ours(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return error_costs(**tables, iou=0.5, splits=["val"]).set_index("error").drop(columns=["split", "d_f1"])


if __name__ == "__main__":
    typer.run(main)
