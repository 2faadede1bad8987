"""Reads a YOLO folder as people have them: images and labels where `data.yaml` says, or in a usual layout."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.errors import problem
from stages.base.params import read_yaml
from stages.dataset.clutter import is_clutter
from stages.dataset.defects import Defect, Severity, finding
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.firewall.roles import ROLES
from stages.formats.doubts.image_lists import listed_images, not_there
from stages.formats.doubts.other_tools import other_tool
from stages.formats.doubts.stored_accents import as_stored
from stages.formats.written_names import by_id, listed_names, written_names

# Other tools' words for our splits; any other name stays as it is.
_SPLIT_NAMES = {"valid": "val", "validation": "val", "training": "train", "testing": "test"}
_MISSING = {
    "train": "Bring the folder, or correct the line.",
    "val": "Bring the folder, or draw one from train when you import: --val 0.2",
}
NAME_LISTS = ("classes.txt", "obj.names")
_DESCRIPTIONS = ("data.yaml", "data.yml", "dataset.yaml")


class Item(NamedTuple):
    """One image of a source and its label file, which may not exist."""

    image: Path
    label: Path


class Source(NamedTuple):
    """A dataset's folder: its class names in the order of their ids, and its images per split, by file name."""

    folder: Path
    classes: tuple[str, ...]
    splits: dict[str, dict[str, Item]]
    strangers: tuple[Path, ...]  # files among the images and labels that belong to no image
    findings: tuple[Defect, ...] = ()


class _Part(NamedTuple):
    """Where one split, or a part of it, lies: a folder of images (or a list of them in a file), and its labels."""

    split: str
    images: Path
    labels: Path


def read_source(folder: Path) -> Source:
    """Return what is in `folder`; raise `UserError` for no YOLO folder, and for two folders of one split."""
    if not folder.is_dir():
        raise problem("yolo_folder.yolo_folder", folder)
    classes = read_names(folder)
    parts, findings = _parts(folder)
    findings += _count_differs(folder, classes)
    splits: dict[str, dict[str, Item]] = {}
    listed: set[Path] = set()
    for part in parts:
        items = _items(part, folder)
        findings += not_there(part.images, folder) if part.images.is_file() else []
        if part.images.is_file():
            listed |= {item.image for item in items}
        elif part.split not in ROLES and any(item.image in listed for item in items):
            continue  # no split of its own: the lists go over its folder
        _put(splits.setdefault(part.split, {}), items)
    _require_one_order(folder, parts, splits, classes)
    if not any(splits.values()):
        told = [one for code in ("image-missing", "split-missing") for one in findings if one.code == code]
        if told:
            raise told[0].error()
        raise problem("yolo_folder.images_train_labels", folder, image_suffixes=", ".join(IMAGE_SUFFIXES))
    return Source(folder, classes, splits, tuple(_strangers(parts, splits)), tuple(findings))


def _put(split: dict[str, Item], items: Sequence[Item]) -> None:
    """Put `items` into `split` by their names; one whose name another picture has, by its path: nothing is lost."""
    for item in items:
        other = split.setdefault(item.image.name, item)
        if other.image != item.image:
            split[str(item.image)] = item


def read_names(folder: Path) -> tuple[str, ...]:
    """Return the class names that `data.yaml` in `folder` lists or maps, in the order of their ids.

    Without one those of classes.txt (Label Studio, labelImg) or obj.names (Darknet, CVAT's YOLO 1.1).
    """
    file = description(folder)
    if not file.is_file():
        lists = [folder / name for name in NAME_LISTS if (folder / name).is_file()]
        if not lists:
            tool = other_tool(folder)
            raise (
                problem("yolo_folder.other_tool", folder, found=tool)
                if tool
                else problem("yolo_folder.class_names", file)
            )
        return listed_names(lists[0])
    found = read_yaml(file).get("names")
    texts = by_id(written_names(file)) or []
    if not texts or not all(texts) or len(set(texts)) != len(texts):
        raise problem("yolo_folder.names_list_different", file, found=repr(found)[:80])
    return tuple(texts)


def _require_one_order(
    folder: Path, parts: Sequence[_Part], splits: Mapping[str, Mapping[str, Item]], classes: Sequence[str]
) -> None:
    """Raise `UserError` for a list of classes beside the labels that gives the ids other names: labelImg makes one."""
    labels = {item.label for items in splits.values() for item in items.values()}  # of a picture called `classes`
    places = dict.fromkeys((folder, folder / "labels", *(part.labels for part in parts)))
    files = (place / name for place in places for name in NAME_LISTS)
    for file in (file for file in files if file.is_file() and file not in labels):
        names = listed_names(file)
        both = min(len(names), len(classes))
        if names[:both] != tuple(classes[:both]):
            found = ", ".join(names)[:200]
            raise problem("yolo_folder.names_differ", file, classes=", ".join(classes), found=found)


def _count_differs(folder: Path, classes: Sequence[str]) -> list[Defect]:
    file = description(folder)
    count = described(folder).get("nc")
    if count is None or count == len(classes):
        return []
    return [finding("warning", "yolo_folder.count-of-classes", file, names=len(classes), count=count)]


def description(folder: Path) -> Path:
    """Return the file in `folder` that names the classes, or where it should be."""
    files = [folder / name for name in _DESCRIPTIONS]
    return next((file for file in files if file.is_file()), files[0])


def described(folder: Path) -> dict[str, Any]:
    """Return what data.yaml in `folder` says; nothing without one."""
    file = description(folder)
    return read_yaml(file) if file.is_file() else {}


