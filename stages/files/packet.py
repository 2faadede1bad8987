"""Writes and reads a packet: the sheets that go to review, what is known about them, and why they go.

images/        the whole sheets, byte for byte
labels/        YOLO labels to start from: the sheet's own claims, or the model's detections
crops/         zoom pictures of the chosen objects; to look at, never to label
manifest.csv   one row per chosen object
data.yaml      the class names, in the order of the ids in the labels
"""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml

from stages.core.boxes import BOX, xyxy_to_xywhn
from stages.core.errors import problem
from stages.files.dataset import Sheet, label_text
from stages.files.decode import read_bgr
from stages.files.images import safe_name, save_image
from stages.files.packet_pictures import Picture, zoom
from stages.files.tables import write_csv

PACKET = Path("data/sample/packet")
MANIFEST = {
    "rank": "int64",  # 1 is the most valuable
    "image_id": "str",
    "image_sha256": "str",
    "kind": "str",  # missed, uncertain, nothing_seen
    "class_name": "str",  # "" for nothing_seen
    "x1": "float64",  # px of the original image; the whole sheet for nothing_seen
    "y1": "float64",
    "x2": "float64",
    "y2": "float64",
    "confidence": "Float64",  # of the detection, if it is one
    "score": "float64",  # this and the four factors are in [0, 1]
    "class_balance": "float64",
    "size_diversity": "float64",
    "spatial_diversity": "float64",
    "uncertainty": "float64",
    "reason": "str",
    "crop": "str",  # path in the packet
}


def write_packet(
    chosen: pd.DataFrame,
    *,
    sheets: Mapping[str, Sheet],
    prelabels: pd.DataFrame,
    classes: Sequence[str],
    folder: Path = PACKET,
) -> list[Picture]:
    """Write the packet of the objects in `chosen`: columns of MANIFEST but image_sha256 and crop, by rank.

    `sheets` are those of the pool by image_id. `prelabels` (image_id, class_id, box in px, width, height) are
    for sheets without labels. An empty choice is a packet without sheets. The folder is replaced as a
    whole. Returns the zoom pictures in the order of `chosen`.
    """
    building = folder.with_name(f".{folder.name}.tmp{os.getpid()}")
    try:
        for part in ("images", "labels", "crops"):
            (building / part).mkdir(parents=True)
        hashes = {
            image_id: _copy_sheet(_sheet(sheets, image_id), prelabels, building)
            for image_id in chosen["image_id"].unique()
        }
        crops = [f"crops/{rank:03d}_{safe_name(Path(name).stem)}.jpg" for rank, name in _pairs(chosen)]
        filled = chosen.assign(image_sha256=chosen["image_id"].map(hashes), crop=crops)
        pictures = _write_crops(filled, building)
        write_csv(filled.reindex(columns=list(MANIFEST)).astype(MANIFEST), building / "manifest.csv")
        names = yaml.safe_dump({"names": list(classes)}, sort_keys=False, allow_unicode=True)
        (building / "data.yaml").write_text(names, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return pictures


def read_packet(folder: Path = PACKET) -> pd.DataFrame:
    """Return the manifest: one row per chosen object, by rank; empty text is "", an absent confidence NA."""
    file = folder / "manifest.csv"
    if not file.is_file():
        raise problem(file, expected="a packet", found="no file", mend="Run `dvc repro`, or `dvc checkout`.")
    texts = [name for name, kind in MANIFEST.items() if kind == "str"]
    numbers = [name for name in MANIFEST if name not in texts]
    try:
        frame = pd.read_csv(
            file,
            dtype=dict.fromkeys(texts, "str"),
            keep_default_na=False,
            na_values=dict.fromkeys(numbers, ""),
        )
        return frame[list(MANIFEST)].astype(MANIFEST)
    except (ValueError, KeyError) as error:
        found = " ".join(str(error).split())[:120]
        raise problem(
            file, expected="a manifest of a packet", found=found, mend="Run `dvc repro` to write it again."
        ) from error


def packet_sheets(folder: Path = PACKET) -> pd.DataFrame:
    """Return one row per sheet, the most valuable first: image_id, image_sha256, objects, best_rank."""
    objects = read_packet(folder)
    grouped = objects.groupby(["image_id", "image_sha256"], as_index=False, sort=False)
    sheets = grouped.agg(objects=("rank", "size"), best_rank=("rank", "min"))
    return sheets.sort_values("best_rank", ignore_index=True)


def _sheet(sheets: Mapping[str, Sheet], image_id: str) -> Sheet:
    if image_id not in sheets:
        raise problem(
            f"data/dataset/pool/images/{image_id}",
            expected="a sheet that `validate` saw",
            found="no file",
            mend="The pool has changed since: run `dvc repro`.",
        )
    return sheets[image_id]


def _copy_sheet(sheet: Sheet, prelabels: pd.DataFrame, packet: Path) -> str:
    """Put the sheet and the labels to start from into the packet; return the hash of the image's bytes."""
    copy = packet / "images" / sheet.image_id
    shutil.copyfile(sheet.image, copy)
    label = packet / "labels" / sheet.label.name
    if sheet.labelled:
        shutil.copyfile(sheet.label, label)
    else:
        label.write_text(_yolo_rows(prelabels[prelabels["image_id"] == sheet.image_id]), encoding="utf-8")
    return hashlib.sha256(copy.read_bytes()).hexdigest()


def _yolo_rows(boxes: pd.DataFrame) -> str:
    """Return the boxes of one sheet as lines `class x y w h`."""
    if boxes.empty:
        return ""
    width, height = int(boxes["width"].iloc[0]), int(boxes["height"].iloc[0])
    xywhn = xyxy_to_xywhn(boxes[BOX].to_numpy(float), width=width, height=height)
    return label_text(boxes["class_id"], xywhn)


def _write_crops(objects: pd.DataFrame, packet: Path) -> list[Picture]:
    """Write a zoom picture of every object; each sheet is decoded once."""
    pictures: dict[int, Picture] = {}
    for image_id, rows in objects.groupby("image_id", sort=False):
        image = read_bgr(packet / "images" / str(image_id))
        for rank, crop, box in zip(rows["rank"], rows["crop"], rows[BOX].to_numpy(float), strict=True):
            pictures[rank] = zoom(image, box)
            save_image(pictures[rank], packet / crop)
    return [pictures[rank] for rank in objects["rank"]]


def _pairs(chosen: pd.DataFrame) -> list[tuple[int, str]]:
    return list(zip(chosen["rank"], chosen["image_id"], strict=True))
