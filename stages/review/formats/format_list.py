"""The formats in which a packet goes out to a tool and comes back from it; each has a module of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stages.picking.packet import Packet
from stages.review.formats import coco, cvat, label_studio, roboflow, voc, yolo
from stages.review.formats.returned_boxes import Returned


class Format(NamedTuple):
    """A format: its word on the command line, its name, and how it is recognised, read and written.

    `is_one` looks at an unpacked folder or a single file. `read` raises `UserError` with the place of what is damaged.
    `write` fills an empty folder and returns what to do with it in the tool, a line for each step.
    """

    name: str
    title: str
    is_one: Callable[[Path], bool]
    read: Callable[[Path], Returned]
    write: Callable[[Packet, Path], list[str]]


# In the order in which a path is compared with them: the most particular ones first.
FORMATS = {
    one.name: one
    for one in (
        Format("label-studio", "Label Studio", label_studio.is_one, label_studio.read, label_studio.write),
        Format("cvat", "CVAT", cvat.is_one, cvat.read, cvat.write),
        Format("roboflow", "Roboflow", roboflow.is_one, roboflow.read, roboflow.write),
        Format("coco", "COCO JSON", coco.is_one, coco.read, coco.write),
        Format("voc", "Pascal VOC", voc.is_one, voc.read, voc.write),
        Format("yolo", "YOLO folder", yolo.is_one, yolo.read, yolo.write),
    )
}
