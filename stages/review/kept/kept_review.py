"""Writes and reads a reviewed packet, `data/review`: what a person (or who stood in for one) did to a packet.

review.json        to which packet it belongs, and which tool it came from
sheets/001.json    one sheet of the packet, by its place in the reviewer's order; replaced as a whole, so that a kill
                   at any moment leaves the sheet as it was saved before or after

Labels of val and test lie in folders of their own, `data/review_val` and `data/review_test`.

The folder is a person's work: no stage writes here, and nothing replaces it without being asked to.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stages.base.atomic import replacing, replacing_folder
from stages.base.errors import problem
from stages.base.shapes import read_shape
from stages.picking.packet import Packet

REVIEW = Path("data/review")
HEAD = "review.json"
SHEETS = "sheets"
Status = Literal["reviewed", "unreviewed"]
AND = " and "
_DAMAGED = "Restore the file from where it was copied, or move data/review away and review again."


class ReviewedBox(NamedTuple):
    """A box that a reviewer left on a sheet: corners in px of the original image, inside of it."""

    class_name: str
    x1: float
    y1: float
    x2: float
    y2: float
    prelabel: str | None = None  # the id of the pre-label that it came from, where the tool says so


class ReviewedSheet(NamedTuple):
    """One sheet of a packet after its review; what is `unreviewed` was begun or only opened, and is no truth."""

    image_id: str
    sha256: str  # of the image's bytes, as the packet lists it
    status: Status
    seconds: float | None  # spent on it, where the tool says so
    boxes: tuple[ReviewedBox, ...]
    source: str = ""  # the tools that it went through, joined by `AND`; "": the one of the head


class Head(NamedTuple):
    """What review.json holds."""

    packet_id: str
    iteration: int
    classes: tuple[str, ...]
    source: str  # what it began with: the tool's name on the command line, page, oracle or auto
    partial: bool = False  # the person said that the other sheets may stay in the pool


class Review(NamedTuple):
    """A reviewed packet: its head, and the sheets that have a file, in the order of the packet."""

    packet_id: str
    iteration: int
    classes: tuple[str, ...]
    source: str
    partial: bool
    sheets: tuple[ReviewedSheet, ...]

    @property
    def reviewed(self) -> tuple[ReviewedSheet, ...]:
        """The sheets that are done."""
        return tuple(sheet for sheet in self.sheets if sheet.status == "reviewed")

    @property
    def tools(self) -> str:
        """What the sheets that are done went through, joined by `AND`; what the review began with, while none is."""
        return joined(*(sheet.source or self.source for sheet in self.reviewed)) or self.source


def review_folder(root: Path, packet: Packet) -> Path:
    """Return where the review of `packet` lies: labels of val and test never lie with those of the pool."""
    return root / (REVIEW if packet.split == "pool" else REVIEW.with_name(f"{REVIEW.name}_{packet.split}"))


def joined(*sources: str) -> str:
    """Return the tools of `sources`, each once."""
    return AND.join(dict.fromkeys(tool for source in sources for tool in source.split(AND) if tool))


def head_of(packet: Packet, *, source: str, partial: bool = False) -> Head:
    """Return the head of a review of `packet`."""
    return Head(packet.packet_id, packet.iteration, packet.classes, source, partial)


def write_review(review: Review, folder: Path, packet: Packet) -> None:
    """Write the whole review of `packet` beside `folder`, then put it in its place; what was there is replaced."""
    order = {sheet.image_id: sheet.order for sheet in packet.sheets}
    with replacing_folder(folder) as building:
        write_head(Head(*review[:5]), building)
        for sheet in review.sheets:
            write_sheet(sheet, building, order=order[sheet.image_id])


def write_head(head: Head, folder: Path) -> None:
    """Write review.json alone."""
    _write_json({**head._asdict(), "classes": list(head.classes)}, folder / HEAD)


def write_sheet(sheet: ReviewedSheet, folder: Path, *, order: int) -> None:
    """Write one sheet, in one step; `order` is its place in the packet, from 1."""
    boxes = [box._asdict() for box in sheet.boxes]
    _write_json({**sheet._asdict(), "boxes": boxes}, sheet_file(folder, order))


def sheet_file(folder: Path, order: int) -> Path:
    """Return where the sheet at place `order` of the packet is kept in a review's folder."""
    return folder / SHEETS / f"{order:03d}.json"


def read_review(folder: Path = REVIEW) -> Review:
    """Return the review in `folder`; raise `UserError` when there is none, and for a file that is damaged."""
    head = read_head(folder)
    ours = [file for file in (folder / SHEETS).glob("*.json") if re.fullmatch("[0-9]+", file.stem)]  # no copies
    files = sorted(ours, key=lambda file: int(file.stem))
    return Review(*head, sheets=tuple(read_sheet(file, head) for file in files))


def read_head(folder: Path) -> Head:
    """Return what review.json says; raises as `read_review` does."""
    file = folder / HEAD
    if not file.is_file():
        raise problem("kept_review.review", file)
    try:
        return read_shape(Head, file)
    except (OSError, ValueError) as error:
        raise _damaged(file, "the head of a review", error) from error


def read_sheet(file: Path, head: Head) -> ReviewedSheet:
    """Return the sheet in `file`; raises as `read_review` does, for a class that is none of `head` as well."""
    try:
        sheet = read_shape(ReviewedSheet, file)
        for box in sheet.boxes:
            _require_box(box, head.classes)
    except (OSError, ValueError) as error:
        raise _damaged(file, "a reviewed sheet", error) from error
    return sheet._replace(source=sheet.source or head.source)


def _require_box(box: ReviewedBox, classes: tuple[str, ...]) -> None:
    class_name, x1, y1, x2, y2, _ = box
    if not all(map(math.isfinite, (x1, y1, x2, y2))) or x1 >= x2 or y1 >= y2:
        raise ValueError(f"a box without a size: {x1} {y1} {x2} {y2}")
    if class_name not in classes:
        raise ValueError(f"class {class_name!r}")


def _write_json(values: Mapping[str, Any], file: Path) -> None:
    # Floats in full: a box that nobody touched comes back as the very same numbers.
    text = json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False)
    with replacing(file) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _damaged(file: Path, expected: str, error: Exception) -> Exception:
    found = " ".join(str(error).split())[:120]
    return problem("kept_review.damaged", file, expected=expected, found=found, damaged=_DAMAGED)
