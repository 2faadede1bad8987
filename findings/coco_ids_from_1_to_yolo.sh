#!/usr/bin/env bash
# SAHI 0.12.8 and PyLabel 0.1.55 turn COCO whose categories begin at 1 into YOLO labels that are one class off.
#
# COCO's own categories begin at 1, and so do those of most exports. Both write `category_id` into the label files as it
# is, beside a YAML whose names begin at 0: `detail` (1) becomes class 1, which the YAML calls `elevation`, and the last
# class has a number that no name has. Nothing is said. With categories from 0 both are right; supervision 0.31.2 and
# globox 2.9.0 count from 0 in either case.
#
# Seen: "sahi: names [detail, elevation, title], classes of detail, elevation, title: 1 2 3", the same for pylabel
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sahi==0.12.8 pylabel==0.1.55 numpy==2.2.6 pillow==12.3.0 pandas==2.3.3 PyYAML==6.0.3
cd "$folder"
"$folder/venv/bin/python" - <<'PY' 2>"$folder/log" | tee "$folder/out" || { cat "$folder/log" >&2; exit 1; }
import json
from pathlib import Path

import yaml
from PIL import Image
from pylabel import importer
from sahi.utils.coco import Coco

NAMES = ["detail", "elevation", "title"]
for name in NAMES:
    Image.new("RGB", (200, 100), "white").save(f"{name}.png")
dataset = {
    "images": [{"id": n, "file_name": f"{name}.png", "width": 200, "height": 100} for n, name in enumerate(NAMES, 1)],
    "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, 1)],
    "annotations": [
        {"id": n, "image_id": n, "category_id": n, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0} for n in (1, 2, 3)
    ],
}
Path("coco.json").write_text(json.dumps(dataset))
Coco.from_coco_dict_or_path("coco.json", image_dir=".").export_as_yolo("sahi", train_split_rate=1.0, disable_symlink=True)
Path("pylabel/labels").mkdir(parents=True)
read = importer.ImportCoco("coco.json", path_to_images=".")
read.export.ExportToYoloV5(output_path="pylabel/labels", yaml_file="data.yml", copy_images=False)
for tool in ("sahi", "pylabel"):
    names = yaml.safe_load(next(Path(tool).rglob("data.yml")).read_text())["names"]
    ids = [next(Path(tool).rglob(f"{name}.txt")).read_text().split()[0] for name in NAMES]
    print(f"{tool}: names [{', '.join(names)}], classes of detail, elevation, title: {' '.join(ids)}")
PY
for tool in sahi pylabel; do
    grep -qx "$tool: names \[detail, elevation, title\], classes of detail, elevation, title: 1 2 3" "$folder/out" || { echo "this has changed" >&2; exit 1; }
done
