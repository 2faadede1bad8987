#!/usr/bin/env bash
# imantics 0.1.12: every dataset of a program is the same one, so boxes move to other images.
#
# Images, categories and annotations of `Dataset` belong to the class and not to the object. A second COCO file that is read,
# as for train and then val, joins the first one, under both names: an image takes the place of the one with its id, and
# the boxes of that one are now on it, as `coco()` writes it. Nothing is said. imantics#25 has it since 2019, with a fix
# named in 2020 (#40) that no release has; the fork imantics-lts 0.1.15 keeps them apart.
#
# Seen: "read a.png and b.png with a door each: door on a.png, door on b.png",
#       "then c.png with a window, as another dataset: door on c.png, door on b.png, window on c.png",
#       "and the first one is now: door on c.png, door on b.png, window on c.png"; by imantics-lts the two stay apart
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/two.py" <<'PY'
from importlib import import_module
from sys import argv

Dataset = import_module(argv[1]).Dataset


def coco(kind, names):
    """Return a COCO dataset of images with one object each."""
    return {
        "images": [{"id": n, "file_name": name, "width": 200, "height": 100} for n, name in enumerate(names, 1)],
        "categories": [{"id": 1, "name": kind}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0,
             "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]}
            for n, _ in enumerate(names, 1)
        ],
    }


def written(dataset):
    names = {image["id"]: image["file_name"] for image in dataset.coco()["images"]}
    boxes = dataset.iter_annotations()
    return ", ".join(f"{box.category.name} on {names[box.coco(include=False)['image_id']]}" for box in boxes)


first = Dataset.from_coco(coco("door", ["a.png", "b.png"]))
print(f"read a.png and b.png with a door each: {written(first)}")
second = Dataset.from_coco(coco("window", ["c.png"]))
print(f"then c.png with a window, as another dataset: {written(second)}")
print(f"and the first one is now: {written(first)}")
PY
for package in imantics==0.1.12 imantics-lts==0.1.15; do
    rm -rf "$folder/venv"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$package" opencv-python==5.0.0.93 numpy==2.4.6
    echo "$package"
    "$folder/venv/bin/python" -W ignore "$folder/two.py" "$(sed "s/==.*//; s/-/_/" <<<"$package")" 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
done | tee "$folder/out"
diff "$folder/out" - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
imantics==0.1.12
read a.png and b.png with a door each: door on a.png, door on b.png
then c.png with a window, as another dataset: door on c.png, door on b.png, window on c.png
and the first one is now: door on c.png, door on b.png, window on c.png
imantics-lts==0.1.15
read a.png and b.png with a door each: door on a.png, door on b.png
then c.png with a window, as another dataset: window on c.png
and the first one is now: door on a.png, door on b.png
SEEN
