"""Reads the lists of a VOC folder, `ImageSets/Main/train.txt` and its like: which picture is in which split."""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from stages.dataset.defects import Defect, finding
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.doubts.stored_accents import composed
from stages.formats.image_lookup import known_split
from stages.formats.written_names import lines_in

LISTS = Path("ImageSets/Main")
_FLAGS = ("1", "-1", "0")  # which VOC's own lists of a class have behind each name


class VocLists(NamedTuple):
    """The pictures that each list names, without ending, as the list has them: with or without folders."""

    files: dict[str, Path]  # the list of a split
    splits: dict[str, list[str]]  # of each name, in the order of the lists
    there: frozenset[str]  # what a list may call a picture that is there

    def split_of(self, image: PurePath) -> str | None:
        """Return the split that a list puts `image` (relative to the folder) into, by the most of its path."""
        return next((self.splits[name][0] for name in _names(image) if name in self.splits), None)

    def findings(self) -> list[Defect]:
        """Return a warning for each list with names of no picture, an error for one that shares a picture."""
        found = []
        for split, file in self.files.items():
            own = [name for name, splits in self.splits.items() if split in splits]
            gone = [name for name in own if name not in self.there]
            both = [name for name in own if self.splits[name][0] != split]
            if gone:
                found.append(finding("warning", "voc_lists.listed-missing", file, count=len(gone), first=gone[0]))
            if both:
                other = self.files[self.splits[both[0]][0]]
                found.append(finding("error", "voc_lists.two-lists", file, first=both[0], other=other))
        return found


def read_lists(folder: Path, images: Iterable[Path]) -> VocLists:
    """Return which of `images` the lists of the known splits in `folder` name; those of a class alone are none."""
    there = frozenset(name for image in images for name in _names(image.relative_to(folder)))
    files = {split: file for file in sorted((folder / LISTS).glob("[!.]*.txt")) if (split := known_split(file.stem))}
    splits: dict[str, list[str]] = {}
    for split, file in files.items():
        for name in dict.fromkeys(listed_stems(file, there)):
            splits.setdefault(name, []).append(split)
    return VocLists(files, splits, there)


def listed_stems(file: Path, there: Container[str] = ()) -> Iterator[str]:
    """Yield the names in a list, each without ending and quotes: Datumaro and CVAT quote those with blanks.

    A number at the end belongs to the name, unless only what is before it is the name of a picture that is `there`.
    Raises `UserError` for a list that is not in UTF-8.
    """
    for line in lines_in(file):
        before, _, flag = line.strip().rpartition(" ")
        whole, name = _stem(line), _stem(before)
        if whole:
            yield name if flag in _FLAGS and whole not in there and name in there else whole


def _stem(text: str) -> str:
    plain = composed(text.strip().strip('"').replace("\\", "/").removeprefix("./"))
    path = PurePath(plain)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else plain


def _names(image: PurePath) -> Iterator[str]:
    """Yield what a list may call `image`, the longest first."""
    parts = image.with_suffix("").parts
    return (composed("/".join(parts[start:])) for start in range(len(parts)))
