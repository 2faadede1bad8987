"""Decides how every sheet of a dataset goes into a repaired copy; writes nothing."""

from collections.abc import Iterable, Sequence
from filecmp import cmp
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import printable
from stages.dataset.defects import Defect
from stages.dataset.image_names import UNPRINTABLE, same_stem
from stages.formats.geometry import place
from stages.formats.label_rows import read_rows
from stages.formats.source_sheets import Row, SourceSheet
from stages.intake.contract.contract import Checked

# Errors that only concern a row which is no box at all, or that a copy can be made without.
_MENDED = {"off-image", "no-size", "jpeg-tail"}
_STORED_ANEW = {"exif-turned", "deep-colour", "transparent", "cmyk", "pages"}
_DONE = {
    "polygon": "became the box around it",
    "sticks-out": "cut at the border",
    "duplicate-row": "row left out",
    "under-a-pixel": "row left out",
    "off-image": "row left out",
    "no-size": "row left out",
    "pixels": "divided by width and height",
    "label-encoding": "written as UTF-8",
    "boxes-as-stored": "boxes turned with the picture",
    "boxes-as-shown": "boxes taken on the picture as it is shown",
    "key-points": "points left out",
    "turned": "became the box around it",
    "exif-turned": "stored upright, as PNG",
    "deep-colour": "stored with 8 bits a colour, as PNG",
    "transparent": "put on white, as PNG",
    "cmyk": "stored as RGB, as PNG",
    "pages": "the first page stored, as PNG",
    "jpeg-tail": "what stood behind the end of the JPEG is gone",
    "size-differs": "boxes scaled with the picture",
    "size-missing": "the size of the image taken",
    "no-label-file": "an empty label file written",
}
_WHOLE = 100.0  # per cent
_UNWRITTEN = (UNPRINTABLE, "a name that is no line of UTF-8")
LEFT_OUT = "sheet left out"
_ROLES = ("test", "val", "train")  # of two equal sheets the one in the earlier role stays: the ruler loses nothing


class Change(NamedTuple):
    """One line of the report: what was wrong where, and what became of it."""

    file: Path
    line: int | None
    code: str
    found: str
    done: str


class Plan(NamedTuple):
    """One sheet of the copy: its stem there, the rows of its label file, and how its image is stored."""

    checked: Checked
    stem: str
    rows: list[Row]
    how: str  # copy, trim or png

    @property
    def name(self) -> str:
        """The file name of its image in the copy."""
        return f"{self.stem}{'.png' if self.how == 'png' else self.checked.sheet.item.image.suffix}"


def plan(sheets: Sequence[Checked], ids: Sequence[int], classes: Sequence[str]) -> tuple[list[Plan], list[Change]]:
    """Return what of `sheets` goes into a repaired copy and how, and every change that this makes.

    `ids` is the class_id in the copy for each of `classes`, the source's. A sheet whose labels or picture nobody can
    read is left out as a whole: without a part of its labels it would teach that nothing is there.
    """
    plans: list[Plan] = []
    changes: list[Change] = []
    taken: dict[str, Checked] = {}
    shared = _sharing_a_label(sheets)
    in_pixels = _are_pixels(sheets)
    for one in sorted(sheets, key=_order):
        image = one.sheet.item.image
        rows, lost = _rows(one, classes, in_pixels=in_pixels)
        changes += [_change(finding, lost) for finding in one.findings if finding.severity != "note"]
        if lost:
            continue
        other = taken.get(same_stem(image.stem))
        if image in shared or (other and cmp(image, other.sheet.item.image, shallow=False)):
            changes.append(Change(image, None, "same-stem", "a name that another image has", LEFT_OUT))
            continue
        written = printable(image.stem, instead="_")
        stem = _free(written, taken)
        taken[same_stem(stem)] = one
        if stem != image.stem:
            why = ("same-stem", "a name that another image has") if written == image.stem else _UNWRITTEN
            changes.append(Change(image, None, *why, f"renamed to {stem}"))
        plans.append(Plan(one, stem, [_in_order(row, ids) for row in rows], _how(one)))
    return plans, changes


