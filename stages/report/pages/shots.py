"""What is on the pictures of a page: the words under a miss, a false alarm and an object of the packet."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

_PLACE = {"corner": "in a corner", "edge": "at the edge", "center": "in the middle"}


class Shot(NamedTuple):
    """A picture with its words: `picture` is a data URI or None; `rank` is its place in the review."""

    picture: str | None
    title: str
    lines: Sequence[str]
    rank: int | None = None


def miss_shot(row: Mapping[Any, Any], class_name: str, picture: str | None) -> Shot:
    """Return the shot of a miss, a row of the findings: class, size, place, and how nearly it was found."""
    near = row["near_miss"]
    seen = "not seen at all" if pd.isna(near) else f"nearly found: {near:.0%} sure"
    looks = [
        *(["faint"] if row["low_contrast"] else []),
        *(["unusual shape"] if row["unusual_aspect"] else []),
        *(["under another detection"] if row["overlapping"] else []),
    ]
    words = [f"{row['size']}, {_PLACE[row['position']]}", seen, *([", ".join(looks)] if looks else [])]
    return Shot(picture, class_name, [*words, str(row["image_id"])])


def alarm_shot(row: Mapping[Any, Any], class_name: str, picture: str | None) -> Shot:
    """Return the shot of a false alarm, a row of the findings."""
    words = [f"{row['confidence']:.0%} sure", f"{row['size']}, {_PLACE[row['position']]}"]
    return Shot(picture, class_name, [*words, str(row["image_id"])])


def packet_shot(row: Mapping[Any, Any], place: int, picture: str | None) -> Shot:
    """Return the shot of an object that goes to review, a row of the packet's focus boxes; `place` is its sheet's.

    No score stands there: it would tell what was picked from what was drawn at random.
    """
    kind = str(row["kind"]).replace("_", " ")
    title = f"{row['class_name']}, {kind}" if row["class_name"] else kind
    return Shot(picture, title, [str(row["reason"]), str(row["image_id"])], place)
