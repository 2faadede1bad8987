"""Looks at the names of the images of a dataset: a name stands for one sheet, on every computer."""

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from stages.base.errors import printable
from stages.dataset.defects import Defect, finding

UNPRINTABLE = "unprintable-name"


def same_stem(stem: str) -> str:
    """Return what two stems share when a computer may take them for one."""
    return unicodedata.normalize("NFC", stem).casefold()


# How two stems can be one: the first that holds gives the code, and what to say.
_SAME: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("same-stem", "", str),
    ("same-stem-but-case", ", but for capital letters, which a Mac and Windows do not tell apart", str.casefold),
    ("same-stem-but-accents", ", but for the way its accents are stored, which a Mac does not tell apart", same_stem),
)


def name_findings(images: Sequence[Path]) -> list[Defect]:
    """Return a finding for each image whose stem another one before it has, or whose name no list of sheets can hold.

    Unusual names get one together.
    """
    seen: dict[str, Path] = {}
    found = []
    for image in images:
        other = seen.setdefault(same_stem(image.stem), image)
        if other is not image:
            code, words = next((code, words) for code, words, key in _SAME if key(other.stem) == key(image.stem))
            expected = "a name that no other image has (without its ending)"
            mend = "Rename or remove one: a sheet belongs to one split."
            found.append(Defect("error", code, image, None, expected, f"the same as {other}{words}", mend))
    for image in images:
        if printable(image.name) != image.name:
            found.append(finding("error", "image_names.unprintable-name", image, name=image.name))
    odd = [image for image in images if " " in image.name or not image.name.isascii()]
    if odd:
        found.append(finding("note", "image_names.unusual-names", odd[0], count=len(odd)))
    return found
