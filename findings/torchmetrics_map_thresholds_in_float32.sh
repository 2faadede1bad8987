#!/usr/bin/env bash
# TorchMetrics 1.9.0: mAP of the `pycocotools` backend is not what pycocotools 2.0.11 gives, for boxes of whole pixels.
#
# The default thresholds come from `torch.linspace`, in float32, and go to pycocotools as, for one, 0.6000000238: the IoUs
# and the recalls at which the precision is read. An IoU of exactly 0.6 (42 of 70 pixels) is then no match at 0.6, and a
# class of which 3 of 5 boxes are found loses the last of its 61 points; 7 of 10 gain one. Small sets end at such recalls
# all the time. The backend `faster_coco_eval` gives the same. Thresholds of your own as Python numbers
# (`numpy.linspace(...).tolist()`) give pycocotools' numbers. torchmetrics#1164 saw other values in 2022, before the
# backend; no report of this cause found.
#
# Seen: "IoU 0.6: pycocotools 0.3000, torchmetrics 0.2000, with own thresholds 0.3000",
#       "3 of 5 found: pycocotools 0.6040, torchmetrics 0.5941, with own thresholds 0.6040",
#       "7 of 10 found: pycocotools 0.6931, torchmetrics 0.7030, with own thresholds 0.6931"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.14.1 torchvision==0.29.1 torchmetrics==1.9.0 \
  pycocotools==2.0.11 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import contextlib
import io

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchmetrics.detection import MeanAveragePrecision


def coco(truth, found):
    """Return AP of pycocotools; both are [(image, box as x, y, width, height)]."""
    known = COCO()
    known.dataset = {
        "images": [{"id": image, "width": 100, "height": 100} for image in sorted({image for image, _ in truth})],
        "categories": [{"id": 1, "name": "door"}],
        "annotations": [
            {"id": n, "image_id": image, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            for n, (image, box) in enumerate(truth, 1)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        known.createIndex()
        results = [{"image_id": image, "category_id": 1, "bbox": box, "score": 0.9} for image, box in found]
        judge = COCOeval(known, known.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0])


def torchmetrics(truth, found, **thresholds):
    metric = MeanAveragePrecision(box_format="xywh", backend="pycocotools", **thresholds)
    for image in sorted({image for image, _ in truth}):
        here, seen = [[box for one, box in boxes if one == image] for boxes in (truth, found)]
        metric.update(
            [{"boxes": torch.tensor(seen, dtype=torch.float32).reshape(-1, 4), "scores": torch.full((len(seen),), 0.9),
              "labels": torch.ones(len(seen), dtype=torch.long)}],
            [{"boxes": torch.tensor(here, dtype=torch.float32), "labels": torch.ones(len(here), dtype=torch.long)}],
        )
    return float(metric.compute()["map"])


own = {"iou_thresholds": np.linspace(0.5, 0.95, 10).tolist(), "rec_thresholds": np.linspace(0, 1, 101).tolist()}
ten = [(n, [10, 10, 20, 20]) for n in range(1, 11)]
for name, truth, found in (
    ("IoU 0.6", [(1, [13, 37, 8, 8])], [(1, [14, 38, 6, 8])]),
    ("3 of 5 found", ten[:5], ten[:3]),
    ("7 of 10 found", ten, ten[:7]),
):
    print(
        f"{name}: pycocotools {coco(truth, found):.4f}, torchmetrics {torchmetrics(truth, found):.4f}, "
        f"with own thresholds {torchmetrics(truth, found, **own):.4f}"
    )
PY
diff "$folder/out" - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
IoU 0.6: pycocotools 0.3000, torchmetrics 0.2000, with own thresholds 0.3000
3 of 5 found: pycocotools 0.6040, torchmetrics 0.5941, with own thresholds 0.6040
7 of 10 found: pycocotools 0.6931, torchmetrics 0.7030, with own thresholds 0.6931
SEEN
