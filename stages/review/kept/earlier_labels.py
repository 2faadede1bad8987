"""The labels that train has of sheets which went out once more: what an earlier review left there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stages.base.boxes import BOX, xywhn_to_xyxy
from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.dataset.sheets.split_folder import DATASET, read_labels
from stages.picking.packet import Packet, PacketSheet
from stages.picking.second_looks.repeat_arm import REPEAT
from stages.review.kept.kept_review import ReviewedBox


def labels_before(
    root: Path, packet: Packet, arms: Mapping[str, str], *, oracle: bool
) -> dict[str, tuple[ReviewedBox, ...]]:
    """Return by image_id what train says of the repeats in `packet`, from a review by the same kind of reviewer.

    `oracle`: held-back labels review now; what they say beside a person's labels is nobody's agreement with himself.
    """
    repeats = {name for name, arm in arms.items() if arm == REPEAT}
    if not repeats:
        return {}
    rows = {row.image_id: row for row in read_manifest(root / DATASET / "train" / MANIFEST)}
    alike = {name for name in repeats & rows.keys() if (rows[name].label_source == "oracle") == oracle}
    return {
        sheet.image_id: boxes_in(_label(root, sheet), sheet, packet.classes)
        for sheet in packet.sheets
        if sheet.image_id in alike
    }


def boxes_in(file: Path, sheet: PacketSheet, classes: Sequence[str]) -> tuple[ReviewedBox, ...]:
    """Return the boxes of `sheet` in a YOLO label file, in px of the sheet."""
    labels = read_labels(file, classes)
    xyxy = xywhn_to_xyxy(labels.xywhn, width=sheet.width, height=sheet.height).tolist()
    return tuple(
        ReviewedBox(classes[class_id], **dict(zip(BOX, box, strict=True)))
        for class_id, box in zip(labels.class_id, xyxy, strict=True)
    )


def _label(root: Path, sheet: PacketSheet) -> Path:
    return root / DATASET / "train/labels" / f"{Path(sheet.image_id).stem}.txt"
