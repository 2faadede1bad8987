"""Roboflow's folders: what its upload takes, and what a version of a project exports.

Upload: pictures with YOLO labels and data.yaml in folders of splits (https://docs.roboflow.com/datasets/adding-data). A
version comes back as YOLO, COCO (`_annotations.coco.json`) or VOC, with pictures called `name_png.rf.<hash>.jpg`,
resized when the version was made so (https://docs.roboflow.com/datasets/dataset-versions/image-preprocessing).
"""

import shutil
from pathlib import Path

import yaml

from stages.files.packet import Packet
from stages.files.params import read_yaml
from stages.files.yolo_folder import description, read_names
from stages.review import coco, voc
from stages.review.outgoing import copy_images
from stages.review.returned import Returned
from stages.review.yolo import sheets_of

_NOTES = ("README.roboflow.txt", "README.dataset.txt")
_COCO = "_annotations.coco.json"


def is_one(path: Path) -> bool:
    """Say whether `path` is a version that Roboflow exported."""
    if not path.is_dir():
        return False
    if any((path / name).is_file() for name in _NOTES) or any(path.glob(f"*/{_COCO}")):
        return True
    return description(path).is_file() and "roboflow" in read_yaml(description(path))


def read(path: Path) -> Returned:
    """Return what the export at `path` says, in whichever form it is; raises as the reader of that form does."""
    if any(path.glob(f"*/{_COCO}")) or (path / _COCO).is_file():
        found = coco.read(path)
    elif description(path).is_file():
        classes = read_names(path)
        found = Returned("yolo", classes, tuple(sheets_of(path, classes)))
    else:
        found = voc.read(path)
    return found._replace(tool="roboflow")


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the layout that Roboflow's upload takes; return what to do with it.

    All sheets stand in one split: a review is no split, and Roboflow must not make one.
    """
    copy_images(packet, folder / "train/images")
    shutil.copytree(packet.folder / "labels", folder / "train/labels")
    content = {"train": "train/images", "nc": len(packet.classes), "names": list(packet.classes)}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    return [
        "The short way, with ROBOFLOW_API_KEY set: yoloop review export --to roboflow --project WORKSPACE/PROJECT.",
        "By hand: open the project (object detection), Upload Data, and select this folder; keep all sheets in Train.",
        "Annotate: correct every sheet, and approve it.",
        "Versions, Create New Version: no preprocessing (remove Auto-Orient and Resize), no augmentation.",
        "Export the version as YOLOv11 (a zip), and import it. Roboflow says not which sheets were looked at: when all "
        "were, add --all-reviewed.",
    ]
