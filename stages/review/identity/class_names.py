"""Compares the class names of an export with those of the packet: by name, never by their order."""

from collections import Counter
from collections.abc import Sequence

from stages.base.errors import problem
from stages.picking.packet import Packet
from stages.review.formats.returned_boxes import Returned
from stages.review.formats.roboflow import plain_name
from stages.review.identity.sheet_identity import Match


def with_our_names(packet: Packet, returned: Returned) -> Returned:
    """Return `returned` with the packet's class names where Roboflow wrote them in plain letters.

    A name that may be two of ours stays as it is, and is unknown then.
    """
    if returned.tool != "roboflow":
        return returned
    counts = Counter(plain_name(name).casefold() for name in packet.classes)
    ours = {plain_name(name).casefold(): name for name in packet.classes}

    def own(name: str) -> str:
        plain = plain_name(name).casefold()
        return name if name in packet.classes or counts[plain] != 1 else ours[plain]

    sheets = (
        sheet._replace(boxes=tuple(box._replace(class_name=own(box.class_name)) for box in sheet.boxes))
        for sheet in returned.sheets
    )
    return returned._replace(classes=tuple(own(name) for name in returned.classes), sheets=tuple(sheets))


def require_classes(packet: Packet, returned: Returned, matches: Sequence[Match]) -> None:
    """Raise `UserError` for a box of a class that is not ours; a class that nobody used does no harm."""
    strange = [
        (box, match) for match in matches for box in match.returned.boxes if box.class_name not in packet.classes
    ]
    if not strange:
        return
    box, match = strange[0]
    counts = Counter(other.class_name for other, _ in strange)
    here = sum(other.class_name == box.class_name for other in match.returned.boxes)
    words = [f"'{box.class_name}': {_boxes(here)} on {match.sheet.image_id}, {counts[box.class_name]} in all"]
    words += [f"'{name}': {count}" for name, count in sorted(counts.items()) if name != box.class_name]
    gone = [name for name in packet.classes if returned.classes and name not in returned.classes]
    renamed = f"; it has no '{gone[0]}' any more: was that renamed?" if gone else "."
    raise problem(
        "class_names.boxes_packet_classes",
        box.where,
        classes=", ".join(packet.classes),
        found="; ".join(words),
        renamed=renamed,
    )


def other_order(packet: Packet, returned: Returned) -> str:
    """Return the classes as an export orders them, "" where that is our order."""
    theirs = [name for name in returned.classes if name in packet.classes]
    return "" if theirs == [name for name in packet.classes if name in theirs] else ", ".join(theirs)


def _boxes(count: int) -> str:
    return f"{count} box{'es' * (count != 1)}"
