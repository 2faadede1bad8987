"""The schemas of the bulk tables: columns in order, their types, and the key that a table is sorted by.

Apart from the functions that write tables, so that a new column does not make `train` stale.
"""

from stages.base.tables import Schema

_BOX = {"x1": "float64", "y1": "float64", "x2": "float64", "y2": "float64"}  # pixels of the original image

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
    {"split": "str", "image_id": "str", "object_id": "int32", "class_id": "int32", **_BOX},
    ("split", "image_id", "object_id"),
)
DETECTIONS = Schema(
    {"split": "str", "image_id": "str", "detection_id": "int32", "class_id": "int32", "confidence": "float64", **_BOX},
    ("split", "image_id", "detection_id"),
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
# One row per false negative (fn), false positive (fp), and detection on a sheet without labels (unjudged).
FINDINGS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "outcome": "str",
        "class_id": "int32",
        "object_id": "Int32",
        "detection_id": "Int32",
        "confidence": "Float64",
        **_BOX,
        "area": "float64",  # px²
        "size": "str",  # tiny, small, medium, large
        "position": "str",  # corner, edge, center
        "border_distance": "float64",  # px to the nearest border
        "contrast": "Float64",  # standard deviation of grey values inside the box, 0 to 127.5; null if under 1 px
        "low_contrast": "bool",
        "aspect": "float64",  # width / height
        "unusual_aspect": "bool",
        "overlap_iou": "float64",  # with the best detection of any class, at the operating confidence
        "overlapping": "bool",
        "near_miss": "Float64",  # confidence of the best detection of its class on it, under the operating confidence
    },
    ("split", "image_id", "outcome", "object_id", "detection_id"),
)
# Label or model: one row per false negative and false positive (one for both where they explain each other), and per
# found label that looks wrong. object_id is null without a label, detection_id without a detection.
SUSPECTS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "object_id": "Int32",
        "detection_id": "Int32",
        "class_id": "int32",  # of the label; without one, of the detection
        "judgement": "str",  # label, unclear, model: which of the two is wrong
        "kind": "str",  # missing_box, wrong_class, badly_placed, duplicate, stray; missed, false_alarm
        "other_class_id": "Int32",  # wrong_class: what the model says; duplicate: class of the label that it lies on
        "confidence": "Float64",  # of the detection
        "sure": "Float64",  # share of found objects of its class that the model was at most so sure of
        "right": "Float64",  # share of right ones among detections of its class that are at least so sure
        "iou": "Float64",  # of the label and the detection
        "score": "float64",  # suspicion against the label, 0 to 1
        "reason": "str",
    },
    ("split", "image_id", "object_id", "detection_id"),
)
# What the network proposed near true boxes and a later step dropped, on labelled sheets: what the ledger is made from.
DISCARDED = Schema(
    {
        "split": "str",
        "image_id": "str",
        "candidate_id": "int32",  # by falling confidence within the sheet
        "class_id": "int32",
        "confidence": "float64",  # over 0.001
        **_BOX,
        "reason": "str",  # floor, nms, max_det, filter
    },
    ("split", "image_id", "candidate_id"),
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