def _parts(folder: Path) -> tuple[list[_Part], list[Defect]]:
    """Return where every split lies: where data.yaml says if that is there, or where the layout has it.

    Where neither is, Darknet's lists of images say it.
    """
    named, findings = _named_parts(folder, described(folder))
    taken = {part.split for part in named}
    laid: dict[str, _Part] = {}
    for part in _laid_parts(folder):
        if part.split in laid:
            raise problem("yolo_folder.folder_per_split", part.images, split=part.split)
        laid[part.split] = part
    if not named and not laid:
        named = [_Part(split_name(file.stem), file, file) for file in _darknet_lists(folder)]
        taken = {part.split for part in named}
    findings = [one for one in findings if one.code != "split-missing" or one.found.split("'")[1] not in laid]
    lists = {part.split for part in named if part.images.is_file()}
    places = {part.images.resolve() for part in named}
    unread = [
        part
        for split, part in laid.items()
        if split in taken and split not in lists and part.images.resolve() not in places
    ]
    findings += [finding("warning", "yolo_folder.folder-not-read", part.images, split=part.split) for part in unread]
    return [*named, *(part for split, part in laid.items() if split not in taken)], findings


def _laid_parts(folder: Path) -> Iterator[_Part]:
    """Yield the splits of whichever layout `folder` has."""
    images, labels = folder / "images", folder / "labels"
    inner = _folders(images)
    if inner and _images(images):
        raise problem("yolo_folder.images_folders_splits", images, inner=inner[0])
    if _images(images):
        yield _Part("train", images, labels)
    for split in inner:
        yield _Part(split_name(split.name), split, labels / split.name)
    for split in _folders(folder):
        if split.name != "images" and (split / "images").is_dir():
            yield _Part(split_name(split.name), split / "images", split / "labels")


def _darknet_lists(folder: Path) -> list[Path]:
    lists = (folder / f"{name}.txt" for name in ("train", "valid", "val", "test"))
    return [file for file in lists if file.is_file() and listed_images(file, folder)]


def _named_parts(folder: Path, values: Mapping[str, Any]) -> tuple[list[_Part], list[Defect]]:
    """Return the splits that data.yaml names and that are there, and findings about those that are not."""
    file = description(folder)
    base, findings = _base(folder, file, values.get("path"))
    parts: list[_Part] = []
    for key, value in values.items():
        split = split_name(str(key))
        entries = value if isinstance(value, list) else [value]
        if split not in ROLES or not value or not all(isinstance(entry, str) for entry in entries):
            continue
        for entry in entries:
            place = _place(folder, base, entry)
            if place is None:
                severity: Severity = "error" if split == "train" else "warning"
                mend = _MISSING.get(split, "Nothing is read for it.")
                findings.append(
                    finding(severity, "yolo_folder.split-missing", file, entry=entry, split=split, mend=mend)
                )
            elif place.resolve() in [part.images.resolve() for part in parts]:
                findings.append(finding("warning", "yolo_folder.split-twice", file, split=split, entry=entry))
            else:
                parts.append(_Part(split, place, labels_of(place / "x").parent))
    outside = [part for part in parts if folder.resolve() not in part.images.resolve().parents]
    findings += [
        finding("note", "yolo_folder.elsewhere", file, split=part.split, images=part.images) for part in outside
    ]
    return parts, findings


def _base(folder: Path, file: Path, path: object) -> tuple[Path, list[Defect]]:
    """Return what the splits in data.yaml are relative to: its `path:`, or its own folder where that is not here."""
    if not isinstance(path, str) or not path.strip():
        return folder, []
    base = folder / path  # an absolute path stays one
    if base.is_dir():
        return (folder if base.resolve() == folder.resolve() else base), []
    return folder, [finding("warning", "yolo_folder.path-not-here", file, path=path)]


def _place(folder: Path, base: Path, entry: str) -> Path | None:
    """Return the folder of images, or the list of them, that an entry of data.yaml means.

    Roboflow writes `../train/images` for a folder beside data.yaml, as Ultralytics knows, too.
    """
    for root in (base, folder):
        for text in (entry, entry.removeprefix("../")):
            place = root / text
            if (place / "images").is_dir() and not _images(place):
                place = place / "images"
            if place.is_dir() or (place.suffix == ".txt" and place.is_file()):
                return place
    return None


def labels_of(image: Path) -> Path:
    """Return where the label file of `image` is by YOLO's rule: the last folder `images` becomes `labels`."""
    parts = list(image.parts)
    for number in range(len(parts) - 2, -1, -1):
        if parts[number] == "images":
            parts[number] = "labels"
            break
    return Path(*parts).with_name(f"{image.stem}.txt")


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


def _items(part: _Part, folder: Path) -> list[Item]:
    """Return the images of a part with their label files, those in deeper folders as well, as Ultralytics does."""
    if part.images.is_file():
        return [
            Item(image, as_stored(labels_of(image))) for image in listed_images(part.images, folder) if image.is_file()
        ]
    flat = [Item(image, as_stored(part.labels / f"{image.stem}.txt")) for image in _images(part.images)]
    deeper = [image for inner in _folders(part.images) for image in _below(inner)]
    return flat + [Item(image, as_stored(labels_of(image))) for image in deeper]


def _below(folder: Path) -> list[Path]:
    inner = [one for one in _folders(folder) if not is_clutter(one.name) and not one.is_symlink()]
    return _images(folder) + [image for one in inner for image in _below(one)]


def _strangers(parts: Sequence[_Part], splits: Mapping[str, Mapping[str, Item]]) -> list[Path]:
    """Return the files that would be left behind: no images, deeper folders, label files without an image."""
    known = {path for items in splits.values() for item in items.values() for path in item}
    folders = dict.fromkeys(folder for part in parts for folder in (part.images, part.labels) if folder.is_dir())
    files = dict.fromkeys(path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if path not in known and path.name != "classes.txt" and not is_clutter(path.name)]
