"""Puts reviewed sheets into the folder of their review, where a person's work may lie already: none of that is lost."""

import shutil
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing_folder
from stages.base.errors import UserError, problem
from stages.dataset.clutter import is_clutter
from stages.picking.packet import Packet
from stages.project.project_lock import STATE
from stages.review.identity.sheet_boxes import are_alike
from stages.review.kept.kept_review import (
    Head,
    Review,
    ReviewedSheet,
    head_of,
    read_review,
    review_folder,
    write_head,
    write_sheet,
)
from stages.review.kept.review_gate import require_of_packet
from stages.review.ledger.correction_ledger import HALF_PIXEL


class Kept(NamedTuple):
    """What became of the sheets of an import, by name, and where data/review was put before, or None.

    `stood` are there with other boxes, and were left so; those that are there just so are in none.
    """

    added: tuple[str, ...]
    stood: tuple[str, ...]
    replaced: tuple[str, ...]
    moved: Path | None


def keep_review(
    root: Path, packet: Packet, sheets: Sequence[ReviewedSheet], *, source: str, partial: bool, replace: bool
) -> Kept:
    """Add `sheets` of `packet` to the review in `root`, one by one and each in one step; return what was done.

    A sheet that is reviewed there with other boxes stays, unless `replace`. Before anything is replaced, the review
    is kept under .yoloop. Raises `UserError` for a review of another packet, and for a damaged one, unless `replace`.
    """
    folder = review_folder(root, packet)
    before, moved = _before(root, packet, replace=replace)
    old = {sheet.image_id: sheet for sheet in before.sheets} if before else {}
    order = {sheet.image_id: sheet.order for sheet in packet.sheets}
    rest = [one for one in sheets if one.image_id not in old or not _is_there(old[one.image_id], one)]
    stood = [] if replace else [one for one in rest if one.image_id in old and _stands(old[one.image_id], one)]
    stay = set(_names(stood))
    taken = [one for one in rest if one.image_id not in stay]
    replaced = [one for one in taken if one.image_id in old and old[one.image_id].boxes]
    if replaced:
        moved = _copied(root, folder)
    head = head_of(
        packet, source=before.source if before else source, partial=partial or bool(before and before.partial)
    )
    if before is None or head != Head(*before[:5]):
        write_head(head, folder)
    for one in taken:
        write_sheet(one._replace(source=source), folder, order=order[one.image_id])
    gone = set(_names(replaced))
    added = tuple(one.image_id for one in taken if one.image_id not in gone)
    return Kept(added, _names(stood), _names(replaced), moved)


def done_before(root: Path, packet: Packet) -> list[str]:
    """Return the sheets of `packet` that are reviewed in `root` already; none when what is there is no such review."""
    try:
        review = read_review(review_folder(root, packet))
        require_of_packet(root, review, packet)
    except UserError:
        return []
    return [sheet.image_id for sheet in review.reviewed]


def _before(root: Path, packet: Packet, *, replace: bool) -> tuple[Review | None, Path | None]:
    """Return the review that is there, and where it was moved since it is none of this packet."""
    folder = review_folder(root, packet)
    if not folder.is_dir() or all(is_clutter(file.name) for file in folder.iterdir()):
        return None, None
    try:
        review = read_review(folder)
        require_of_packet(root, review, packet)
    except UserError as error:
        if replace:
            place = _free(root)
            folder.rename(place)
            return None, place
        raise problem(
            "joined_review.nothing_review_packet",
            folder,
            packet_id=packet.packet_id,
            partition=str(error).partition(". ")[0],
            state=STATE,
        ) from error
    return review, None


def _is_there(old: ReviewedSheet, new: ReviewedSheet) -> bool:
    """Say whether the sheet that is there holds the new one: what is done is not undone by one that is only begun."""
    if old.status == "reviewed" and new.status == "unreviewed":
        return True
    boxes = [[(box.class_name, box[1:5]) for box in sheet.boxes] for sheet in (old, new)]
    return old.status == new.status and are_alike(*boxes, within=HALF_PIXEL)


def _stands(old: ReviewedSheet, new: ReviewedSheet) -> bool:
    """Say whether a sheet with other boxes stays: only one that was begun makes room, for one that is done."""
    return old.status == "reviewed" or new.status == "unreviewed"


def _copied(root: Path, folder: Path) -> Path:
    place = _free(root)
    with replacing_folder(place) as building:
        shutil.copytree(folder, building, dirs_exist_ok=True)
    return place


def _free(root: Path) -> Path:
    """Return a name for a review of before that nothing has yet."""
    (root / STATE).mkdir(exist_ok=True)
    places = (root / STATE / f"review-{number}" for number in count(1))
    return next(place for place in places if not place.exists())


def _names(sheets: Sequence[ReviewedSheet]) -> tuple[str, ...]:
    return tuple(sheet.image_id for sheet in sheets)
