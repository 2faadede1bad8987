"""Puts the rows of a sheet on its image: what is kept, what is cut, what is left out, and what cannot be a box."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stages.base.image_size import TURNED
from stages.dataset.defects import Defect, finding
from stages.dataset.sheets.split_folder import row_text
from stages.formats.source_sheets import FRACTIONS, Box, Picture, Row, SourceSheet

_PIXELS = 2.0  # a fraction of the image above this is no box that sticks out: the file holds pixels
_LARGEST = 2.0  # nor is a box of more widths or heights of its image
_ROUNDING = 1e-3  # of the image: tools round, and a box may stick out by that without a word
_LEAST = 1.0  # px: what is smaller in width or height is a stray click, and nothing can be learnt from it
_ASPECT = 0.01  # of the aspect ratio: as far as two sizes of one picture may differ by rounding


class KeptRows(NamedTuple):
    """The rows that stay, as fractions of the image as it is decoded, and the findings about all of them."""

    rows: list[Row]
    findings: list[Defect]


def place(sheet: SourceSheet, picture: Picture | None) -> KeptRows:
    """Return the rows of `sheet` on its picture; without one, only what needs no size in px is checked."""
    frame, turn, found = _frame(sheet, picture)
    rows = [row._replace(xywh=_turned(_divided(row.xywh, frame), turn)) for row in sheet.rows]
    if sheet.frame != FRACTIONS:
        rows = [row._replace(text="") for row in rows]
    kept: list[Row] = []
    seen: dict[tuple[float, ...], int] = {}
    for row in rows:
        done = _on_image(row, sheet, picture)
        if isinstance(done, Defect):
            found.append(done)
            continue
        if done.xywh != row.xywh:
            found.append(finding("warning", "geometry.sticks-out", *_at(sheet, row), found=_shown(row)))
        key = (row.class_id, *(round(value, 6) for value in done.xywh))
        if key in seen:
            other = seen[key]
            found.append(finding("warning", "geometry.duplicate-row", *_at(sheet, row), other=other, found=_shown(row)))
            continue
        seen[key] = row.line
        kept.append(done)
    return KeptRows(kept, found)


def rows_text(rows: Sequence[Row]) -> str:
    """Return placed rows as the text of a YOLO label file; those that nobody changed stay as they were written."""
    return "".join(f"{row.text or row_text(row.class_id, row.xywh)}\n" for row in rows)


def _is_stored_size(sheet: SourceSheet, picture: Picture) -> bool:
    """Say whether the annotations have the size of the stored picture, which EXIF turns by 90 degrees."""
    return sheet.frame == (picture.height, picture.width) != (picture.width, picture.height) and (
        picture.orientation in TURNED
    )


def _frame(sheet: SourceSheet, picture: Picture | None) -> tuple[tuple[float, float], int, list[Defect]]:
    """Return what the rows are divided by, the orientation that they must be turned by, and findings about it."""
    if sheet.frame == FRACTIONS or picture is None:
        return sheet.frame or FRACTIONS, 1, []
    size = (float(picture.width), float(picture.height))
    if sheet.frame is None or sheet.frame == size:
        return size, 1, []
    image, (width, height) = sheet.item.image, sheet.frame
    said = f"{width:g} × {height:g} px, as {sheet.item.label.name} says"
    found = f"{picture.width} × {picture.height} px"
    if _is_stored_size(sheet, picture):
        return _of_stored_size(sheet, size, picture.orientation, said, found)
    if abs(width * size[1] / (height * size[0]) - 1) <= _ASPECT:
        return sheet.frame, 1, [finding("warning", "geometry.size-differs", image, said=said, found=found)]
    return sheet.frame, 1, [finding("error", "geometry.size-wrong", image, said=said, found=found)]


def _of_stored_size(
    sheet: SourceSheet, size: tuple[float, float], orientation: int, said: str, found: str
) -> tuple[tuple[float, float], int, list[Defect]]:
    """Return the frame of rows whose picture is turned, while the annotations have the size of before.

    The rows may be on the picture as it is stored or as it is shown: those that fit on one alone say it, or the tool
    does. Else nobody knows.
    """
    stored, image = size[::-1], sheet.item.image
    fits_stored, fits_shown = (_fit(sheet.rows, frame) for frame in (stored, size))
    contradicted = sheet.as_shown and fits_stored and not fits_shown
    if (sheet.as_shown and not contradicted) or (fits_shown and not fits_stored) or not sheet.rows:
        why = "of Label Studio" if sheet.as_shown else "that lie on it alone"
        told = finding("warning", "geometry.boxes-as-shown", image, said=said, found=found, why=why)
        return size, 1, [told] if sheet.rows else []
    if fits_stored and not fits_shown and not contradicted:
        return stored, orientation, [finding("warning", "geometry.boxes-as-stored", image, said=said, found=found)]
    return size, 1, [finding("error", "geometry.exif-size", image, said=said, found=found)]


def _fit(rows: Sequence[Row], frame: tuple[float, float]) -> bool:
    """Say whether all of `rows` lie inside of `frame`, but for rounding."""
    ends = [_divided((row.xyxy[0], row.xyxy[1], row.xyxy[2], row.xyxy[3]), frame) for row in rows]
    return all(min(end) >= -_ROUNDING and max(end) <= 1 + _ROUNDING for end in ends)


def _divided(xywh: Box, frame: tuple[float, float]) -> Box:
    width, height = frame
    return xywh[0] / width, xywh[1] / height, xywh[2] / width, xywh[3] / height


def _turned(xywhn: Box, orientation: int) -> Box:
    """Return a box of the stored picture as one of the picture that EXIF's `orientation` makes of it."""
    x, y, w, h = xywhn
    if orientation in TURNED:
        x, y, w, h = y, x, h, w
    if orientation in (2, 3, 6, 7):
        x = 1 - x
    if orientation in (3, 4, 7, 8):
        y = 1 - y
    return x, y, w, h


