"""The section `review` of `params.yaml`: who reviews a packet."""

from pathlib import Path

from pydantic import Field

from stages.base.params import PARAMS, Strict, read_section
from stages.review.kept.reviewers import Reviewer


class ReviewParams(Strict):
    """Section `review`; no stage reads it, so changing it makes nothing stale."""

    by: Reviewer
    auto_confidence: float = Field(default=0.5, ge=0, le=1)  # has a default: params.yaml of older iterations lack it


def read_review(root: Path = Path()) -> ReviewParams:
    """Return the section `review` of the project at `root`; raise `UserError` with the line of a mistake."""
    return read_section(ReviewParams, "review", root / PARAMS)
