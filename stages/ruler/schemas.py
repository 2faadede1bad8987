"""The tables of `validate`: columns in order, their types, and the key that a table is sorted by."""

from stages.base.tables import Schema
from stages.ruler.pairing.box_tables import CORNERS

# group: the drawing set or project, "" if it stands for itself; confidence: from where detections count on this sheet;
# near_copy: whether train holds a sheet that looks almost like it.
IMAGES = Schema(
    {
        "split": "str",
        "image_id": "str",
        "width": "int32",
        "height": "int32",
        "labelled": "bool",
        "group": "str",
        "confidence": "float64",
        "near_copy": "bool",
    },
    ("split", "image_id"),
)
GROUND_TRUTH = Schema(
    {"split": "str", "image_id": "str", "object_id": "int32", "class_id": "int32", **CORNERS},
    ("split", "image_id", "object_id"),
)
# One row per true positive, false positive and false negative, on labelled sheets, at the operating confidence.
# object_id is null for fp, detection_id and confidence for fn, iou for both.
MATCHES = Schema(
    {
        "split": "str",
        "image_id": "str",
        "outcome": "str",
        "class_id": "int32",
        "object_id": "Int32",
        "detection_id": "Int32",
        "confidence": "Float64",
        "iou": "Float64",
    },
    ("split", "image_id", "outcome", "object_id", "detection_id"),
)
# One row per true box of the labelled sheets; the fates and their order stand in stages/ruler/losses/fates.py.
LEDGER = Schema(
    {
        "split": "str",
        "image_id": "str",
        "object_id": "int32",
        "class_id": "int32",
        "fate": "str",
        "confidence": "Float64",  # of the detection or candidate that speaks for the fate; null: never_proposed
        "iou": "Float64",  # of it with the box
    },
    ("split", "image_id", "object_id"),
)
# One row per error in TIDE's terms at the operating confidence: one per false positive, with the true box that it is
# about (null for both and bkg), and one per false negative that no such row accounts for (miss, without detection_id).
ERRORS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "outcome": "str",  # fp, fn
        "object_id": "Int32",
        "detection_id": "Int32",
        "class_id": "int32",  # of the detection; of the box for miss
        "error": "str",  # cls, loc, both, dupe, bkg, miss
    },
    ("split", "image_id", "outcome", "object_id", "detection_id"),
)
