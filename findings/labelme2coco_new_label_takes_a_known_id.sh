#!/usr/bin/env bash
# labelme2coco 0.2.6: beside a list of known categories, a new label gets the id of a known one.
#
# `get_coco_from_labelme_folder` takes the categories of a project ("start from a predefined" list) so that the ids stay
# the same from export to export. Labels that are not in the list are numbered from `category_id_start`, whatever the list
# has: with door 0 and window 1 the new label `stair` becomes 0 as well, and so from 1 with `category_id_start=1`. The file
# has two categories of one id, and every reader takes one of them: pycocotools makes all doors stairs. Nothing is said.
# No report found.
#
# Seen: "from 0: categories 0 door, 1 window, 0 stair; pycocotools reads door, window, stair as stair, window, stair",
#       "from 1: categories 1 door, 2 window, 1 stair; pycocotools reads door, window, stair as stair, window, stair"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check labelme2coco==0.2.6 sahi==0.12.8 pycocotools==2.0.11 pillow==12.3.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import contextlib
import io
import json
from pathlib import Path

from labelme2coco import get_coco_from_labelme_folder
from PIL import Image
from pycocotools.coco import COCO

NAMES = ["door", "window", "stair"]
Path("labels").mkdir()
Image.new("RGB", (200, 100), "white").save("labels/a.png")
shapes = [
    {"label": name, "points": [[left, 10], [left + 20, 30]], "shape_type": "rectangle", "flags": {}, "group_id": None}
    for name, left in zip(NAMES, (10, 50, 90))
]
sheet = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "a.png", "imageData": None}
Path("labels/a.json").write_text(json.dumps({**sheet, "imageHeight": 100, "imageWidth": 200}))
for first in (0, 1):
    known = [{"id": first + n, "name": name, "supercategory": name} for n, name in enumerate(NAMES[:2])]
    with contextlib.redirect_stdout(io.StringIO()):
        written = get_coco_from_labelme_folder("labels", coco_category_list=known, category_id_start=first).json
        read = COCO()
        read.dataset = written
        read.createIndex()
    categories = ", ".join(f"{one['id']} {one['name']}" for one in written["categories"])
    boxes = sorted(written["annotations"], key=lambda one: one["bbox"][0])
    seen = ", ".join(read.cats[one["category_id"]]["name"] for one in boxes)
    print(f"from {first}: categories {categories}; pycocotools reads {', '.join(NAMES)} as {seen}")
PY
diff "$folder/out" - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
from 0: categories 0 door, 1 window, 0 stair; pycocotools reads door, window, stair as stair, window, stair
from 1: categories 1 door, 2 window, 1 stair; pycocotools reads door, window, stair as stair, window, stair
SEEN
