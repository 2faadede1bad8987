"""Finds out how a sheet of the packet lies in the picture that came back, or in the frame that its boxes are in."""

from pathlib import Path
from typing import NamedTuple, cast

from stages.base.decoding import read_bgr
from stages.base.errors import problem
from stages.dataset.crops import to_grey
from stages.formats.source_sheets import FRACTIONS
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats.returned_boxes import ReturnedSheet
from stages.review.identity.resizing import (
    AS_IT_IS,
    FILLED,
    Grey,
    Look,
    Placement,
    Size,
    by_pixels,
    by_shape,
    in_frame,
    look_at,
    share_shown,
)

_ENOUGH = 512  # px of the longer side, to find out which sheet a picture is: squares of 256 px are compared
_KEEP = "Export in the original size (in Roboflow: a version without the preprocessing step Resize)"


class Pictures:
    """The sheets of a packet as they look.

    A picture whose name says its sheet is held against that one alone, which is let go again; only for one that may be
    any sheet are all of them decoded, once, and kept.
    """

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._looks: dict[str, Look] = {}

    def ways(self, sheet: PacketSheet, grey: Grey) -> list[Placement]:
        """Return how `sheet` may lie in the picture `grey`; nothing when that is another sheet."""
        look = self._looks.get(sheet.image_id)
        return by_pixels(self._seen(sheet) if look is None else look, grey)

    def fitting(self, grey: Grey) -> list[PacketSheet]:
        """Return the sheets that the picture `grey` may show."""
        small = _small(grey)
        for sheet in self._packet.sheets:
            if sheet.image_id not in self._looks:
                self._looks[sheet.image_id] = self._seen(sheet)
        return [sheet for sheet in self._packet.sheets if by_pixels(self._looks[sheet.image_id], small)]

    def _seen(self, sheet: PacketSheet) -> Look:
        return look_at(read_grey(self._packet.image(sheet)))


def read_grey(file: Path) -> Grey:
    """Return a picture's grey values, (height, width); raise `UserError` when it does not decode whole."""
    return to_grey(read_bgr(file))


class Place(NamedTuple):
    """How a sheet lies in the frame of its boxes, and how many of its px a pixel of that picture covers, 1 or more."""

    placement: Placement
    pixel: float


def place_by_frame(one: ReturnedSheet, sheet: PacketSheet) -> Place:
    """Return how `sheet` lies in the frame of `one`, of which no picture is there to look at.

    Fractions are taken as those of the whole sheet. Raises `UserError` for a frame of another shape.
    """
    size = (sheet.width, sheet.height)
    if one.frame == FRACTIONS:
        return Place(in_frame(AS_IT_IS, size, FRACTIONS), 1.0)
    found = by_shape(size, _shown_frame(one, sheet, size))
    if found is None:
        mend = f"{_KEEP}, or with the pictures, so that it can be seen how they were resized."
        raise problem(
            "placing.boxes", one.where, px=_px(size), image_id=sheet.image_id, found=_px(one.frame), mend=mend
        )
    return Place(found, _pixel(found))


def place_by_picture(one: ReturnedSheet, sheet: PacketSheet, grey: Grey | None, ways: list[Placement]) -> Place:
    """Return how `sheet` lies in the frame of `one`, whose picture `grey` shows it in one of `ways`.

    `grey` None: the picture is ours, byte for byte. Raises `UserError` when nobody can tell which way, when parts of
    the sheet were cut off, and when the frame is not that of the picture.
    """
    size: Size = (sheet.width, sheet.height)
    picture = size if grey is None else (float(grey.shape[1]), float(grey.shape[0]))
    way = AS_IT_IS if grey is None else _the_way(one, sheet, ways, picture)
    if one.frame == FRACTIONS:
        return Place(in_frame(way, picture, FRACTIONS), _pixel(way))
    frame = _shown_frame(one, sheet, picture)
    if by_shape(picture, frame) is None:
        raise problem("placing.boxes_picture_came", one.where, px=_px(picture), found=_px(one.frame), keep=_KEEP)
    return Place(in_frame(way, picture, frame), _pixel(way))


def _shown_frame(one: ReturnedSheet, sheet: PacketSheet, picture: Size) -> Size:
    """Return the frame of `one`, turned where it is that of the picture before EXIF turns it and the tool is known.

    Raises `UserError` where it is not known what its boxes are on.
    """
    turned = (one.frame[1], one.frame[0])
    if by_shape(picture, one.frame) or not by_shape(picture, turned):
        return one.frame
    if not one.as_shown:
        raise problem(
            "placing.sides_exchanged", one.where, px=_px(picture), image_id=sheet.image_id, found=_px(one.frame)
        )
    return turned


def _pixel(way: Placement) -> float:
    return max(1.0, *(1 / scale for scale in way.scale))


def _the_way(one: ReturnedSheet, sheet: PacketSheet, ways: list[Placement], picture: Size) -> Placement:
    if len(ways) > 1:
        raise problem(
            "placing.picture_shows_how",
            one.where,
            image_id=sheet.image_id,
            ways=" or ".join(each.way for each in ways),
            keep=_KEEP,
        )
    if ways[0].way == FILLED:
        share = share_shown(ways[0], (sheet.width, sheet.height), picture)
        raise problem("placing.all", one.where, image_id=sheet.image_id, share=share, keep=_KEEP)
    return ways[0]


def _small(grey: Grey) -> Grey:
    import cv2

    scale = _ENOUGH / max(grey.shape)
    if scale >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return cast(Grey, cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def _px(size: Size) -> str:
    return f"{size[0]:g} × {size[1]:g} px"
