"""Reads the dataset on disk: `data/dataset/<split>/{images,labels}/` and its manifest."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.base.boxes import Boxes
from stages.base.errors import problem
from stages.base.file_facts import digests
from stages.base.params import read_yaml
from stages.dataset.sheets.manifest import ACCEPT, MANIFEST, RESTORE, file_sha256, read_manifest

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


class SplitSheet(NamedTuple):
    """A sheet of a split with the boxes that somebody drew on it; `labels` is None where nobody looked."""

    split: str
    sheet: Sheet
    labels: Labels | None


def split_sheets(splits: Iterable[str], classes: Sequence[str], root: Path = DATASET) -> list[SplitSheet]:
    """Return all sheets of `splits` with their labels, checked as `read_split` and `read_labels` do."""
    return [
        SplitSheet(split, sheet, read_labels(sheet.label, classes) if sheet.labelled else None)
        for split in splits
        for sheet in read_split(split, root)
    ]


def read_split(split: str, root: Path = DATASET) -> list[Sheet]:
    """Return the sheets of `split`, sorted by name.

    Raises `UserError` when there is no such folder, and for the first file that is not as the split's manifest lists
    it: a stage never reads a sheet or a label that came in by another way than an import, a review or `data accept`.
    """
    require_split(split, root)
    sheets = sheets_in(root / split)
    require_as_listed(root / split)
    return sheets


def require_split(split: str, root: Path = DATASET) -> None:
    """Raise `UserError` when there is no folder of that split."""
    if not (root / split).is_dir():
        raise problem("split_folder.dataset", root / split, dataset=DATASET / split)


def sheets_in(folder: Path) -> list[Sheet]:
    """Return what lies in the split `folder`, listed or not, sorted by name; hidden files are no sheets."""
    images = sorted(file for file in (folder / "images").glob("[!.]*") if file.suffix.lower() in IMAGE_SUFFIXES)
    return [Sheet(image, folder / "labels" / f"{image.stem}.txt") for image in images]


def require_as_listed(folder: Path) -> None:
    """Raise `UserError` for the first image or label file of a split that is not as its manifest lists it.

    Other files than images and their labels, such as a `.cache` of labels, are passed over.
    """
    rows = {row.image_id: row for row in read_manifest(folder / MANIFEST)}
    sheets = {sheet.image_id: sheet for sheet in sheets_in(folder)}
    known = digests(sheet.image for sheet in sheets.values())
    for name in sorted({*rows, *sheets}):
        if name not in rows:
            raise _differs(sheets[name].image, f"a sheet that {folder / MANIFEST} lists", "one that it does not list")
        if name not in sheets:
            raise _differs(folder / "images" / name, f"the sheet that {folder / MANIFEST} lists", "no file")
        for file, listed in zip(sheets[name], rows[name][-2:], strict=True):
            found = known[file] if file in known else file_sha256(file)
            if found != listed:
                words = ("a file that nobody accepted" if not listed else "no file") if not (found and listed) else ""
                raise _differs(file, f"the content that {folder / MANIFEST} lists", words or "other content")
    listed_labels = {f"{Path(name).stem}.txt" for name in rows}
    for file in sorted((folder / "labels").glob("[!.]*.txt")):
        if file.name not in listed_labels:
            raise _differs(file, f"labels of a sheet that {folder / MANIFEST} lists", "labels of none")


def _differs(file: Path, expected: str, found: str) -> Exception:
    return problem("split_folder.differs", file, expected=expected, found=found, restore=RESTORE, accept=ACCEPT)


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
        raise problem("split_folder.text_utf_8", file) from error
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


def row_text(class_id: int, xywhn: Sequence[float]) -> str:
    """Return a row of a YOLO label file, without its line end; six decimals are far below a pixel."""
    return f"{class_id} {' '.join(f'{value:.6f}' for value in xywhn)}"


def label_text(class_id: Iterable[int], xywhn: Boxes) -> str:
    """Return boxes (n, 4) as the content of a YOLO label file; nothing for none."""
    return "".join(f"{row_text(key, box)}\n" for key, box in zip(class_id, xywhn.tolist(), strict=True))


def check_names(classes: Sequence[str], root: Path = DATASET) -> None:
    """Raise `UserError` unless `data.yaml` of the dataset names exactly `classes`, in their order."""
    file = root / "data.yaml"
    if not file.is_file():
        raise problem("split_folder.dataset_class_names", file)
    names = read_yaml(file).get("names") or []
    listed = [names.get(number) for number in range(len(names))] if isinstance(names, dict) else names
    found = listed if isinstance(listed, list) else [listed]
    if found != list(classes):
        raise problem(
            "split_folder.classes_params_yaml",
            file,
            classes=", ".join(classes),
            found=", ".join(map(str, found)) or "none",
        )


def _row(parts: list[str], where: str, classes: Sequence[str]) -> tuple[float, ...]:
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != 5 or not np.isfinite(values).all() or values[0] != int(values[0]):
        raise problem("split_folder.five_numbers_class", where, parts=" ".join(parts)[:60])
    if not 0 <= values[0] < len(classes):
        named = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
        raise problem("split_folder.class_params_yaml", where, named=named, values=int(values[0]))
    return tuple(values)
