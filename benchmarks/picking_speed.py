"""How fast the picker is on a pool as large as any: 1,000,000 detections on 100,000 sheets, in one thread.

    OMP_NUM_THREADS=1 python -m benchmarks.picking_speed --repeat 3

Timed is what `sample` does between its tables and its packet: doubles are left out, sheets ordered by `earned`, the
packet filled, chance given its share, and all candidates ranked. Seconds of the processor stand beside those of the
clock, so that other work on the machine hurts less. Reading and writing tables is not in it.
"""

import resource
import time
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
import typer

from stages.base.boxes import BOX
from stages.picking.candidates import without_duplicates
from stages.picking.packet_choice import pick
from stages.picking.sheet_choice import SheetPlan, sheet_chooser
from stages.picking.strategies.calibration import calibrate
from stages.picking.strategies.earned_order import expected
from stages.picking.strategies.pool_view import PoolView
from stages.picking.strategies.review_cost import ReviewCost
from stages.picking.strategies.strategy_list import order_sheets

SHEETS, DETECTIONS, CLASSES = 100_000, 1_000_000, 5
BUDGET = 20  # sheets
PRELABEL, PLAUSIBLE = 0.25, 0.1
BOUNDS = (1024.0, 4096.0, 9216.0)  # px²
STEPS = ("doubles", "order", "pick")


class Pool(NamedTuple):
    """A pool of chance, as the stages before leave it."""

    images: pd.DataFrame
    detections: pd.DataFrame
    candidates: pd.DataFrame
    view: PoolView


def pool_of(seed: int, *, sheets: int, detections: int) -> Pool:
    """Return a pool whose detections fall on its sheets by chance, some of them on each other."""
    rng = np.random.default_rng(seed)
    names = pd.Series([f"{place:07d}.png" for place in range(sheets)], dtype="str")
    sheet = np.sort(rng.integers(0, sheets, detections))
    first = np.searchsorted(sheet, sheet)
    sure = rng.uniform(0.01, 1, detections).round(6)
    sure = sure[np.lexsort((-sure, sheet))]  # as `predict` numbers them
    corner, side = rng.uniform(0, 900, (detections, 2)).round(2), rng.uniform(8, 100, (detections, 2)).round(2)
    found = pd.DataFrame(np.hstack([corner, corner + side]), columns=BOX).assign(
        split=pd.Series("pool", index=range(detections), dtype="str"),
        image_id=names.take(sheet).reset_index(drop=True),
        detection_id=(np.arange(detections) - first).astype(np.int32),
        class_id=rng.integers(0, CLASSES, detections).astype(np.int32),
        confidence=sure,
    )
    images = pd.DataFrame({"split": "pool", "image_id": names, "width": 1000, "height": 1000, "group": ""})
    view = PoolView(
        sheets=tuple(names),
        groups=np.full(sheets, ""),
        sheet=sheet,
        class_id=found["class_id"].to_numpy(np.int64),
        confidence=found["confidence"].to_numpy(float),
        features=np.zeros((detections, 1), dtype=np.float32),
        known_class=np.zeros(0, dtype=np.int64),
        known_features=np.zeros((0, 1), dtype=np.float32),
        calibration=calibrate([], classes=CLASSES),
        prelabel=PRELABEL,
        wanted=BUDGET,
        classes=CLASSES,
    )
    facts = {"kind": "uncertain", "size": "small", "position": "center", "class_name": "door"}
    candidates = found.drop(columns="split").assign(
        **{name: pd.Series(text, index=found.index, dtype="str") for name, text in facts.items()},
        **dict.fromkeys(("low_contrast", "unusual_aspect"), False),
        object_id=pd.Series(pd.NA, index=found.index, dtype="Int32"),
        near_miss=pd.Series(pd.NA, index=found.index, dtype="Float64"),
    )
    types = {"class_id": "Int32", "detection_id": "Int32", "confidence": "Float64"}
    return Pool(images, found, candidates.astype(types), view)


def picked(pool: Pool, seed: int) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Return the ranked candidates, and seconds of the processor and of the clock for each step."""
    cost, rng = ReviewCost(), np.random.default_rng(seed)
    taken = {}
    _, taken["doubles"] = _timed(lambda: without_duplicates(pool.detections))
    (order, guess), taken["order"] = _timed(
        lambda: (order_sheets("earned", pool.view, cost=cost, rng=rng), expected(pool.view, cost))
    )
    plan = SheetPlan(BUDGET, "sheets", 1.0)
    scored, taken["pick"] = _timed(
        lambda: pick(
            pool.candidates,
            pool=pool.images,
            detections=pool.detections,
            classes=["door"] * CLASSES,
            bounds=BOUNDS,
            chooser=sheet_chooser(pool.view, order, guess, plan, lambda name, others: False),
            plausible=PLAUSIBLE,
            random_share=0.1,
            rng=rng,
        )
    )
    return scored, taken


def main(
    repeat: Annotated[int, typer.Option(min=1)] = 3,
    seed: Annotated[int, typer.Option()] = 0,
    shrink: Annotated[int, typer.Option(min=1, help="Divide sheets and detections by it, to try the program.")] = 1,
) -> None:
    """Pick some times from one pool, and print the seconds of each step and the largest memory."""
    pool = pool_of(seed, sheets=SHEETS // shrink, detections=DETECTIONS // shrink)
    print(f"{len(pool.candidates)} candidates on {len(pool.images)} sheets", flush=True)
    rows = []
    for _ in range(repeat):
        taken = picked(pool, seed)[1]
        rows.append({f"{step}, {unit}": taken[step][at] for step in STEPS for at, unit in enumerate(("cpu", "clock"))})
    table = pd.DataFrame(rows)
    for at, unit in enumerate(("cpu", "clock")):
        table[f"all, {unit}"] = table.iloc[:, at : 2 * len(STEPS) : 2].sum(axis=1)
    print(f"seconds\n{table.agg(['median', 'min']).T.round(2).to_string()}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB, the made-up pool with it")


def _timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    before, clock = time.process_time(), time.perf_counter()
    done = work()
    return done, (time.process_time() - before, time.perf_counter() - clock)


if __name__ == "__main__":
    typer.run(main)
