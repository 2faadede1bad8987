#!/usr/bin/env bash
# globox 2.9.0: the columns "AR 1", "AR 10" and "AR 100" of a class hold its average precision.
#
# `COCOEvaluator.save_csv` (and the table of `show_summary`) takes the "ap" of the evaluations by number of detections
# where the recall belongs. "AR S", "AR M" and "AR L" beside them are recalls, and so are `ar_1()`, `ar_10()` and
# `ar_100()`, which make the total at the foot of the table: with a single class the total differs from its only row.
# A class of which every object is found, each behind a false alarm, looks as if half were missed. No report found.
#
# Seen: "door in the CSV: AP 50 0.5, AR 100 0.5, AR S 1.0; ar_100() 1.0"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check globox==2.9.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import csv

from globox import Annotation, AnnotationSet, BoundingBox, COCOEvaluator


def sheets(boxes):
    """Return a set of one sheet; boxes are (left, top, right, bottom) and a score, or None for the truth."""
    made = [BoundingBox.create(label="door", coords=coords, confidence=score) for coords, score in boxes]
    return AnnotationSet([Annotation("sheet.png", (200, 100), made)])


doors = [(10, 10, 30, 30), (50, 10, 70, 30)]
alarms = [(110, 10, 130, 30), (150, 10, 170, 30)]
judge = COCOEvaluator(
    ground_truths=sheets([(door, None) for door in doors]),
    predictions=sheets([(alarms[0], 0.9), (doors[0], 0.8), (alarms[1], 0.7), (doors[1], 0.6)]),
)
judge.save_csv("classes.csv")
with open("classes.csv", newline="") as file:
    (row,) = csv.DictReader(file)
columns = ", ".join(f"{name} {float(row[name]):.1f}" for name in ("AP 50", "AR 100", "AR S"))
print(f"{row['label']} in the CSV: {columns}; ar_100() {judge.ar_100():.1f}")
PY
grep -qx "door in the CSV: AP 50 0.5, AR 100 0.5, AR S 1.0; ar_100() 1.0" "$folder/out" || { echo "this has changed" >&2; exit 1; }