def _order(one: Checked) -> tuple[int, str, str]:
    role = _ROLES.index(one.sheet.split) if one.sheet.split in _ROLES else len(_ROLES)
    return role, one.sheet.split, str(one.sheet.item.image)


def _are_pixels(sheets: Sequence[Checked]) -> bool:
    """Say whether rows that are no fractions are px for sure: too large for per cent, and not all like corners."""
    off = [one for one in sheets if "pixels" in {finding.code for finding in one.findings}]
    rows = [row.xywh for one in off for row in one.sheet.rows]
    corners = all(w > x and h > y for x, y, w, h in rows)
    return any(max(row) > _WHOLE for row in rows) and not corners


def _rows(one: Checked, classes: Sequence[str], *, in_pixels: bool) -> tuple[list[Row], bool]:
    """Return the rows of one sheet in the copy, and whether it must be left out."""
    codes = {finding.code for finding in one.findings if finding.severity == "error"}
    if "pixels" in codes and not in_pixels:
        return [], True
    if codes & {"pixels", "label-encoding"} and one.picture:
        again = _read_again(one.sheet, classes) if "label-encoding" in codes else one.sheet
        if again and "pixels" in codes:
            again = again._replace(frame=(float(one.picture.width), float(one.picture.height)))
        placed = place(again, one.picture) if again else None
        if placed and not {finding.code for finding in placed.findings} - {"duplicate-row"}:
            return placed.rows, bool(codes - _MENDED - {"pixels", "label-encoding"})
        return [], True
    return one.placed.rows, bool(codes - _MENDED)


def _read_again(sheet: SourceSheet, classes: Sequence[str]) -> SourceSheet | None:
    """Return `sheet` with its label file read as UTF-16, if it says that it is that and holds rows."""
    data = sheet.item.label.read_bytes()
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    rows, found = read_rows(data.decode("utf-16", errors="replace"), sheet.item.label, classes)
    return None if any(one.severity == "error" for one in found) else sheet._replace(rows=tuple(rows))


def _change(finding: Defect, lost: bool) -> Change:
    """Return what became of a finding; on a sheet that is left out only what is the reason of that says so."""
    is_reason = lost and finding.severity == "error" and finding.code not in _MENDED
    done = LEFT_OUT if is_reason else "gone with its sheet" if lost else _DONE.get(finding.code, "as it was")
    return Change(finding.file, finding.line, finding.code, finding.found, done)


def _how(one: Checked) -> str:
    codes = {finding.code for finding in one.findings}
    return "png" if codes & _STORED_ANEW else "trim" if "jpeg-tail" in codes else "copy"


def _in_order(row: Row, ids: Sequence[int]) -> Row:
    class_id = ids[row.class_id]
    return row if class_id == row.class_id else row._replace(class_id=class_id, text="")


def _sharing_a_label(sheets: Iterable[Checked]) -> set[Path]:
    """Return the images whose label file is that of another image, too: nobody knows whose labels these are.

    Of two equal images in two formats the first stays.
    """
    first: dict[Path, Path] = {}
    found: set[Path] = set()
    for one in sheets:
        image, label = one.sheet.item
        if label.suffix == ".json":
            continue
        other = first.setdefault(label, image)
        if other != image:
            found |= {image} if _same_picture(one, other) else {image, other}
    return found


def _same_picture(one: Checked, other: Path) -> bool:
    """Say whether two files show one picture, as far as a lossy format lets them."""
    import numpy as np

    from stages.base.decoding import read_bgr
    from stages.intake.contract.image_checks import look_at

    picture, _ = next(look_at([other]))
    if picture is None or one.picture is None or picture[:2] != one.picture[:2]:
        return False
    a, b = (read_bgr(file).astype(np.int16) for file in (one.sheet.item.image, other))
    return float(np.abs(a - b).mean()) < 8  # of 255: far above what JPEG loses, far below two sheets


def _free(stem: str, taken: dict[str, Checked]) -> str:
    number, free = 1, stem
    while same_stem(free) in taken:
        number += 1
        free = f"{stem}-{number}"
    return free
