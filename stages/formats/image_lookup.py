"""Finds images under a folder by the names that annotations give them."""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.firewall.roles import ROLES
from stages.formats.doubts.stored_accents import composed
from stages.formats.yolo_folder import split_name


class Images(NamedTuple):
    """Every image under a folder, by its file name and by its stem, with each accent on its letter."""

    by_name: dict[str, list[Path]]
    by_stem: dict[str, list[Path]]

    def of_file(self, file: Path, name: str) -> Path | None:
        """Return the image of a file of its own: the one with its stem, or the one that it calls `name`."""
        found = self.by_stem.get(composed(file.stem), [])
        same = [path for path in found if path.stem == file.stem] or found
        beside = [path for path in same if path.parent == file.parent] or same
        if len(beside) == 1 or not name:
            return beside[0] if len(beside) == 1 else None
        return self.find(name, near=file.parent, split=file.parent.name)

    def find(self, name: str, *, near: Path, split: str, bare: bool = True) -> Path | None:
        """Return the image called `name` (a path is fine): the one beside `near`, or in a folder of that split.

        All folders of a path must be those of the image, of one from another computer (`/home/…`) the last ones;
        `bare`: where none fits, the name alone will do. None where there is no such image, or nobody can say which of
        several it is.
        """
        fitting = next((hits for one in _readings(name) if (hits := self._fitting(one))), [])
        if not fitting and bare:
            fitting = next((hits for one in _readings(name) if (hits := self.by_name.get(one.name, []))), [])
        same = [hit for hit in fitting if hit.name == name.replace("\\", "/").rpartition("/")[2]]
        beside = [hit for hit in fitting if near in (hit.parent, hit.parent.parent)]
        named = [hit for hit in fitting if hit.parent.name and hit.parent.name.lower() in split.lower()]
        return next((group[0] for group in (same, beside, named, fitting) if len(group) == 1), None)

    def _fitting(self, wanted: PurePosixPath) -> list[Path]:
        """Return the images of that name in folders of those names, as many of them as any has."""
        hits = self.by_name.get(wanted.name, [])
        folders = [part for part in wanted.parent.parts if part not in ("/", ".", "..")]
        agreeing = [_agreeing(hit, folders) for hit in hits]
        least = min(1, len(folders)) if _is_foreign(wanted) else len(folders)
        most = max(agreeing, default=0)
        return [hit for hit, count in zip(hits, agreeing, strict=True) if count == most >= least]

    def elsewhere(self, name: str) -> Path | None:
        """Return an image of the same file name, whichever folder it is in."""
        return next((hit for one in _readings(name) for hit in self.by_name.get(one.name, [])), None)

    def without(self, used: Iterable[Path]) -> list[Path]:
        """Return the images that are not in `used`, sorted."""
        gone = set(used)
        return sorted(image for group in self.by_name.values() for image in group if image not in gone)


def _readings(name: str) -> list[PurePosixPath]:
    """Return the path that `name` may mean: as it is, and as it was before it became part of an address."""
    plain = composed(name.replace("\\", "/"))
    return [
        PurePosixPath(text) for text in dict.fromkeys((plain, composed(unquote(plain)))) if PurePosixPath(text).parts
    ]


def _is_foreign(name: PurePosixPath) -> bool:
    return name.is_absolute() or name.parts[0].endswith(":")


def _agreeing(image: Path, folders: Sequence[str]) -> int:
    """Return how many of `folders`, from the last one on, are those that `image` lies in."""
    pairs = zip(reversed(image.parent.parts), reversed(folders), strict=False)
    return len(list(takewhile(lambda pair: composed(pair[0]) == pair[1], pairs)))


def every_image(folder: Path) -> Images:
    """Return all images under `folder`, at any depth."""
    found = Images({}, {})
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file() and not file.name.startswith("."):
            found.by_name.setdefault(composed(file.name), []).append(file)
            found.by_stem.setdefault(composed(file.stem), []).append(file)
    return found


def known_split(word: str) -> str | None:
    """Return our name of the split that `word` means; None if it means none."""
    name = split_name(word)
    return name if name in ROLES else None
