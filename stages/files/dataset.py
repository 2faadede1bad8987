"""Reads the dataset on disk: `data/dataset/<split>/{images,labels}/` and its manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.core.boxes import Boxes
from stages.core.errors import problem
from stages.files.params import read_yaml

DATASET = Path("data/dataset")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class Sheet(NamedTuple):
    """One image of a split, and where its label file is (or would be)."""

    image: Path
    label: Path

    @property
    def image_id(self) -> str:
        """The file name, which never changes when the sheet moves from pool to train."""
        return self.image.name

    @property
    def labelled(self) -> bool:
        """Whether somebody labelled it: an empty label file says that it holds nothing, no file says nothing."""
        return self.label.is_file()


class Labels(NamedTuple):
    """The boxes of one sheet: class_id (n,) and xywhn (n, 4), fractions of the image."""

    class_id: np.ndarray
    xywhn: Boxes


def read_split(split: str, root: Path = DATASET) -> list[Sheet]:
    """Return the sheets of `split`, sorted by name; raise `UserError` when there is no such folder."""
    folder = root / split / "images"
    if not (root / split).is_dir():
        raise problem(
            root / split,
            expected="a dataset",
            found="no folder",
            mend="Import one with `yoloop data import SOURCE`, or restore it with `dvc checkout`.",
        )
    images = sorted(file for file in folder.glob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    return [Sheet(image, root / split / "labels" / f"{image.stem}.txt") for image in images]


def read_labels(file: Path, classes: Sequence[str]) -> Labels:
    """Return the boxes in a YOLO label file; a missing file holds none.

    Rows are `class x y w h` in fractions of the image. Raises `UserError` with file and line for anything else, and
    for a class_id that `classes` does not name.
    """
    if not file.is_file():
        return Labels(np.zeros(0, dtype=np.int32), np.zeros((0, 4)))
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise problem(
            file, expected="text in UTF-8", found="other bytes", mend="Restore it with `dvc checkout`."
        ) from error
    return parse_labels(text, file, classes)


def parse_labels(text: str, file: Path, classes: Sequence[str]) -> Labels:
    """Return the boxes in `text`, the content of the label file `file`; raises as `read_labels` does."""
    rows = [
        _row(line.split(), f"{file}:{number}", classes)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]
    ids = np.array([row[0] for row in rows], dtype=np.int32)
    return Labels(ids, np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 4))


def check_names(classes: Sequence[str], root: Path = DATASET) -> None:
    """Raise `UserError` unless `data.yaml` of the dataset names exactly `classes`, in their order."""
    file = root / "data.yaml"
    if not file.is_file():
        raise problem(
            file, expected="the dataset's class names", found="no file", mend="Import one: yoloop data import SOURCE"
        )
    names = read_yaml(file).get("names") or []
    listed = [names.get(number) for number in range(len(names))] if isinstance(names, dict) else names
    found = listed if isinstance(listed, list) else [listed]
    if found != list(classes):
        raise problem(
            file,
            expected=f"the classes of params.yaml in their order ({', '.join(classes)})",
            found=", ".join(map(str, found)) or "none",
            mend="Correct `classes` in params.yaml: the order is the class_id.",
        )


def _row(parts: list[str], where: str, classes: Sequence[str]) -> tuple[float, ...]:
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != 5 or not np.isfinite(values).all() or values[0] != int(values[0]):
        raise problem(
            where,
            expected="five numbers: class x y w h",
            found=f"'{' '.join(parts)[:60]}'",
            mend="Correct or remove the row.",
        )
    if not 0 <= values[0] < len(classes):
        named = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
        raise problem(
            where,
            expected=f"a class of params.yaml ({named})",
            found=f"class {int(values[0])}",
            mend="Add the class to `classes` in params.yaml, or correct the label.",
        )
    return tuple(values)
