"""Who can review a packet; the one list of them."""

from typing import Literal

# a YOLO folder that a person exported; labels that were held back; the model's own detections, which nobody looked at
Reviewer = Literal["folder", "oracle", "auto"]
