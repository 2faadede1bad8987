#!/usr/bin/env bash
# ensemble-boxes 1.0.9: `soft_nms` returns the scores of before, and `weights` change the caller's own lists.
#
# Soft-NMS keeps overlapping boxes and lowers their scores; the lowered scores are what it is for. They are computed on a
# copy, decide only what falls under `thresh`, and are thrown away: of two boxes on one object, IoU 0.95, both come back
# with the scores they came with. And `nms` and `soft_nms` write the weighted scores into the lists that they were given:
# with two models of equal weight every call halves them again, so a loop over thresholds or methods ranks other scores
# each time, until all are under `thresh`. (`weighted_boxes_fusion` and `non_maximum_weighted` leave them alone.)
# No report of either found.
#
# Seen: "linear 0.90 0.85, gaussian 0.90 0.85 (expected 0.90 0.04 and 0.90 0.14)",
#       "nms with weights [1, 1], three calls: 0.40 0.20 0.10, the caller's score is now 0.1000"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ensemble-boxes==1.0.9 numba==0.68.1 numpy==2.4.6 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import math

from ensemble_boxes import nms, soft_nms

BOXES = [[0.1, 0.1, 0.3, 0.3], [0.1, 0.1, 0.3, 0.31]]
iou = 0.2 / 0.21
found = {
    name: soft_nms([BOXES], [[0.9, 0.85]], [[0, 0]], method=method, iou_thr=0.5, sigma=0.5, thresh=0.001)[1]
    for method, name in ((1, "linear"), (2, "gaussian"))
}
expected = [0.85 * (1 - iou), 0.85 * math.exp(-(iou**2) / 0.5)]
print(
    ", ".join(f"{name} {' '.join(f'{score:.2f}' for score in scores)}" for name, scores in found.items()),
    f"(expected {' and '.join(f'0.90 {score:.2f}' for score in expected)})",
)
scores = [[0.8], [0.6]]
calls = [nms([BOXES[:1], BOXES[1:]], scores, [[0], [0]], weights=[1, 1], iou_thr=0.5)[1][0] for _ in range(3)]
print(
    f"nms with weights [1, 1], three calls: {' '.join(f'{score:.2f}' for score in calls)}, "
    f"the caller's score is now {float(scores[0][0]):.4f}"
)
PY
diff "$folder/out" - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
linear 0.90 0.85, gaussian 0.90 0.85 (expected 0.90 0.04 and 0.90 0.14)
nms with weights [1, 1], three calls: 0.40 0.20 0.10, the caller's score is now 0.1000
SEEN
