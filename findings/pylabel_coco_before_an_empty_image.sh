#!/usr/bin/env bash
# PyLabel 0.1.55: read as COCO and written as COCO, the box before an image without any is there twice.
#
# An image without boxes is a row of its table without a category. The COCO exporter skips such a row as it makes an
# annotation, but still appends what it made last: the annotation of the row before comes once more for every empty image,
# on the image that it belongs to. Nothing is said. Importing that file and training on it, or counting with it, has boxes
# that nobody drew; the YOLO export of the same data is right. pylabel#44 (2022) made empty images possible; no report of
# this found.
#
# Seen: "2 boxes in, 4 out: a.png 1, b.png 3, c.png 0, d.png 0"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pylabel==0.1.55 numpy==2.2.6 pillow==12.3.0 pandas==2.3.3 PyYAML==6.0.3
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import json
from collections import Counter
from pathlib import Path

from PIL import Image
from pylabel import importer

NAMES = ["a.png", "b.png", "c.png", "d.png"]
for name in NAMES:
    Image.new("RGB", (200, 100), "white").save(name)
dataset = {
    "images": [{"id": n, "file_name": name, "width": 200, "height": 100} for n, name in enumerate(NAMES)],
    "categories": [{"id": 0, "name": "door"}],
    "annotations": [
        {"id": n, "image_id": n, "category_id": 0, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0, "segmentation": []}
        for n in (0, 1)
    ],
}
Path("in.json").write_text(json.dumps(dataset))
importer.ImportCoco("in.json", path_to_images="").export.ExportToCoco("out.json")
written = json.loads(Path("out.json").read_text())
names = {image["id"]: image["file_name"] for image in written["images"]}
count = Counter(names[one["image_id"]] for one in written["annotations"])
print(f"2 boxes in, {count.total()} out: {', '.join(f'{name} {count[name]}' for name in NAMES)}")
PY
grep -qx "2 boxes in, 4 out: a.png 1, b.png 3, c.png 0, d.png 0" "$folder/out" || { echo "this has changed" >&2; exit 1; }
