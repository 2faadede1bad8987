"""Who can review a packet; the one list of them."""

from typing import Literal

# person: what lies in data/review; page: the same, after a review on our own page; oracle: labels that were held back;
# auto: the model's own detections, which nobody looked at
Reviewer = Literal["person", "page", "oracle", "auto"]
BY_HAND = ("person", "page")
