"""Reads a YOLO folder as people have them: `data.yaml`, images, labels, in one of the three usual layouts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.core.errors import UserError, problem
from stages.files.dataset import IMAGE_SUFFIXES, Labels, parse_labels
from stages.files.params import read_yaml

# Other tools' words for our splits; any other name stays as it is.
_SPLIT_NAMES = {"valid": "val", "validation": "val", "training": "train", "testing": "test"}
_ROUNDING = 1e-3  # tools round; pixels instead of fractions are far above
_DESCRIPTIONS = ("data.yaml", "data.yml", "dataset.yaml")


class Item(NamedTuple):
    """One image of a source and its label file, which may not exist."""

    image: Path
    label: Path


class Source(NamedTuple):
    """A YOLO folder: its class names in the order of their ids, and its images per split, by file name."""

    folder: Path
    classes: tuple[str, ...]
    splits: dict[str, dict[str, Item]]
    strangers: tuple[Path, ...]  # files among the images and labels that belong to no image


class SheetLabels(NamedTuple):
    """The labels of one image as rows of five numbers, as boxes, and how many of them were polygons."""

    text: str
    boxes: Labels
    polygons: int


def read_source(folder: Path) -> Source:
    """Return what is in `folder`; raise `UserError` for no YOLO folder, and for a stem used twice."""
    if not folder.is_dir():
        mend = "Give the folder that has data.yaml."
        raise problem(folder, expected="a YOLO folder", found="no folder", mend=mend)
    classes = read_names(folder)
    splits: dict[str, dict[str, Item]] = {}
    strangers: list[Path] = []
    for split, images, labels in _split_folders(folder):
        if split in splits:
            raise problem(
                images,
                expected="one folder per split",
                found=f"a second '{split}'",
                mend="Merge or remove one.",
            )
        splits[split] = _items(images, labels)
        strangers += _strangers(images, labels, splits[split])
    if not any(splits.values()):
        raise problem(
            folder,
            expected="images/train + labels/train, train/images + train/labels, or images + labels",
            found="no image in these",
            mend=f"Images end in {', '.join(IMAGE_SUFFIXES)}.",
        )
    _refuse_shared_stems(splits)
    return Source(folder, classes, splits, tuple(strangers))


def read_names(folder: Path) -> tuple[str, ...]:
    """Return the class names that `data.yaml` in `folder` lists or maps, in the order of their ids."""
    files = [folder / name for name in _DESCRIPTIONS]
    file = next((file for file in files if file.is_file()), files[0])
    if not file.is_file():
        raise problem(
            file,
            expected="the class names",
            found="no file",
            mend="Write one: names: [class 0, class 1, ...]",
        )
    names = read_yaml(file).get("names")
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    texts = [str(name).strip() for name in names] if isinstance(names, list) else []
    if not texts or not all(texts) or len(set(texts)) != len(texts):
        raise problem(
            file,
            expected="names: a list of different names (or ids from 0 to names)",
            found=repr(names)[:80],
            mend="List each class once, in the order of the ids in the labels.",
        )
    return tuple(texts)


def read_item_labels(item: Item, classes: Sequence[str]) -> SheetLabels:
    """Return the labels of `item`, polygons (an odd count of numbers above five) as the boxes around them.

    A missing file holds none. Raises `UserError` with file and line for a row that is no box, a class that is
    not named, and a box that has no size or is not in fractions of the image.
    """
    if not item.label.is_file():
        return SheetLabels("", parse_labels("", item.label, classes), 0)
    try:
        lines = item.label.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise problem(
            item.label, expected="text in UTF-8", found="other bytes", mend="Replace or remove the file."
        ) from error
    boxed = [_box_around(line) for line in lines]
    text = "".join(f"{new or old.strip()}\n" for new, old in zip(boxed, lines, strict=True))
    boxes = parse_labels(text, item.label, classes)
    _require_fractions(boxes, [n for n, line in enumerate(lines, 1) if line.strip()], item.label)
    rows = "".join(f"{line}\n" for line in text.splitlines() if line.strip())
    return SheetLabels(rows, boxes, sum(new is not None for new in boxed))


def _split_folders(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Yield (split, images, labels) of whichever layout `folder` has."""
    images, labels = folder / "images", folder / "labels"
    inner = _folders(images)
    if inner and _images(images):
        raise problem(
            images,
            expected="images or folders of splits",
            found="both",
            mend=f"Move the images into {inner[0]}.",
        )
    if _images(images):
        yield "train", images, labels
    for split in inner:
        yield split_name(split.name), split, labels / split.name
    for split in _folders(folder):
        if split.name != "images" and (split / "images").is_dir():
            yield split_name(split.name), split / "images", split / "labels"


def split_name(word: str) -> str:
    """Return our name of a split: `valid` is `val`; a name that we do not know stays as it is."""
    return _SPLIT_NAMES.get(word.lower(), word.lower())


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    # A Mac leaves `._a.jpg` beside `a.jpg` in every archive: no image.
    return sorted(path for path in files if not path.name.startswith("."))


def _items(images: Path, labels: Path) -> dict[str, Item]:
    return {image.name: Item(image, labels / f"{image.stem}.txt") for image in _images(images)}


def _strangers(images: Path, labels: Path, items: dict[str, Item]) -> list[Path]:
    """Return the files that would be left behind: no images, deeper folders, label files without an image."""
    known = {path for item in items.values() for path in item}
    files = [path for folder in (images, labels) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if path not in known and not _is_clutter(path)]


def _is_clutter(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix == ".cache" or file.name in ("classes.txt", "Thumbs.db")


def _refuse_shared_stems(splits: dict[str, dict[str, Item]]) -> None:
    seen: dict[str, Path] = {}
    for item in (item for items in splits.values() for item in items.values()):
        other = seen.setdefault(item.image.stem, item.image)
        if other is not item.image:
            raise problem(
                item.image,
                expected="a name that no other image has (without its ending)",
                found=f"the same as {other}",
                mend="Rename or remove one: a sheet belongs to one split.",
            )


def _box_around(line: str) -> str | None:
    """Return a polygon row (class x y x y x y ...) as a box row, None for any other row."""
    parts = line.split()
    if len(parts) <= 5 or len(parts) % 2 == 0:
        return None
    try:
        points = np.array([float(part) for part in parts[1:]]).reshape(-1, 2)
    except ValueError:
        return None  # the row is refused where its neighbours are read
    low, high = points.min(axis=0), points.max(axis=0)
    return " ".join([parts[0], *(f"{value:.6f}" for value in (*((low + high) / 2), *(high - low)))])


def _require_fractions(boxes: Labels, lines: Sequence[int], file: Path) -> None:
    """Raise `UserError` for the first box that cannot be one: outside [0, 1], or without width or height."""
    outside = (boxes.xywhn < 0) | (boxes.xywhn > 1 + _ROUNDING)
    wrong = outside.any(axis=1) | (boxes.xywhn[:, 2:] == 0).any(axis=1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise _no_box(f"{file}:{lines[row]}", boxes.xywhn[row].tolist())


def _no_box(where: str, values: list[float]) -> UserError:
    return problem(
        where,
        expected="centre and size as fractions of the image, above 0 and at most 1",
        found=" ".join(f"{value:g}" for value in values),
        mend="Correct or remove the row; pixels are divided by the image's width and height.",
    )
