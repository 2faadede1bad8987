"""Makes what `benchmarks/scale.py` measures on: sheets by the thousand, what a network would say of them, a review.

A sheet is small and cheap, but no two are alike: all of it follows from its number, so nothing has to be kept between
drawing it and making up its detections.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

CLASSES = ("detail", "elevation", "title")
SHARES = {"train": 0.3, "val": 0.1, "test": 0.1, "pool": 0.5}
SIDES = (160, 321)  # px; from, and below
BARS = 24  # on each sheet, which no box is about: what makes it another sheet than all others
BOXES = (4, 9)
FALSE_ALARMS = 14  # detections on a sheet beside those of its boxes
FOUND = 0.85  # of the boxes of a sheet

Ints, Floats = NDArray[np.int64], NDArray[np.float64]


class Drawn(NamedTuple):
    """What is on one sheet: its size, its objects, and the Generator, which goes on from there."""

    width: int  # px
    height: int
    class_id: Ints  # (n,)
    xyxy: Floats  # (n, 4), px
    rng: np.random.Generator


def sheet(number: int) -> Drawn:
    """Return what is on the sheet of that number."""
    rng = np.random.default_rng([7, number])
    width, height = (int(side) for side in rng.integers(*SIDES, 2))
    count = int(rng.integers(*BOXES))
    size = rng.integers(8, 40, (count, 2))
    corner = np.floor(rng.random((count, 2)) * (np.array([width, height]) - size))
    return Drawn(width, height, rng.integers(0, len(CLASSES), count), np.hstack([corner, corner + size]), rng)


def numbers(sheets: int) -> dict[str, range]:
    """Return which sheets each split has."""
    ends = np.cumsum([0, *(round(share * sheets) for share in SHARES.values())]).tolist()
    return {split: range(*ends[at : at + 2]) for at, split in enumerate(SHARES)}


def draw_source(folder: Path, sheets: int) -> None:
    """Write a YOLO folder of so many sheets; those of the pool have no labels."""
    for split, those in numbers(sheets).items():
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True)
        for number in those:
            one = sheet(number)
            _paint(one, folder / split / "images" / f"{_stem(number)}.png")
            if split != "pool":
                (folder / split / "labels" / f"{_stem(number)}.txt").write_text(_rows(one))
    splits = {split: f"{split}/images" for split in SHARES}
    (folder / "data.yaml").write_text(yaml.safe_dump({**splits, "names": list(CLASSES)}))


def as_coco(source: Path, folder: Path, sheets: int) -> None:
    """Write the labelled sheets of `source` as COCO has them, a JSON file for each split."""
    (folder / "annotations").mkdir(parents=True)
    for split, those in _labelled(sheets):
        images, objects = [], []
        for number in those:
            one = sheet(number)
            facts = {"id": number, "file_name": f"{_stem(number)}.png", "width": one.width, "height": one.height}
            images.append(facts)
            for class_id, (x1, y1, x2, y2) in zip(one.class_id.tolist(), one.xyxy.tolist(), strict=True):
                box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "category_id": class_id, "image_id": number}
                objects.append({"id": len(objects), "iscrowd": 0, "segmentation": [], **box})
        categories = [{"id": place, "name": name} for place, name in enumerate(CLASSES)]
        content = {"images": images, "annotations": objects, "categories": categories}
        (folder / f"annotations/instances_{split}.json").write_text(json.dumps(content))
        _second_names(source / split / "images", folder / split)


def as_voc(source: Path, folder: Path, sheets: int) -> None:
    """Write the labelled sheets of `source` as Pascal VOC has them, an XML file for each."""
    for split, those in _labelled(sheets):
        _second_names(source / split / "images", folder / split)
        for number in those:
            one = sheet(number)
            head = f"<filename>{_stem(number)}.png</filename>"
            head += f"<size><width>{one.width}</width><height>{one.height}</height><depth>3</depth></size>"
            things = "".join(_thing(*both) for both in zip(one.class_id.tolist(), one.xyxy.tolist(), strict=True))
            file = folder / split / f"{_stem(number)}.xml"
            file.write_text(f"<annotation>{head}{things}</annotation>")


def put_predictions(root: Path, sheets: int) -> None:
    """Put into the project at `root` what `train` and `predict` leave, without a network."""
    from stages.detector.prediction.prediction_tables import Predicted, save_predicted
    from stages.detector.training.told_prompts import save_embeddings
    from stages.ruler.pairing.box_tables import DETECTIONS, DISCARDED, SHEETS

    for out in ("best", "last"):
        shutil.copyfile(root / "models/parent.pt", root / f"models/{out}.pt")
    save_embeddings(None, (), root / "models/best.pt", root / "models/prompts.npz")  # iteration 0 is told nothing
    for file, text in {"metrics/train.json": '{"epochs_run": 0}\n', "plots/train/results.csv": "epoch,loss\n"}.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    there = [(split, number) for split, those in numbers(sheets).items() if split != "test" for number in those]
    ones = [sheet(number) for _, number in there]
    names = [(split, f"{_stem(number)}.png") for split, number in there]
    sizes = pd.DataFrame(names, columns=["split", "image_id"])
    found, dropped = zip(*(_seen(one) for one in ones), strict=True)
    tables = [_table(names, parts, number) for parts, number in ((found, "detection_id"), (dropped, "candidate_id"))]
    features = np.random.default_rng(3).normal(size=(len(tables[0]), 64)).astype(np.float16)
    save_predicted(
        Predicted(
            sizes.assign(width=[one.width for one in ones], height=[one.height for one in ones])[[*SHEETS.columns]],
            tables[0][[*DETECTIONS.columns]],
            tables[1].assign(reason="nms")[[*DISCARDED.columns]],
            features,
        ),
        root / "data/predict",
    )


def correct_coco(folder: Path) -> None:
    """Correct each sheet of an export: one box goes, another one comes."""
    file = folder / "annotations/instances_train.json"
    content = json.loads(file.read_text())
    first = {one["image_id"]: one["id"] for one in reversed(content["annotations"])}
    kept = [one for one in content["annotations"] if one["id"] != first[one["image_id"]]]
    new = {"category_id": 1, "bbox": [5.0, 5.0, 30.0, 20.0], "iscrowd": 0, "segmentation": []}
    added = [{"id": -place, "image_id": one["id"], **new} for place, one in enumerate(content["images"], 1)]
    file.write_text(json.dumps({**content, "annotations": [*kept, *added]}))


def correct_voc(folder: Path) -> None:
    """Correct each sheet of an export in the same way, with all boxes in whole pixels, as most tools write them."""
    for file in folder.glob("Annotations/*.xml"):
        tree = ElementTree.parse(file)
        root = tree.getroot()
        for gone in root.findall("object")[:1]:
            root.remove(gone)
        for side in root.iterfind("object/bndbox/*"):
            side.text = str(round(float(side.text or 0)))
        root.append(ElementTree.fromstring(_thing(0, [5, 5, 35, 25])))
        tree.write(file)


def _stem(number: int) -> str:
    return f"sheet_{number:06d}"


def _labelled(sheets: int) -> Iterator[tuple[str, range]]:
    return ((split, those) for split, those in numbers(sheets).items() if split != "pool")


def _paint(one: Drawn, file: Path) -> None:
    import cv2

    pixels = np.full((one.height, one.width), 245, np.uint8)
    places = (one.rng.random((BARS, 2)) * [one.width, one.height]).astype(int).tolist()
    sizes, greys = one.rng.integers(2, 60, (BARS, 2)).tolist(), one.rng.integers(60, 230, BARS).tolist()
    for (x, y), (wide, high), grey in zip(places, sizes, greys, strict=True):
        cv2.rectangle(pixels, (x, y), (x + wide, y + high), grey, int(grey % 3) - 1 or 1)
    for class_id, (x1, y1, x2, y2) in zip(one.class_id.tolist(), one.xyxy.astype(int).tolist(), strict=True):
        cv2.rectangle(pixels, (x1, y1), (x2 - 1, y2 - 1), 40 * class_id, -1 if class_id == 2 else 2)
    assert cv2.imwrite(str(file), pixels)


def _rows(one: Drawn) -> str:
    size = np.array([one.width, one.height] * 2)
    (x1, y1, x2, y2) = (one.xyxy / size).T
    boxes = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], axis=1).tolist()
    return "".join(
        f"{key} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for key, (x, y, w, h) in zip(one.class_id, boxes, strict=True)
    )


def _thing(class_id: int, corners: list[float]) -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    box = "".join(f"<{side}>{value:g}</{side}>" for side, value in sides)
    return f"<object><name>{CLASSES[class_id]}</name><bndbox>{box}</bndbox></object>"


def _second_names(images: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for image in images.iterdir():
        os.link(image, folder / image.name)


def _seen(one: Drawn) -> tuple[Mapping[str, NDArray], Mapping[str, NDArray]]:
    """Return what a network might have kept of a sheet, by falling confidence, and what it might have dropped."""
    rng, size = one.rng, np.array([one.width, one.height] * 2)
    hit = rng.random(len(one.xyxy)) < FOUND
    near = np.clip(one.xyxy[hit] + rng.normal(0, 1.5, (hit.sum(), 4)), 0, size)
    corner = rng.random((FALSE_ALARMS, 2)) * (size[:2] - 42)
    far = np.hstack([corner, corner + rng.integers(8, 40, (FALSE_ALARMS, 2))])
    sure = np.concatenate([rng.beta(4, 2, hit.sum()), rng.beta(1, 8, FALSE_ALARMS)]).clip(0.011, 1)
    order = np.argsort(-sure)
    class_id = np.concatenate([one.class_id[hit], rng.integers(0, len(CLASSES), FALSE_ALARMS)])[order]
    kept = {"class_id": class_id, "confidence": sure[order], "xyxy": np.vstack([near, far])[order]}
    beside = np.clip(one.xyxy + 3.0, 0, size)
    return kept, {"class_id": one.class_id, "confidence": np.full(len(beside), 0.02), "xyxy": beside}


def _table(names: list[tuple[str, str]], parts: tuple[Mapping[str, NDArray], ...], number: str) -> pd.DataFrame:
    counts = [len(part["class_id"]) for part in parts]
    at = np.repeat(np.arange(len(parts)), counts)
    columns = {key: np.concatenate([part[key] for part in parts]) for key in ("class_id", "confidence", "xyxy")}
    corners = dict(zip(("x1", "y1", "x2", "y2"), columns.pop("xyxy").T, strict=True))
    named = {key: [names[place][side] for place in at] for side, key in enumerate(("split", "image_id"))}
    return pd.DataFrame(
        {**named, number: np.arange(len(at)) - np.repeat(np.cumsum([0, *counts])[:-1], counts), **columns, **corners}
    )


MAKERS = {one.__name__: one for one in (draw_source, as_coco, as_voc, put_predictions, correct_coco, correct_voc)}
