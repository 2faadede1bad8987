#!/usr/bin/env bash
# cleanlab 2.9.0: with one object a sheet, a label of the wrong class is rated as clean; one more sheet decides otherwise.
#
# The score of a swapped class is floored by the least similarity of a label and a prediction that is found anywhere in the
# call. Boxes some 370 px apart have similarity 0 by rounding, and zeros are left out: where every sheet has one object, or
# objects far apart, the least similarity left is that of the matches. With labels that were accepted from the model it is
# 1: a swapped class, which the model is 97% sure of, scores 1.000 of 1 and is no issue, however many clean sheets there are.
# One more sheet, with two objects side by side, and the same label scores 0.017 and is one. The text has the score as that
# of an image and says nothing of the others. Keep the scores of one call together; look for swaps yourself in such sets.
# No report found.
#
# Seen: "labels as the model drew them: 1.000, issue False; with one more sheet 0.017, issue True",
#       "labels 2 px beside: 0.964, issue False; with one more sheet 0.470, issue True"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cleanlab==2.9.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import numpy as np
from cleanlab.object_detection.filter import find_label_issues
from cleanlab.object_detection.rank import get_label_quality_scores


def sheet(objects, beside=0):
    """Return labels and predictions of a sheet; objects are (left, class that was given, class that the model sees)."""
    labels = {
        "bboxes": np.array([[left + beside, 100, left + 40 + beside, 140] for left, _, _ in objects], float),
        "labels": np.array([given for _, given, _ in objects]),
    }
    predictions = np.empty(2, dtype=object)
    for kind in (0, 1):
        boxes = [[left, 100, left + 40, 140, 0.97] for left, _, seen in objects if seen == kind]
        predictions[kind] = np.array(boxes, float).reshape(-1, 5)
    return labels, predictions


def judged(sheets):
    """Return what is found of the last one of the 21 sheets with one object."""
    labels, predictions = map(list, zip(*sheets))
    score = get_label_quality_scores(labels, predictions, verbose=False)[20]
    return f"{score:.3f}, issue {bool(find_label_issues(labels, predictions)[20])}"


for name, beside in (("as the model drew them", 0), ("2 px beside", 2)):
    sheets = [sheet([(100 + 10 * n, n % 2, n % 2)], beside) for n in range(20)] + [sheet([(400, 0, 1)], beside)]
    print(f"labels {name}: {judged(sheets)}; with one more sheet {judged([*sheets, sheet([(100, 0, 0), (200, 0, 0)])])}")
PY
diff "$folder/out" - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
labels as the model drew them: 1.000, issue False; with one more sheet 0.017, issue True
labels 2 px beside: 0.964, issue False; with one more sheet 0.470, issue True
SEEN
