"""Makes reviewed sheets of what came back: compared with the packet that went out, in its pixels and its classes."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from stages.base.errors import UserError, problem
from stages.picking.packet import Packet
from stages.review.formats.outgoing_boxes import Prelabel, prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned
from stages.review.identity.class_names import other_order, require_classes, with_our_names
from stages.review.identity.other_scale import find_other_scale
from stages.review.identity.other_sheets import Known
from stages.review.identity.repeated_sheets import each_once
from stages.review.identity.rounding import restored
from stages.review.identity.sheet_boxes import Taken, as_it_went_out, sides_of, take_boxes
from stages.review.identity.sheet_identity import Identified, Match, identify
from stages.review.kept.kept_review import ReviewedSheet, Status
from stages.wording.quantities import counted, some

EMPTYING = (
    "Some exports empty sheets that nobody opened (Label Studio's of all tasks: take JSON, or only annotated tasks), "
    "some leave turned boxes and polygons out (CVAT's YOLO 1.1: take another format)."
)
_FEW = 5  # boxes below which some that stick out say nothing about the others


class Reconciled(NamedTuple):
    """What an export comes to: its sheets in the packet's order, names of sheets, and what a person should know.

    `sheets` are reviewed, or `unreviewed` when they were begun. `missing` did not come back; `unopened` came back as
    they went out, and `emptied` without any of their boxes, which are no truths: a tool leaves out or empties what it
    has no labels of. `passed_over` are sheets of train, which were reviewed before.
    """

    sheets: tuple[ReviewedSheet, ...]
    missing: tuple[str, ...]
    unopened: tuple[str, ...]
    emptied: tuple[str, ...]
    passed_over: tuple[str, ...]
    notes: tuple[str, ...]


class _Compared(NamedTuple):
    """A sheet that came back, its boxes, whether they are those that it went out with, and whether it was reviewed."""

    match: Match
    taken: Taken
    untouched: bool
    reviewed: bool

    @property
    def bare(self) -> bool:
        """Its boxes are gone, and the format does not say that a person took them away."""
        return self.match.returned.status == "unknown" and not (self.taken.boxes or self.untouched)

    @property
    def emptied(self) -> bool:
        """Nobody says that a person took its boxes away."""
        return self.bare and not self.reviewed

    @property
    def unopened(self) -> bool:
        """Nothing was done to it."""
        return not self.reviewed and not self.bare and (self.untouched or not self.taken.boxes)


def reconcile(
    packet: Packet,
    returned: Returned,
    *,
    others: Sequence[Known],
    all_reviewed: bool,
    partial: bool,
    done: Collection[str] = (),
    where: str = "the export",
) -> Reconciled:
    """Return the reviewed sheets of `returned`, an export of `packet`; `others` are the other sheets of the dataset.

    `all_reviewed`: the person looked at every sheet, also at those that are as they went out or have no box left, where
    the format does not say. `partial`: sheets that did not come back stay queued. `done` are sheets that an earlier
    import brought. `where` names the export in messages. Raises `UserError` for what `identify` refuses, an export of
    another packet, an unknown class, boxes in another scale, a box that is none, sheets that are missing, and an export
    of which nobody did a sheet.
    """
    returned, repeated = each_once(with_our_names(packet, returned))
    found = _identified(packet, returned, others, where)
    if not found.matches:
        raise _old(packet, found, where)
    require_classes(packet, returned, found.matches)
    prelabels = prelabels_by_sheet(packet)
    matches = restored(found.matches, prelabels)
    _require_scale(matches, prelabels, where)
    compared = [_compare(match, prelabels[match.sheet.image_id], all_reviewed=all_reviewed) for match in matches]
    _require_inside(compared, where)
    came = {*done, *(match.sheet.image_id for match in found.matches)}
    missing = tuple(sheet.image_id for sheet in packet.sheets if sheet.image_id not in came)
    if missing and not partial:
        raise _missing(packet, missing, where)
    if not any(one.reviewed for one in compared):
        raise _unopened(compared, where)
    return Reconciled(
        tuple(_sheet(one) for one in compared if not (one.unopened or one.emptied)),
        missing,
        tuple(one.match.sheet.image_id for one in compared if one.unopened),
        _emptied(compared),
        tuple(known.image_id for known in found.passed_over),
        (*_repeated(repeated), *_notes(packet, returned, compared, unseen=found.unseen, all_reviewed=all_reviewed)),
    )


def _identified(packet: Packet, returned: Returned, others: Sequence[Known], where: str) -> Identified:
    if returned.packet_id in ("", packet.packet_id):
        return identify(packet, returned.sheets, others)
    another = problem(
        "reconciliation.export_packet_iteration",
        where,
        packet_id=packet.packet_id,
        iteration=packet.iteration,
        packet_id_2=returned.packet_id,
    )
    try:
        found = identify(packet, returned.sheets, others)
    except UserError:
        raise another from None
    if found.matches:
        raise another
    return found


def _require_scale(matches: Sequence[Match], prelabels: Mapping[str, Sequence[Prelabel]], where: str) -> None:
    """Raise `UserError` where most boxes are those that went out times one factor; resized pictures are undone here."""
    found = find_other_scale([sides_of(match, prelabels[match.sheet.image_id]) for match in matches])
    if found:
        how = found.rule.format(factor=found.factor)
        raise problem("reconciliation.other_scale", where, boxes=found.boxes, total=found.total, how=how)


def _require_inside(compared: Sequence[_Compared], where: str) -> None:
    """Raise `UserError` where most boxes had to be cut: they are of another size, or corners in place of sizes."""
    cut, total = sum(one.taken.cut for one in compared), sum(len(one.taken.boxes) for one in compared)
    if total >= _FEW and 2 * cut > total:
        raise problem("reconciliation.most_stick_out", where, cut=cut, total=total)


def _compare(match: Match, prelabels: Sequence[Prelabel], *, all_reviewed: bool) -> _Compared:
    taken = take_boxes(match, prelabels)
    status = match.returned.status
    untouched = as_it_went_out(taken, prelabels, match)
    begun = bool(taken.boxes) and not untouched
    reviewed = status == "reviewed" or (status == "unknown" and (all_reviewed or begun))
    return _Compared(match, taken, untouched, reviewed)


def _emptied(compared: Sequence[_Compared]) -> tuple[str, ...]:
    return tuple(one.match.sheet.image_id for one in compared if one.emptied)


def _sheet(one: _Compared) -> ReviewedSheet:
    sheet = one.match.sheet
    status: Status = "reviewed" if one.reviewed else "unreviewed"
    return ReviewedSheet(sheet.image_id, sheet.sha256, status, one.match.returned.seconds, one.taken.boxes)


def _notes(
    packet: Packet, returned: Returned, compared: Sequence[_Compared], *, unseen: int, all_reviewed: bool
) -> list[str]:
    order = other_order(packet, returned)
    resized = sum(one.match.pixel > 1 for one in compared)
    polygons = sum(one.match.returned.polygons for one in compared)
    cut, twice = sum(one.taken.cut for one in compared), sum(one.taken.twice for one in compared)
    closed = sum(one.match.returned.status == "unreviewed" for one in compared) if all_reviewed else 0
    bare = [one.match.sheet.image_id for one in compared if one.bare and one.reviewed]
    said = {
        f"Classes came back in another order ({order}): they were matched by name.": order,
        f"{counted(resized, 'sheet')} came back smaller: boxes were brought back to the original size.": resized,
        f"{counted(unseen, 'sheet')} came without a picture: boxes are taken as fractions of the whole sheet.": unseen,
        f"{counted(polygons, 'polygon')} became the {'box' if polygons == 1 else 'boxes'} around.": polygons,
        f"{counted(cut, 'box')} stuck out: cut at the border of the sheet.": cut,
        f"{counted(twice, 'box')} came twice: taken once.": twice,
        f"Not done, as the tool itself says, so --all-reviewed does not reach it: {counted(closed, 'sheet')}.": closed,
        f"Reviewed and empty, as --all-reviewed says: {counted(len(bare), 'sheet')}: {some(bare)}.": bare,
    }
    return [line for line, holds in said.items() if holds]


def _repeated(count: int) -> list[str]:
    return [f"{counted(count, 'sheet')} came twice with the same boxes: taken once."] if count else []


def _old(packet: Packet, found: Identified, where: str) -> UserError:
    if not found.passed_over:
        return problem("reconciliation.sheets_came_back", where)
    last = max(known.added_iteration for known in found.passed_over)
    names = some([known.image_id for known in found.passed_over])
    when = f"the review of iteration {last - 1}" if last else "the import"
    return problem(
        "reconciliation.sheets_packet_iteration",
        where,
        packet_id=packet.packet_id,
        iteration=packet.iteration,
        names=names,
        when=when,
    )


def _missing(packet: Packet, missing: Sequence[str], where: str) -> UserError:
    return problem(
        "reconciliation.all_sheets_packet",
        where,
        number_of_sheets=len(packet.sheets),
        number_of_missing=len(missing),
        some=some(missing),
    )


def _unopened(compared: Sequence[_Compared], where: str) -> UserError:
    if any(one.match.returned.status == "unknown" for one in compared):
        emptied = _emptied(compared)
        without = f", or without a box ({some(emptied)})" if emptied else ""
        found = f"{counted(len(compared), 'sheet')} as they went out{without}"
        mend = f"If you looked at every sheet, and all is right: add --all-reviewed.{f' {EMPTYING}' if emptied else ''}"
    else:
        found = f"{counted(len(compared), 'sheet')}, none of which is done"
        mend = "Mark the sheets as done in your tool (in Label Studio: Submit), and export again."
    return problem("reconciliation.sheet_was_reviewed", where, found=found, mend=mend)
