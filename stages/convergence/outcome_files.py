"""Reads and writes what an iteration found on val and drew on the pool: the next one is compared with it, box by box.

`{"outcomes": [{"iteration": 0, "ruler": "3f2a90bc", "sheets": [["a.png", [0, 2], [0, 1, 0]], …], "pool": …}]}`: of each
sheet the numbers of the boxes that were found, and its false alarms per class. Of the last iteration alone, in lists,
so that DVC's tables of metrics leave it out; the rest follows from the labels, which are the same wherever two compare.
`pool` has sheets of the pool with the boxes on them, `["b.png", [[0, 0.93, 10.5, 12, 30, 31.5], …]]`: class, confidence
and corners in pixels; a file of an earlier version has none. `classes`, where the classes have changed since, has the
class_ids that are compared.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.base.atomic import replacing
from stages.base.boxes import BOX, area
from stages.base.errors import UserError, problem
from stages.base.tables import read_json, read_table
from stages.convergence.agreement import compared_sheets
from stages.convergence.regression import KeptOutcomes, LabelledVal, PoolBox, SheetOutcome
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES, MATCHES
from stages.ruler.sizes import SIZES, size_ids

PARENT_OUTCOMES = Path("metrics/parent_outcomes.json")  # of iteration N-1: carried in with metrics/history.csv
OUTCOMES = Path("metrics/converge_outcomes.json")  # of iteration N: written by `converge`, carried over by `advance`
_TABLES = Path("data/validate")


def read_parent_outcomes(iteration: int, file: Path = PARENT_OUTCOMES) -> KeptOutcomes | None:
    """Return what the iteration before `iteration` found on val; None where nobody kept it, or there is none.

    Raises `UserError` when the file is damaged, or of another iteration.
    """
    if not file.is_file():
        return None
    listed = read_json(file).get("outcomes")
    try:
        found = [_kept(one) for one in listed or []]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, "an iteration, its ruler and its sheets", f"other ones ({error})") from error
    if listed is None or [one.iteration for one in found] not in ([], [iteration - 1]):
        holds = ", ".join(f"iteration {one.iteration}" for one in found) or "no list `outcomes`"
        raise _damaged(
            file, f"what iteration {iteration - 1} found" if iteration else "an empty list `outcomes`", holds
        )
    return found[0] if found else None


def outcomes_text(kept: KeptOutcomes | None) -> str:
    """Return what the file holds, a line per sheet; None: nothing is kept."""
    if kept is None:
        return '{"outcomes":[]}\n'
    rows = [[name, list(one.found), list(one.alarms)] for name, one in kept.sheets.items()]
    boxes = [[name, [list(box) for box in its]] for name, its in kept.pool.items()]
    head = f'{{"iteration":{kept.iteration},"ruler":{json.dumps(kept.ruler)}'
    head += "" if kept.classes is None else f',"classes":{json.dumps(kept.classes)}'
    return f'{{"outcomes":[\n{head},"sheets":{_lines(rows)},"pool":{_lines(boxes)}}}\n]}}\n'


def _lines(rows: Sequence[Any]) -> str:
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows) + "\n]"


def write_outcomes(kept: KeptOutcomes, file: Path = OUTCOMES) -> None:
    """Write what an iteration found on val."""
    with replacing(file) as temporary:
        temporary.write_text(outcomes_text(kept), encoding="utf-8")


def supply_outcomes(root: Path) -> None:
    """Write a file that keeps nothing where a project from before there was one lacks it: DVC asks for every dep."""
    file = root / PARENT_OUTCOMES
    if not file.exists():
        with replacing(file) as temporary:
            temporary.write_text(outcomes_text(None), encoding="utf-8")


def read_val(sheets: pd.DataFrame, classes: Sequence[str], bounds: Sequence[float]) -> LabelledVal:
    """Return the labels of val as `validate` read them; `sheets` has image_id and group of its labelled sheets.

    `bounds` are the three areas in px² between the sizes.
    """
    boxes = read_table(_TABLES / "ground_truth.parquet", GROUND_TRUTH)
    boxes = boxes[(boxes["split"] == "val") & boxes["image_id"].isin(sheets["image_id"])].reset_index(drop=True)
    sizes = size_ids(area(boxes[BOX].to_numpy(float)), bounds)
    named = boxes[["image_id", "object_id"]].assign(
        class_name=[classes[i] for i in boxes["class_id"]], size=[SIZES[i] for i in sizes]
    )
    return LabelledVal(sheets[["image_id", "group"]], named, classes)


def read_pool_groups() -> dict[str, str]:
    """Return the group of each sheet of the pool, "" for none."""
    images = read_table(_TABLES / "images.parquet", IMAGES)
    pool = images[images["split"] == "pool"]
    return dict(zip(pool["image_id"].astype(str), pool["group"].astype(str), strict=True))


def read_pool_boxes(names: Sequence[str], *, confidence: float) -> dict[str, list[PoolBox]]:
    """Return the boxes from `confidence` on that `predict` drew on those sheets of the pool that are kept.

    Corners are rounded to 0.1 px and confidences to 0.001, which keeps the file small.
    """
    kept = compared_sheets(names)
    table = read_table(PREDICTED / "detections.parquet", DETECTIONS)
    own = table[(table["split"] == "pool") & table["image_id"].isin(kept) & (table["confidence"] >= confidence)]
    own = own.sort_values(["image_id", "confidence", "detection_id"], ascending=[True, False, True])
    boxes: dict[str, list[PoolBox]] = {name: [] for name in kept}
    for name, class_id, sure, *corners in own[["image_id", "class_id", "confidence", *BOX]].itertuples(index=False):
        boxes[name].append(PoolBox(int(class_id), round(float(sure), 3), *(round(float(one), 1) for one in corners)))
    return boxes


def read_outcomes(
    val: LabelledVal, pool: Mapping[str, Sequence[PoolBox]], *, iteration: int, ruler: str
) -> KeptOutcomes:
    """Return what this iteration found on the sheets of val, from the matches of `validate`, and drew on the pool."""
    matches = read_table(_TABLES / "matches.parquet", MATCHES)
    matches = matches[matches["split"] == "val"]
    found = _listed(matches[matches["outcome"] == "tp"], "object_id")
    alarms = _listed(matches[matches["outcome"] == "fp"], "class_id")
    classes = range(len(val.classes))
    sheets = {
        str(name): SheetOutcome(
            tuple(sorted(found.get(name, []))), tuple(alarms.get(name, []).count(one) for one in classes)
        )
        for name in val.sheets["image_id"]
    }
    return KeptOutcomes(iteration, ruler, sheets, pool)


def _listed(rows: pd.DataFrame, column: str) -> dict[str, list[int]]:
    return {str(name): [int(one) for one in part] for name, part in rows.groupby("image_id")[column]}


def _kept(one: Mapping[str, Any]) -> KeptOutcomes:
    sheets = {
        str(name): SheetOutcome(tuple(int(box) for box in found), tuple(int(count) for count in alarms))
        for name, found, alarms in one["sheets"]
    }
    pool = {
        str(name): [PoolBox(int(box[0]), *(float(number) for number in box[1:])) for box in boxes]
        for name, boxes in one.get("pool", [])
    }
    listed = one.get("classes")
    classes = None if listed is None else tuple(int(class_id) for class_id in listed)
    return KeptOutcomes(int(one["iteration"]), str(one["ruler"]), sheets, pool, classes)


def _damaged(file: Path, expected: str, found: str) -> UserError:
    line = " ".join(found.split())[:120]
    return problem("outcome_files.damaged", file, expected=expected, line=line, file=file)
