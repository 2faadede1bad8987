#!/usr/bin/env bash
# Datumaro 1.13.12 and SAHI 0.12.8 read COCO with a crowd and write it back as one object: `iscrowd` 1 becomes 0.
#
# A crowd is a region that is neither to be found nor to be counted as a false alarm. Datumaro reads it into its
# attribute `is_crowd`, which its page on COCO lists for boxes as well, but writes `iscrowd` by whether there is a mask:
# a crowd that was drawn as a box, as every box tool does, loses it, in all three segmentation modes. SAHI drops it for
# every annotation as it reads, so also in what `slice_coco` writes. Nothing is said. COCO's own evaluation of a perfect
# detector then finds an object that is missed, and one that finds things inside the crowd has false alarms.
# No report of either found.
#
# Seen: "iscrowd read 0 1; written by datumaro 0 0, by sahi 0 0",
#       "AP of a detector that finds the object and two in the crowd: before 1.000, after 0.505"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datumaro==1.13.12 sahi==0.12.8 pycocotools==2.0.11 \
  pillow==12.3.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import contextlib
import io
import json
from pathlib import Path

import datumaro
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sahi.utils.coco import Coco

Path("in/images/train").mkdir(parents=True)
Path("in/annotations").mkdir()
Image.new("RGB", (200, 100), "white").save("in/images/train/a.png")
known = Path("in/annotations/instances_train.json")
dataset = {
    "images": [{"id": 1, "file_name": "a.png", "width": 200, "height": 100}],
    "categories": [{"id": 1, "name": "door"}],
    "annotations": [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd, "segmentation": []}
        for n, (box, crowd) in enumerate((([10, 10, 20, 20], 0), ([50, 10, 100, 80], 1)), 1)
    ],
}
known.write_text(json.dumps(dataset))
with contextlib.redirect_stdout(io.StringIO()):
    datumaro.Dataset.import_from("in", "coco_instances").export("copy", "coco_instances")
    by_sahi = Coco.from_coco_dict_or_path(str(known)).json
(written,) = Path("copy").rglob("instances_train.json")


def crowds(made):
    return " ".join(str(one["iscrowd"]) for one in sorted(made["annotations"], key=lambda one: one["bbox"][0]))


def ap(file):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(file))
        image = truth.getImgIds()[0]
        boxes = ([10, 10, 20, 20], 0.9), ([60, 20, 20, 20], 0.8), ([100, 20, 20, 20], 0.7)
        found = truth.loadRes([{"image_id": image, "category_id": 1, "bbox": box, "score": score} for box, score in boxes])
        judge = COCOeval(truth, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0])


print(f"iscrowd read {crowds(dataset)}; written by datumaro {crowds(json.loads(written.read_text()))}, by sahi {crowds(by_sahi)}")
print(f"AP of a detector that finds the object and two in the crowd: before {ap(known):.3f}, after {ap(written):.3f}")
PY
diff "$folder/out" - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
iscrowd read 0 1; written by datumaro 0 0, by sahi 0 0
AP of a detector that finds the object and two in the crowd: before 1.000, after 0.505
SEEN
