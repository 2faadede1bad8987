"""The one plain form that every dataset is read into, whichever tool wrote it."""

from typing import NamedTuple

from stages.dataset.defects import Defect
from stages.dataset.sheets.split_folder import Labels
from stages.formats.yolo_folder import Item, Source

FRACTIONS = (1.0, 1.0)  # the frame of rows that are fractions of the image already

Box = tuple[float, float, float, float]


class Row(NamedTuple):
    """One object of a sheet: its class_id, and its centre and size in the sheet's frame.

    `line` is the line of a text file or the id of an annotation; `text` is the row as a YOLO file has it, and ""
    where it must be written anew (a polygon, another format, a box that was clipped). `outline`: it was drawn as
    something else than an upright box.
    """

    line: int
    class_id: int
    xywh: Box
    text: str = ""
    polygon: bool = False
    outline: bool = False
    prelabel: str | None = None  # the id of our pre-label, where a tool kept it
    numbers: int = 4  # behind the class in a YOLO file
    keyed: bool = False  # the first four of more numbers may be a box, the others points in it

    @property
    def xyxy(self) -> Box:
        """Its corners, in the sheet's frame."""
        x, y, w, h = self.xywh
        return x - w / 2, y - h / 2, x + w / 2, y + h / 2


class SourceSheet(NamedTuple):
    """One image of a dataset with its rows, as they were read, and what was wrong with those that are none.

    `frame` (width, height) is what the rows are fractions of: (1, 1), or an image size in px; None: nobody said.
    """

    split: str
    item: Item
    rows: tuple[Row, ...] = ()
    frame: tuple[float, float] | None = FRACTIONS
    findings: tuple[Defect, ...] = ()
    name: str = ""  # of the image in the annotations of a review, where it may be another one
    is_there: bool = True  # the image is; it need not be in a review
    is_done: bool = False  # the annotations say that somebody has looked at it
    as_shown: bool = False  # boxes are on the picture as EXIF turns it, whatever size the annotations say


class LostBoxes(NamedTuple):
    """Boxes of a split that are not taken, by the code of the finding; "" where their class is not known."""

    split: str
    class_name: str
    code: str
    boxes: int


class Dataset(NamedTuple):
    """A dataset as it was read: the words for its format, where its images are, its sheets, what is odd about it."""

    kind: str
    source: Source
    sheets: tuple[SourceSheet, ...]
    findings: tuple[Defect, ...] = ()
    lost: tuple[LostBoxes, ...] = ()  # what belongs to none of `sheets`


class Picture(NamedTuple):
    """What is known of an image that decodes: its size as we see it, in px, and EXIF's orientation, 1 to 8.

    With an orientation from 5 to 8 the stored picture is (height, width) of ours.
    """

    width: int
    height: int
    orientation: int = 1


class SheetLabels(NamedTuple):
    """The labels of one image as rows of five numbers, as boxes, and how many of them were polygons."""

    text: str
    boxes: Labels
    polygons: int
