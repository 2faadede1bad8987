"""What a tool gave back, as it was read: before anything of it is compared with the packet."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from stages.base.errors import problem
from stages.formats.source_sheets import FRACTIONS, SourceSheet

_FEW = 4  # names of files that a line holds
_PACKET = re.compile(r"\bpacket ([0-9a-f]{12})\b")  # in a text of ours that tools keep


class ReturnedBox(NamedTuple):
    """A box with the name of its class; corners x1 y1 x2 y2 in the frame of its sheet."""

    class_name: str
    xyxy: tuple[float, float, float, float]
    where: str  # for messages: file:line, or a task and a region
    prelabel: str | None = None  # the id of our pre-label, where the tool kept it


class ReturnedSheet(NamedTuple):
    """One picture of an export with its boxes."""

    name: str  # the picture's file name as the tool has it: perhaps with folders, perhaps another one
    where: str  # for messages: the file, or a task
    frame: tuple[float, float]  # width and height that the boxes are in, or `FRACTIONS`
    boxes: tuple[ReturnedBox, ...]
    status: Literal["reviewed", "unreviewed", "unknown"] = "unknown"  # unknown: the format does not say
    image: Path | None = None  # the picture that came with it
    sha256: str = ""  # of our image, where we had given it to the tool and it came back
    seconds: float | None = None  # spent on it, where the tool says so
    polygons: int = 0  # that became the boxes around them
    as_shown: bool = False  # the boxes are on the picture as EXIF turns it, the frame may be that of the stored one


class Returned(NamedTuple):
    """An export: the format's name, the classes that it declares in its order (() for none), and its sheets."""

    tool: str
    classes: tuple[str, ...]
    sheets: tuple[ReturnedSheet, ...]
    packet_id: str = ""  # where the format carried it


def require_one(path: Path, exports: Sequence[Path]) -> None:
    """Raise `UserError` where `exports`, the files of one format at the top of `path`, are several: which one holds?"""
    if len(exports) > 1:
        names = ", ".join(file.name for file in exports[:_FEW]) + ", ..." * (len(exports) > _FEW)
        raise problem("returned_boxes.one_export", path, count=len(exports), names=names)


def packet_named(texts: Iterable[str]) -> str:
    """Return the id of the packet that `texts` name; "" for none, and where they name several."""
    found = {match[1] for text in texts if (match := _PACKET.search(text))}
    return found.pop() if len(found) == 1 else ""


def returned_sheet(sheet: SourceSheet, classes: Sequence[str], where: str) -> ReturnedSheet:
    """Return what a reader read strictly, with the names of `classes`; `where` is its place, for messages."""
    label = sheet.item.label
    place = f"{label}{' annotation ' if label.suffix.lower() == '.json' else ':'}"
    boxes = [ReturnedBox(classes[row.class_id], row.xyxy, f"{place}{row.line}", row.prelabel) for row in sheet.rows]
    return ReturnedSheet(
        sheet.name,
        where,
        sheet.frame or FRACTIONS,
        tuple(boxes),
        "reviewed" if sheet.is_done else "unknown",
        image=sheet.item.image if sheet.is_there else None,
        polygons=sum(row.outline for row in sheet.rows),
        as_shown=sheet.as_shown,
    )
