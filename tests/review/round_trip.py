"""What every format must do: a person's work comes back as the same boxes and classes, and no sheet is missing."""

from pathlib import Path
from types import ModuleType

from stages.picking.packet import Packet
from stages.review.formats.returned_boxes import Returned
from stages.review.identity.reconciliation import Reconciled, reconcile
from tests.review.packets import TOLERANCE, Box, Work, differences


def written(packet: Packet, form: ModuleType, folder: Path) -> Path:
    """Write the packet in a format into the new folder `folder`; check that there is something to do with it."""
    folder.mkdir()
    assert all(form.write(packet, folder))
    assert form.is_one(folder)
    return folder


def reconciled(packet: Packet, returned: Returned, *, all_reviewed: bool = True, partial: bool = False) -> Reconciled:
    return reconcile(packet, returned, others=(), all_reviewed=all_reviewed, partial=partial)


def reviewed_boxes(found: Reconciled) -> dict[str, list[Box]]:
    return {
        sheet.image_id: [Box(box.class_name, (box.x1, box.y1, box.x2, box.y2), box.prelabel) for box in sheet.boxes]
        for sheet in found.sheets
    }


def assert_comes_back(packet: Packet, returned: Returned, work: Work, *, within: float = TOLERANCE) -> Reconciled:
    """Check that `returned` is the work of a person who looked at every sheet of the packet."""
    found = reconciled(packet, returned)
    assert differences(reviewed_boxes(found), work.boxes, within=within) == []
    hashes = {sheet.image_id: sheet.sha256 for sheet in packet.sheets}
    assert {sheet.image_id: sheet.sha256 for sheet in found.sheets} == hashes
    assert {sheet.status for sheet in found.sheets} == {"reviewed"}
    assert (found.missing, found.unopened, found.passed_over) == ((), (), ())
    return found
