"""Small good datasets in three formats, and ways in which each goes wrong."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48
COUNTS = {"train": 3, "val": 2, "test": 1}
NAMES = ("detail", "elevation", "title")
BOXES = ((0, 8, 8, 24, 20), (2, 30, 12, 60, 40))  # class_id, corners in px

Spoil = Callable[[Path], object]


def pixels(seed: int) -> np.ndarray:
    """Return a picture of its own, smooth enough for a lossy format, (HEIGHT, WIDTH, 3)."""
    rough = np.random.default_rng(seed).integers(40, 215, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def stems() -> list[tuple[str, str, int]]:
    """Return split, stem and seed of every sheet."""
    pairs = [(split, f"{split}_{i}") for split, count in COUNTS.items() for i in range(count)]
    return [(split, stem, seed) for seed, (split, stem) in enumerate(pairs)]


def save(file: Path, image: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), image)


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def yolo_row(class_id: int, x1: float, y1: float, x2: float, y2: float) -> str:
    return f"{class_id} {(x1 + x2) / 2 / WIDTH:.6f} {(y1 + y2) / 2 / HEIGHT:.6f} {(x2 - x1) / WIDTH:.6f} " + (
        f"{(y2 - y1) / HEIGHT:.6f}\n"
    )


def yolo(folder: Path) -> Path:
    for split, stem, seed in stems():
        save(folder / f"images/{split}/{stem}.jpg", pixels(seed))
        put(folder / f"labels/{split}/{stem}.txt", "".join(yolo_row(*box) for box in BOXES))
    put(folder / "data.yaml", "names: [detail, elevation, title]\n")
    return folder


def coco(folder: Path) -> Path:
    """As Roboflow exports it: the first category only groups the others."""
    categories = [{"id": 0, "name": "callouts", "supercategory": "none"}]
    categories += [{"id": i + 1, "name": name, "supercategory": "callouts"} for i, name in enumerate(NAMES)]
    for split in COUNTS:
        images, annotations = [], []
        for number, (_, stem, seed) in enumerate(one for one in stems() if one[0] == split):
            save(folder / f"{'valid' if split == 'val' else split}/{stem}.jpg", pixels(seed))
            images.append({"id": number, "file_name": f"{stem}.jpg", "width": WIDTH, "height": HEIGHT})
            for class_id, x1, y1, x2, y2 in BOXES:
                box = [x1, y1, x2 - x1, y2 - y1]
                entry = {"image_id": number, "category_id": class_id + 1, "bbox": box, "iscrowd": 0}
                annotations.append({"id": 10 * number + len(annotations), **entry, "segmentation": []})
        content = {"images": images, "annotations": annotations, "categories": categories}
        place = folder / ("valid" if split == "val" else split) / "_annotations.coco.json"
        put(place, json.dumps(content))
    return folder


def voc(folder: Path) -> Path:
    for split, stem, seed in stems():
        save(folder / f"{split}/{stem}.jpg", pixels(seed))
        things = "".join(
            f"<object>\n<name>{NAMES[c]}</name>\n<bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
            f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox>\n</object>\n"
            for c, x1, y1, x2, y2 in BOXES
        )
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>\n"
        put(
            folder / f"{split}/{stem}.xml",
            f"<annotation>\n<filename>{stem}.jpg</filename>\n{size}{things}</annotation>\n",
        )
    put(folder / "classes.txt", "\n".join(NAMES) + "\n")
    return folder


BUILD: dict[str, Callable[[Path], Path]] = {"yolo": yolo, "coco": coco, "voc": voc}


def tree(folder: Path) -> dict[str, str]:
    """Return the digest of every file under `folder`, and the folders."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


# Ways to spoil.
IMAGE, LABEL = "images/train/train_1.jpg", "labels/train/train_1.txt"
TRAIN_JSON = "train/_annotations.coco.json"


def rows(text: str, name: str = LABEL) -> Spoil:
    """Add rows to a label file."""
    return lambda root: put(root / name, (root / name).read_text() + text)


def only(data: bytes, name: str = LABEL) -> Spoil:
    """Write a file anew."""
    return lambda root: (root / name).write_bytes(data)


def written(name: str, text: str) -> Spoil:
    """Write a new file."""
    return lambda root: put(root / name, text)


def gone(name: str) -> Spoil:
    return lambda root: shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()


def moved(old: str, new: str) -> Spoil:
    def spoil(root: Path) -> None:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)

    return spoil


def swapped(name: str, old: str, new: str, count: int = 1) -> Spoil:
    """Replace text in a file."""

    def spoil(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        put(root / name, text.replace(old, new, count))

    return spoil


def all_of(*spoils: Spoil) -> Spoil:
    return lambda root: [spoil(root) for spoil in spoils]


def cut(name: str, keep: float) -> Spoil:
    return lambda root: (root / name).write_bytes(
        (root / name).read_bytes()[: int(keep * (root / name).stat().st_size)]
    )


def stored(make: Callable[[Image.Image], Image.Image], suffix: str = ".jpg", **options: Any) -> Spoil:
    """Store the image of `train_1` anew by PIL, after `make`."""

    def spoil(root: Path) -> None:
        with Image.open(root / IMAGE) as image:
            new = make(image.convert("RGB"))
        (root / IMAGE).unlink()
        new.save((root / IMAGE).with_suffix(suffix), **options)

    return spoil


def turned(orientation: int) -> Any:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def deep(top: int) -> Spoil:
    """Store the image of `train_1` as 16-bit PNG with values up to `top`."""

    def spoil(root: Path) -> None:
        grey = cv2.imread(str(root / IMAGE), cv2.IMREAD_GRAYSCALE).astype(np.uint32)
        (root / IMAGE).unlink()
        save((root / IMAGE).with_suffix(".png"), (grey * top // 255).astype(np.uint16))

    return spoil


def json_change(change: Callable[[dict[str, Any]], object], name: str = TRAIN_JSON) -> Spoil:
    def spoil(root: Path) -> None:
        content = json.loads((root / name).read_text())
        change(content)
        put(root / name, json.dumps(content))

    return spoil
