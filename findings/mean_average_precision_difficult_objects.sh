#!/usr/bin/env bash
# mean-average-precision 2024.1.5.0: a detector that finds every object has AP 0.5, for the objects marked as difficult.
#
# VOC leaves difficult objects out of both counts, hits and objects; the maintainer says so as well ("do not contribute to
# metric", issue 16). Here a difficult object is left out of the hits but stays among the objects that recall is taken
# over, so the best recall there is is 0.5 when half of them are difficult, and no detector can have AP 1. And a class that
# the set has no object of is averaged in as 0, where VOC and COCO have no AP for it. The README calls the numbers "VOC
# PASCAL mAP" and "COCO mAP". No report of either found (issue 17 has low numbers with several classes).
#
# Seen: "all found: mAP 1.0, one of two difficult: mAP 0.5, a second class without objects: mAP 0.5"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mean-average-precision==2024.1.5.0 numpy==2.2.6 pandas==2.3.3
"$folder/venv/bin/python" -W ignore - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import numpy as np
from mean_average_precision import MetricBuilder

BOXES = [[10, 10, 50, 50], [60, 10, 90, 50]]


def perfect(difficult=0, classes=1):
    """Return mAP at IoU 0.5 of a detector that finds both boxes, of which the second may be difficult."""
    metric = MetricBuilder.build_evaluation_metric("map_2d", async_mode=False, num_classes=classes)
    truth = [[*BOXES[0], 0, 0, 0], [*BOXES[1], 0, difficult, 0]]  # ..., class, difficult, crowd
    metric.add(np.array([[*BOXES[0], 0, 0.9], [*BOXES[1], 0, 0.8]]), np.array(truth))
    return metric.value(iou_thresholds=0.5)["mAP"]


print(
    f"all found: mAP {perfect():.1f}, one of two difficult: mAP {perfect(difficult=1):.1f}, "
    f"a second class without objects: mAP {perfect(classes=2):.1f}"
)
PY
grep -qx "all found: mAP 1.0, one of two difficult: mAP 0.5, a second class without objects: mAP 0.5" "$folder/out" || { echo "this has changed" >&2; exit 1; }
