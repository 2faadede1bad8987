"""YOLO folders, as Ultralytics defines them and as the tools export them.

https://docs.ultralytics.com/datasets/detect/: data.yaml with `names`, and for each picture a text file with rows
`class x y w h`, in fractions. What tools make of it: CVAT's "Ultralytics YOLO" export has no pictures unless asked for
them, but a list of them (train.txt); Label Studio's has classes.txt in place of data.yaml.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from stages.contract.findings import refuse
from stages.contract.folders import every_image
from stages.contract.sheets import Row
from stages.contract.yolo import yolo_sheet
from stages.core.errors import problem
from stages.files.packet import Packet
from stages.files.yolo_folder import Item, description, labels_of, read_names, read_source
from stages.review.outgoing import copy_images
from stages.review.returned import FRACTIONS, Returned, ReturnedBox, ReturnedSheet

_CLASSES = "classes.txt"
_NO_LABELS = {_CLASSES, "train.txt", "val.txt", "valid.txt", "test.txt", "notes.txt"}


def is_one(path: Path) -> bool:
    """Say whether `path` is a folder with class names and YOLO labels."""
    if not path.is_dir():
        return False
    return description(path).is_file() or ((path / _CLASSES).is_file() and bool(_label_files(path)))


def read(path: Path) -> Returned:
    """Return what the folder `path` holds; raise `UserError` with file and line for what is no box."""
    return Returned("yolo", _names(path), tuple(sheets_of(path, _names(path))))


def sheets_of(path: Path, classes: Sequence[str]) -> list[ReturnedSheet]:
    """Return the sheets of a YOLO folder; without pictures those that have a label file or stand in a list."""
    if not every_image(path).by_name:
        return [_sheet(item, classes, without_image=True) for item in _listed(path)]
    if not description(path).is_file():
        items = [Item(image, path / "labels" / f"{image.stem}.txt") for image in _images(path)]
        return [_sheet(item, classes) for item in items]
    source = read_source(path)
    # An export names splits that it has no sheet for.
    refuse(one for one in source.findings if one.code not in ("split-missing", "same-stem"))
    return [_sheet(item, classes) for _, items in sorted(source.splits.items()) for item in items.values()] + [
        _sheet(_second(Path(finding.file)), classes) for finding in source.findings if finding.code == "same-stem"
    ]


def write(packet: Packet, folder: Path) -> list[str]:
    """Write the packet as a YOLO folder; return what to do with it."""
    copy_images(packet, folder / "images")
    shutil.copytree(packet.folder / "labels", folder / "labels")
    shutil.copyfile(packet.folder / "data.yaml", folder / "data.yaml")
    (folder / _CLASSES).write_text("".join(f"{name}\n" for name in packet.classes), encoding="utf-8")
    return [
        "Open images and labels in your tool (class names: data.yaml or classes.txt), and correct every sheet.",
        "Save or export as YOLO; boxes, no resizing, no augmentation.",
        "YOLO says not which sheets were looked at: when all were, add --all-reviewed to the import.",
    ]


def _names(folder: Path) -> tuple[str, ...]:
    if description(folder).is_file() or not (folder / _CLASSES).is_file():
        return read_names(folder)
    names = (line.strip() for line in (folder / _CLASSES).read_text(encoding="utf-8-sig").splitlines())
    found = tuple(name for name in names if name)
    if len(set(found)) != len(found):
        mend = "List each class once, in the order of the ids in the labels."
        raise problem(folder / _CLASSES, expected="different names", found=", ".join(found)[:80], mend=mend)
    return found


def _images(folder: Path) -> list[Path]:
    return sorted(image for group in every_image(folder).by_name.values() for image in group)


def _label_files(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*.txt") if file.name not in _NO_LABELS and not file.name.startswith("."))
    return sorted(file for file in files if "labels" in file.relative_to(folder).parts)


def _listed(folder: Path) -> list[Item]:
    """Return the sheets of a folder without pictures; an item's image is only a name then."""
    lists = [file for name in ("train", "val", "valid", "test") if (file := folder / f"{name}.txt").is_file()]
    lines = [line.strip() for file in lists for line in file.read_text(encoding="utf-8-sig").splitlines()]
    named = {Path(line).stem: Path(line) for line in lines if line}
    labels = {file.stem: file for file in _label_files(folder)}
    if len(labels) < len(_label_files(folder)):
        twice = [file for file in _label_files(folder) if labels[file.stem] != file]
        raise _two(twice[0], labels[twice[0].stem])
    stems = sorted({*named, *labels})
    return [Item(named.get(stem, Path(stem)), labels.get(stem, folder / "labels" / f"{stem}.txt")) for stem in stems]


def _second(image: Path) -> Item:
    return Item(image, labels_of(image))


def _two(one: Path, other: Path) -> Exception:
    mend = "Export again without augmentation, and each sheet into one folder."
    return problem(one, expected="every sheet once", found=f"{other} for the same name", mend=mend)


def _sheet(item: Item, classes: Sequence[str], *, without_image: bool = False) -> ReturnedSheet:
    sheet = yolo_sheet("", item, classes)
    refuse(sheet.findings)
    boxes = tuple(ReturnedBox(classes[row.class_id], _corners(row), f"{item.label}:{row.line}") for row in sheet.rows)
    polygons = sum(row.polygon for row in sheet.rows)
    where = str(item.label if without_image else item.image)
    image = None if without_image else item.image
    return ReturnedSheet(item.image.name, where, FRACTIONS, boxes, image=image, polygons=polygons)


def _corners(row: Row) -> tuple[float, float, float, float]:
    x, y, w, h = row.xywh
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2
