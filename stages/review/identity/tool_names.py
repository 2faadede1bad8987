"""Finds which sheet an exported name means: tools add folders, prefixes and endings, and have letters of their own."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote

from stages.dataset.image_names import same_stem
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES

_KINDS = "|".join(suffix[1:] for suffix in IMAGE_SUFFIXES)
# Roboflow exports `a b.png` as `a-b_png.rf.<hash>.jpg`.
_ROBOFLOW = re.compile(rf"(?P<stem>.+?)(_({_KINDS}))?\.rf\.[0-9A-Za-z]+", re.IGNORECASE)
# Label Studio puts eight digits of an id before a picture that was uploaded.
_LABEL_STUDIO = re.compile(r"[0-9a-f]{8}-(?P<stem>.+)")


class Names:
    """The file names of sheets, to be found by what a tool made of them."""

    def __init__(self, image_ids: Iterable[str]) -> None:
        self._known = list(image_ids)
        self._read: list[dict[str, list[str]]] = []
        for reading in _READINGS:
            found: dict[str, list[str]] = {}
            for image_id in self._known:
                found.setdefault(reading(_stem(image_id)), []).append(image_id)
            self._read.append(found)
        self._exact = frozenset(self._known)

    def meant(self, name: str) -> list[str]:
        """Return those that `name`, as a tool exported it, means: several when nobody knows which, or none.

        The closest reading that fits any of them wins.
        """
        plain = name.replace("\\", "/").rpartition("/")[2]
        names = list(dict.fromkeys((plain, unquote(plain))))
        for one in names:
            if one in self._exact:
                return [one]
        stems = list(dict.fromkeys(stem for one in names for stem in _stems(one)))
        for reading, known in zip(_READINGS, self._read, strict=True):
            for stem in stems:
                if reading(stem) in known:
                    return known[reading(stem)]
        return []


def stem_of(name: str) -> str:
    """Return what no two sheets share of a name with folders, on any computer."""
    return same_stem(_stem(name.replace("\\", "/").rpartition("/")[2]))


def _stem(name: str) -> str:
    """Return a name without its ending; `plan 2.1` has none."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in IMAGE_SUFFIXES else name


def _stems(name: str) -> list[str]:
    """Return the stem of an exported name, and what it may have been before the export, the nearest first."""
    found = [_stem(name)]
    for pattern in (_ROBOFLOW, _LABEL_STUDIO):
        found += [match["stem"] for stem in found if (match := pattern.fullmatch(stem))]
    return found


def _composed(stem: str) -> str:
    """Return `stem` with each accent on its letter: a Mac writes the two apart."""
    return unicodedata.normalize("NFC", stem)


def _stored(stem: str) -> str:
    """Return `stem` as Label Studio (Django) stores a file that is uploaded: only letters, digits and `_ - .`."""
    return re.sub(r"[^-\w.]", "", _composed(stem).strip().replace(" ", "_")).casefold()


def _dashed(stem: str) -> str:
    """Return `stem` with a dash for everything but letters and digits of any language, as Roboflow writes it."""
    return re.sub(r"[\W_]+", "-", _composed(stem)).casefold()


def _original(stem: str) -> str:
    """Return `stem` dashed, and without what an earlier export of Roboflow had added to it."""
    match = _ROBOFLOW.fullmatch(stem)
    return _dashed(match["stem"] if match else stem)


_READINGS = (_composed, _stored, _dashed, _original)  # the closest first
