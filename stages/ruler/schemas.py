"""The tables of `validate`: columns in order, their types, and the key that a table is sorted by."""

from stages.base.tables import Schema
from stages.ruler.pairing.box_tables import CORNERS

IMAGES = Schema(
    {
        "split": "str",
        "image_id": "str",
        "width": "int32",
        "height": "int32",
        "labelled": "bool",  # somebody labelled it, if only as empty
        "group": "str",
        "confidence": "float64",  # from where detections count on this sheet
        "near_copy": "bool",  # train holds a sheet that looks almost like it
    },
    ("split", "image_id"),
)
GROUND_TRUTH = Schema(
    {"split": "str", "image_id": "str", "object_id": "int32", "class_id": "int32", **CORNERS},
    ("split", "image_id", "object_id"),
)
# One row per true positive, false positive and false negative, on labelled sheets, at the operating confidence.
MATCHES = Schema(
    {
        "split": "str",
        "image_id": "str",
        "outcome": "str",  # tp, fp, fn
        "class_id": "int32",
        "object_id": "Int32",  # null for fp
        "detection_id": "Int32",  # null for fn
        "confidence": "Float64",  # null for fn
        "iou": "Float64",  # null for fp and fn
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
        "fate": "str",  # the last step at which something of its own was lost
        "confidence": "Float64",  # of the detection or candidate that speaks for the fate; null: never_proposed
        "iou": "Float64",  # of it with the box
    },
    ("split", "image_id", "object_id"),
)
# One row per error in TIDE's terms at the operating confidence: one per false positive, and one per false negative that
# no such row accounts for.
ERRORS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "outcome": "str",  # fp, fn
        "object_id": "Int32",  # the true box that it is about; null for both and bkg
        "detection_id": "Int32",  # null for miss
        "class_id": "int32",  # of the detection; of the box for miss
        "error": "str",  # cls, loc, both, dupe, bkg, miss
    },
    ("split", "image_id", "outcome", "object_id", "detection_id"),
)