def _on_image(row: Row, sheet: SourceSheet, picture: Picture | None) -> Row | Defect:
    """Return `row` cut at the image's border, or why it is none."""
    _, _, w, h = row.xywh
    place, found = _at(sheet, row), _shown(row)
    if sheet.frame == FRACTIONS and max(map(abs, row.xywh)) > _PIXELS:
        return finding("error", "geometry.pixels", *place, found=found)
    if w <= 0 or h <= 0:
        return finding("error", "geometry.no-size", *place, found=found)
    if max(w, h) > _LARGEST:
        return finding("error", "geometry.too-large", *place, found=found)
    if _is_click(w, h, picture):
        return finding("warning", "geometry.under-a-pixel", *place, found=found)
    cut = _cut(row)
    if cut.xywh[2] <= 0 or cut.xywh[3] <= 0 or _is_click(*cut.xywh[2:], picture):
        return finding("error", "geometry.off-image", *place, found=found)
    return cut


def _is_click(w: float, h: float, picture: Picture | None) -> bool:
    """Say whether a box is under a pixel, as fractions of the image; nobody knows without its picture."""
    return picture is not None and (w * picture.width < _LEAST or h * picture.height < _LEAST)


def _cut(row: Row) -> Row:
    """Return `row` as far as it is on the image; its size is not above 0 if it is not on it at all."""
    x, y, w, h = row.xywh
    left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    if min(left, top) >= -_ROUNDING and max(right, bottom) <= 1 + _ROUNDING:
        return row
    left, right, top, bottom = max(left, 0.0), min(right, 1.0), max(top, 0.0), min(bottom, 1.0)
    return row._replace(xywh=((left + right) / 2, (top + bottom) / 2, right - left, bottom - top), text="")


def _at(sheet: SourceSheet, row: Row) -> tuple[Path, int]:
    return sheet.item.label, row.line


def _shown(row: Row) -> str:
    return " ".join(f"{value:g}" for value in row.xywh)
