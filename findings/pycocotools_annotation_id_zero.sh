#!/usr/bin/env bash
# pycocotools 2.0.11: the annotation with id 0 can never be found, and nothing is said.
#
# COCO's format asks for unique ids, not for positive ones, and exports whose ids begin at 0 are common. The evaluation
# marks a detection as matched by writing the id of the annotation down, and reads 0 as "unmatched": a perfect detector
# loses a true positive and gains a false alarm. With two objects, both found: AP 0.25 instead of 1.
# (faster-coco-eval 1.8.0 gives the same numbers, with a warning.)
#
# Seen: "ids from 0: AP 0.252, ids from 1: AP 1.000"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pycocotools==2.0.11 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY' | tee "$folder/out"
import contextlib
import io

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOX = [10, 10, 20, 20]


def ap(first: int) -> float:
    truth = COCO()
    truth.dataset = {
        "images": [{"id": n, "width": 100, "height": 100} for n in (1, 2)],
        "categories": [{"id": 1, "name": "door"}],
        "annotations": [
            {"id": first + n - 1, "image_id": n, "category_id": 1, "bbox": BOX, "area": 400, "iscrowd": 0} for n in (1, 2)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        found = truth.loadRes([{"image_id": n, "category_id": 1, "bbox": BOX, "score": 1 - n / 10} for n in (1, 2)])
        judge = COCOeval(truth, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0])


print(f"ids from 0: AP {ap(0):.3f}, ids from 1: AP {ap(1):.3f}")
PY
grep -qx "ids from 0: AP 0.252, ids from 1: AP 1.000" "$folder/out" || { echo "this has changed" >&2; exit 1; }
