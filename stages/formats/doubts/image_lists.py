"""Reads the lists of images that a YOLO folder may have in place of folders (train.txt): paths of whatever computer."""

from pathlib import Path, PurePosixPath

from stages.dataset.defects import Defect, finding
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.doubts.stored_accents import as_stored
from stages.formats.written_names import lines_in


def listed_images(file: Path, folder: Path) -> list[Path]:
    """Return the images that a list file in `folder` names, one a line."""
    lines = (line.strip() for line in lines_in(file))
    paths = [line for line in lines if line.lower().endswith(IMAGE_SUFFIXES)]
    return sorted(dict.fromkeys(_meant(line, file, folder) for line in paths))


def _meant(line: str, file: Path, folder: Path) -> Path:
    """Return the image that a line of a list means: relative to it, or to `folder`, where Darknet had `data/`.

    Of a path on another computer the end counts, with one folder at least.
    """
    plain = PurePosixPath(line.replace("\\", "/"))
    own = file.parent / line.removeprefix("./")
    ends = [PurePosixPath(*plain.parts[start:]) for start in range(len(plain.parts) - 1)]
    places = [own, *(root / end for root in (file.parent, folder) for end in ends)]
    return next((stored for place in places if (stored := as_stored(place)).is_file()), own)


def not_there(file: Path, folder: Path) -> list[Defect]:
    """Return a finding for the images of a list that do not exist."""
    gone = [image for image in listed_images(file, folder) if not image.is_file()]
    if not gone:
        return []
    first = gone[0].relative_to(file.parent) if gone[0].is_relative_to(file.parent) else gone[0]
    return [finding("warning", "image_lists.image-missing", file, count=len(gone), first=first)]
