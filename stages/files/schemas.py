"""The schemas of the bulk tables: columns in order, their types, and the key that a table is sorted by.

Apart from the functions that write tables, so that a new column does not make `train` stale.
"""

from stages.files.tables import Schema

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
