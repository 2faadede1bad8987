"""The tables of `analyze`: columns in order, their types, and the key that a table is sorted by."""

from stages.base.tables import Schema
from stages.ruler.pairing.box_tables import CORNERS

# One row per false negative (fn), false positive (fp), and detection on a sheet without labels (unjudged).
FINDINGS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "outcome": "str",  # fn, fp, unjudged
        "class_id": "int32",
        "object_id": "Int32",
        "detection_id": "Int32",
        "confidence": "Float64",
        **CORNERS,
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
# found label that looks wrong.
SUSPECTS = Schema(
    {
        "split": "str",
        "image_id": "str",
        "object_id": "Int32",  # null without a label
        "detection_id": "Int32",  # null without a detection
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
