"""What is on the pictures of a page: the words under a miss, a false alarm and an object of the packet."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from stages.core.markup import text

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


def gallery(shots: Sequence[Shot], *, wide: bool = False) -> str:
    """Return the shots as HTML, in their order."""
    return f'<div class="shots{" wide" if wide else ""}">{"".join(_figure(shot) for shot in shots)}</div>'


def shown_of(shown: int, total: int, what: str) -> str:
    """Return how many pictures there are of how many: `8 missed boxes`, `24 of 120 missed boxes`."""
    return f"{total} {what}" if shown == total else f"{shown} of {total} {what} are shown"


def bars(values: Mapping[str, float], *, most: float) -> str:
    """Return named numbers with bars, the longest of which stands for `most`."""
    return "".join(
        f'<div class="count"><span>{text(name)}</span>'
        f'<span><i style="width:{100 * value / most if most else 0:.1f}%"></i></span>'
        f"<b>{value if isinstance(value, int) else f'{value:.2f}'}</b></div>"
        for name, value in values.items()
    )


def _figure(shot: Shot) -> str:
    alt = text(f"{shot.title}: {', '.join(shot.lines)}")
    picture = f'<img src="{text(shot.picture)}" alt="{alt}">' if shot.picture else '<div class="blank">no picture</div>'
    rank = f'<span class="rank">{shot.rank}</span>' if shot.rank is not None else ""
    lines = "".join(f"<span>{text(line)}</span>" for line in shot.lines)
    return f"<figure>{picture}{rank}<figcaption><b>{text(shot.title)}</b>{lines}</figcaption></figure>"
