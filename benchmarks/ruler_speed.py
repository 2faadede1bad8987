"""How fast the ruler is: ours beside pycocotools and faster-coco-eval on a synthetic set as large as COCO's.

    OMP_NUM_THREADS=1 python -m benchmarks.ruler_speed --repeat 3

5,000 images, 80 classes, 36,000 boxes and 500,000 detections come from a seed. Every judge gets them as it likes them
best: ours as tables in memory, the others as their own objects, and the time to make these is shown apart and counted
for nobody. Each repetition runs all of them in turn, in one thread, and counts seconds of the processor, so that other
work on the machine hurts less, and all alike. That the results agree is checked each time.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from stages.base.boxes import BOX
from stages.ruler.scores.ap_intervals import ap_estimates
from stages.ruler.scores.average_precision import ap_of, hit_table
from stages.ruler.scores.intervals import units_of
from tests.coco import verdict

IMAGES, CLASSES, BOXES, DETECTIONS = 5_000, 80, 36_000, 500_000
Shrink = Annotated[int, typer.Option(min=1, help="Divide images, boxes and detections by it, to try the program.")]
SIDES = np.array([640.0, 480.0])
AGREE = 1e-12


def synthetic(seed: int, shrink: int = 1) -> dict[str, pd.DataFrame]:
    """Return sheets, ground_truth and detections: a third of the detections near a box, the rest anywhere."""
    rng = np.random.default_rng(seed)
    images, boxes, detections = (count // shrink for count in (IMAGES, BOXES, DETECTIONS))
    common = 1 / np.arange(1, CLASSES + 1) ** 0.8
    shown = rng.choice(CLASSES, (images, 3), p=common / common.sum())  # few classes on an image
    sheet = np.sort(rng.choice(images, boxes, p=rng.dirichlet(np.full(images, 1.2))))
    class_id, xyxy = shown[sheet, rng.integers(0, 3, boxes)], _anywhere(rng, boxes)
    near = rng.integers(0, boxes, detections // 3)
    sides = np.tile(xyxy[near, 2:] - xyxy[near, :2], 2)
    moved = xyxy[near] + rng.normal(size=(len(near), 4)) * rng.gamma(1.0, 0.08, (len(near), 1)) * sides
    rest = detections - len(near)
    elsewhere = rng.integers(0, images, rest)
    guess = shown[elsewhere, rng.integers(0, 3, rest)]
    named = np.where(rng.random(rest) < 0.6, guess, rng.integers(0, CLASSES, rest))
    found = _table(
        np.concatenate([sheet[near], elsewhere]),
        np.concatenate([class_id[near], named]),
        np.vstack([np.hstack([np.minimum(moved[:, :2], moved[:, 2:]), moved[:, 2:] + 1]), _anywhere(rng, rest)]),
    )
    found["confidence"] = np.round(np.concatenate([rng.beta(1.2, 2, len(near)), rng.beta(0.5, 8, rest)]), 6)
    names = pd.DataFrame({"split": "val", "image_id": [f"{i:012d}.jpg" for i in range(images)]}, dtype="str")
    return {
        "sheets": names,
        "ground_truth": _table(sheet, class_id, xyxy),
        "detections": found.sort_values(["image_id", "confidence"], ascending=[True, False], ignore_index=True),
    }


def main(
    repeat: Annotated[int, typer.Option(min=1)] = 3,
    seed: Annotated[int, typer.Option()] = 0,
    slow: Annotated[bool, typer.Option(help="judge by pycocotools too: a minute for each repetition")] = True,
    shrink: Shrink = 1,
) -> None:
    """Time all judges in turn, and print the ratios."""
    tables = synthetic(seed, shrink)
    print({key: len(table) for key, table in tables.items()}, flush=True)
    judges: dict[str, Callable[[], tuple[Any, float]]] = {
        "ours": lambda: _ours(tables),
        "faster-coco-eval": lambda: _theirs("faster-coco-eval", tables),
        **({"pycocotools": lambda: _theirs("pycocotools", tables)} if slow else {}),
    }
    rows = []
    for _ in range(repeat):
        answers = {name: judge() for name, judge in judges.items()}
        gap = max(float(np.nanmax(np.abs(ap - answers["ours"][0]))) for ap, _ in answers.values())
        assert gap < AGREE, f"the judges disagree by {gap}"
        seconds = {name: taken for name, (_, taken) in answers.items()}
        seconds["ours with intervals"] = _seconds_with_intervals(tables)
        rows.append(seconds)
        print({name: round(value, 3) for name, value in seconds.items()}, flush=True)
    table = pd.DataFrame(rows)
    print(f"\nmedian seconds\n{table.median().round(3).to_string()}")
    for base in ("ours", "ours with intervals"):
        ratios = table.drop(columns=["ours", "ours with intervals"]).div(table[base], axis=0)
        print(f"\ntimes as long as {base}\n{ratios.agg(['median', 'min']).T.round(1).to_string()}")


def _ours(tables: dict[str, pd.DataFrame]) -> tuple[Any, float]:
    started = time.process_time()
    ap = ap_of(hit_table(**tables, classes=CLASSES))
    return ap, time.process_time() - started


def _theirs(judge: str, tables: dict[str, pd.DataFrame]) -> tuple[Any, float]:
    answer = verdict(judge, **tables, classes=CLASSES)
    print(f"  {judge}: {answer.load:.1f} s to load, {answer.judge:.1f} s to judge", flush=True)
    return answer.ap[0], answer.judge


def _seconds_with_intervals(tables: dict[str, pd.DataFrame]) -> float:
    """Return the seconds for AP of the mean and of every class, each with its 95 % interval."""
    unit = units_of([""] * len(tables["sheets"]))
    started = time.process_time()
    ap_estimates(hit_table(**tables, classes=CLASSES), unit=unit)
    return time.process_time() - started


def _anywhere(rng: np.random.Generator, count: int) -> Any:
    size = np.exp(rng.normal(4, 0.9, (count, 2))).clip(4, SIDES)
    corner = rng.random((count, 2)) * (SIDES - size)
    return np.hstack([corner, corner + size])


def _table(sheet: Any, class_id: Any, boxes: Any) -> pd.DataFrame:
    names = pd.Series([f"{i:012d}.jpg" for i in range(int(sheet.max()) + 1)], dtype="str")
    table = pd.DataFrame(np.round(boxes, 2), columns=BOX)
    image_id = names.iloc[sheet].reset_index(drop=True)
    split = pd.Series("val", index=table.index, dtype="str")
    return table.assign(split=split, image_id=image_id, class_id=class_id.astype(np.int32))


if __name__ == "__main__":
    typer.run(main)
