"""Takes a sheet once that an export holds several times with the same boxes: a task that was imported twice."""

from stages.dataset.sheets.manifest import file_sha256
from stages.review.formats.returned_boxes import Returned, ReturnedSheet
from stages.review.identity.tool_names import stem_of


def each_once(returned: Returned) -> tuple[Returned, int]:
    """Return `returned` without the sheets that say what another of their name says, and how many those were."""
    kept: list[ReturnedSheet] = []
    seen: dict[str, list[ReturnedSheet]] = {}
    for one in returned.sheets:
        others = seen.setdefault(stem_of(one.name), [])
        if one.name and any(_is_same(one, other) for other in others):
            continue
        others.append(one)
        kept.append(one)
    return returned._replace(sheets=tuple(kept)), len(returned.sheets) - len(kept)


def _is_same(one: ReturnedSheet, other: ReturnedSheet) -> bool:
    said = [(sheet.name, sheet.frame, sheet.status, sheet.sha256, _boxes(sheet)) for sheet in (one, other)]
    return said[0] == said[1] and _is_same_picture(one, other)


def _boxes(sheet: ReturnedSheet) -> list[tuple[str, tuple[float, float, float, float]]]:
    return sorted((box.class_name, box.xyxy) for box in sheet.boxes)


def _is_same_picture(one: ReturnedSheet, other: ReturnedSheet) -> bool:
    if one.image is None or other.image is None:
        return one.image is other.image
    return one.image == other.image or file_sha256(one.image) == file_sha256(other.image)
