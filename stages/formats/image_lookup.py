"""Finds images under a folder by the names that annotations give them."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.firewall.roles import ROLES
from stages.formats.yolo_folder import split_name


class Images(NamedTuple):
    """Every image under a folder, by its file name."""

    by_name: dict[str, list[Path]]
    by_stem: dict[str, list[Path]]

    def of_file(self, file: Path, name: str) -> Path | None:
        """Return the image of a file of its own: the one with its stem, or the one that it calls `name`."""
        same = self.by_stem.get(file.stem, [])
        beside = [path for path in same if path.parent == file.parent] or same
        if len(beside) == 1 or not name:
            return beside[0] if len(beside) == 1 else None
        return self.find(name, near=file.parent, split=file.parent.name)

    def find(self, name: str, *, near: Path, split: str) -> Path | None:
        """Return the image called `name` (a path is fine): the one beside `near`, or in a folder of that split.

        None where there is none, or nobody can say which of several it is.
        """
        wanted = PurePosixPath(name.replace("\\", "/"))
        hits = self.by_name.get(wanted.name, [])
        fitting = [hit for hit in hits if hit.as_posix().endswith(f"/{wanted.as_posix()}")] or hits
        beside = [hit for hit in fitting if near in (hit.parent, hit.parent.parent)]
        named = [hit for hit in fitting if hit.parent.name and hit.parent.name.lower() in split.lower()]
        return next((group[0] for group in (beside, named, fitting) if len(group) == 1), None)

    def without(self, used: Iterable[Path]) -> list[Path]:
        """Return the images that are not in `used`, sorted."""
        gone = set(used)
        return sorted(image for group in self.by_name.values() for image in group if image not in gone)


def every_image(folder: Path) -> Images:
    """Return all images under `folder`, at any depth."""
    found = Images({}, {})
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file() and not file.name.startswith("."):
            found.by_name.setdefault(file.name, []).append(file)
            found.by_stem.setdefault(file.stem, []).append(file)
    return found


def known_split(word: str) -> str | None:
    """Return our name of the split that `word` means; None if it means none."""
    name = split_name(word)
    return name if name in ROLES else None
