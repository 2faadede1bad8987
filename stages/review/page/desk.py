"""The review of one packet as the page reads and writes it, sheet by sheet."""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from pydantic import ConfigDict, Field, ValidationError

from stages.base.boxes import BOX
from stages.base.errors import UserError
from stages.base.params import PARAMS, Strict, read_iteration
from stages.dataset.window_names import window_named
from stages.picking import packet as packets
from stages.picking.packet import Packet, PacketSheet
from stages.review.kept.kept_review import (
    HEAD,
    Head,
    ReviewedBox,
    ReviewedSheet,
    Status,
    head_of,
    joined,
    read_head,
    read_sheet,
    review_folder,
    sheet_file,
    write_head,
    write_sheet,
)
from stages.review.kept.review_lock import reviewing

M = TypeVar("M", bound=Strict)
MOST_BOXES = 10_000  # on a sheet: more is a page gone wrong


class Refused(Exception):
    """A request that changed nothing: the status of HTTP, and what the page is told."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": message, **more}


class SentSheet(Strict):
    """A sheet as the page sends it; `revision` is the one that the page had read before it changed it."""

    model_config = ConfigDict(allow_inf_nan=False)  # nor in the boxes

    packet: str
    revision: str
    status: Status
    seconds: float | None = Field(ge=0)
    boxes: list[ReviewedBox] = Field(max_length=MOST_BOXES)


class SentEnd(Strict):
    """What ends a review; `partial`: the sheets that are not done may stay in the pool."""

    packet: str
    partial: bool


class Saved(NamedTuple):
    """A sheet on disk, with the hash of its file: "" before the first save."""

    sheet: ReviewedSheet | None
    revision: str


class Desk:
    """What the page does with a packet; every write is on disk before a method returns."""

    def __init__(self, root: Path, packet: Packet) -> None:
        self.root, self.packet, self.folder = root, packet, review_folder(root, packet)
        self._sheets = {sheet.order: sheet for sheet in packet.sheets}
        self._prelabels = _by_sheet(packet.prelabels)
        self._focus = _by_sheet(packet.focus)
        self._writing = threading.Lock()

    def overview(self) -> dict[str, Any]:
        """Return what the page needs before it shows a sheet."""
        return {
            "packet": self.packet.packet_id,
            "iteration": self.packet.iteration,
            "split": self.packet.split,
            "classes": list(self.packet.classes),
            "sheets": [self._listed(sheet) for sheet in self.packet.sheets],
        }

    def sheet(self, order: int) -> dict[str, Any]:
        """Return a sheet with its pre-labels, what to look at, and its review as saved."""
        sheet = self.known(order)
        saved = self._saved(sheet)
        prelabels = self._prelabels.get(sheet.image_id, [])
        proposed = [{key: one[key] for key in ("class_name", *BOX)} | {"prelabel": one["id"]} for one in prelabels]
        return {
            "order": order,
            "image": f"api/sheets/{order}/image?{sheet.sha256[:12]}",
            "prelabels": prelabels,
            "focus": self._focus.get(sheet.image_id, []),
            "revision": saved.revision,
            "status": saved.sheet.status if saved.sheet else "unreviewed",
            "seconds": (saved.sheet.seconds if saved.sheet else None) or 0.0,
            "boxes": [box._asdict() for box in saved.sheet.boxes] if saved.sheet else proposed,
        }

    def save(self, order: int, body: bytes) -> dict[str, Any]:
        """Write a sheet and return its new revision; `Refused` when it is not valid, or not made from what is saved."""
        sheet, sent = self.known(order), _parsed(SentSheet, body)
        facts = (sheet.image_id, sheet.sha256, sent.status, sent.seconds, self._boxes(sheet, sent))
        with self._writing, reviewing(self.root):
            self._require_open(sent.packet)
            saved = self._saved(sheet)
            reviewed = ReviewedSheet(*facts, source=joined(saved.sheet.source if saved.sheet else "", "page"))
            if reviewed == saved.sheet:  # the answer to the same request was lost
                return {"revision": saved.revision}
            if sent.revision != saved.revision:
                raise Refused(409, "This sheet was changed elsewhere since this page read it.", conflict=True)
            if not (self.folder / HEAD).is_file():
                write_head(self._head(), self.folder)
            write_sheet(reviewed, self.folder, order=order)
            return {"revision": self._saved(sheet).revision}

    def finish(self, body: bytes) -> dict[str, Any]:
        """End the review; `Refused` when sheets are open and the person did not say that they may stay in the pool."""
        sent = _parsed(SentEnd, body)
        with self._writing, reviewing(self.root):
            self._require_open(sent.packet)
            done = sum(self._listed(sheet)["status"] == "reviewed" for sheet in self.packet.sheets)
            rest = len(self.packet.sheets) - done
            if not done or (rest and not (sent.partial and self.packet.split == "pool")):
                raise Refused(409, f"{rest} sheets are not done.", open=rest)
            write_head(self._head()._replace(partial=rest > 0), self.folder)
            return {"done": done, "open": rest}

    def known(self, order: int) -> PacketSheet:
        """Return the sheet at place `order` of the packet; `Refused` when it has none."""
        if order not in self._sheets:
            raise Refused(404, f"The packet has no sheet {order}.")
        return self._sheets[order]

    def _listed(self, sheet: PacketSheet) -> dict[str, Any]:
        listed = {key: getattr(sheet, key) for key in ("order", "image_id", "width", "height", "labels_from", "group")}
        saved = self._saved(sheet).sheet
        seconds = (saved.seconds if saved else None) or 0.0
        return {
            **listed,
            "window": _window_of(sheet),
            "status": saved.status if saved else "untouched",
            "seconds": seconds,
        }

    def _saved(self, sheet: PacketSheet) -> Saved:
        file = sheet_file(self.folder, sheet.order)
        if not file.is_file():
            return Saved(None, "")
        revision = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        return Saved(read_sheet(file, self._head()), revision)

    def _head(self) -> Head:
        """Return the head of the review, that of a new one where there is none yet."""
        begun = (self.folder / HEAD).is_file()
        return read_head(self.folder) if begun else head_of(self.packet, source="page")

    def _boxes(self, sheet: PacketSheet, sent: SentSheet) -> tuple[ReviewedBox, ...]:
        known = {one["id"] for one in self._prelabels.get(sheet.image_id, [])}
        kept = [box.prelabel for box in sent.boxes if box.prelabel is not None]
        if len(set(kept)) != len(kept) or not set(kept) <= known:
            raise Refused(422, "A box names a pre-label that this sheet does not have, or that another one names.")
        return tuple(self._box(sheet, box) for box in sent.boxes)

    def _box(self, sheet: PacketSheet, box: ReviewedBox) -> ReviewedBox:
        """Return the part of a box that is on the sheet."""
        if box.class_name not in self.packet.classes:
            raise Refused(422, f"There is no class {box.class_name!r}.")
        x1, x2 = (min(max(side, 0.0), float(sheet.width)) for side in (box.x1, box.x2))
        y1, y2 = (min(max(side, 0.0), float(sheet.height)) for side in (box.y1, box.y2))
        if x1 >= x2 or y1 >= y2:
            raise Refused(422, "A box has no size on the sheet.")
        return box._replace(x1=x1, y1=y1, x2=x2, y2=y2)

    def _require_open(self, packet_id: str) -> None:
        """Refuse to write once the project has gone on: nobody would ever read it."""
        try:
            on_disk = json.loads((self.packet.folder / packets.HEAD).read_text(encoding="utf-8"))["packet"]
            of_pool = self.packet.split == "pool"
            moved_on = of_pool and read_iteration(self.root / PARAMS) != self.packet.iteration
            gone = moved_on or {packet_id, on_disk, self._head().packet_id} != {self.packet.packet_id}
        except (OSError, ValueError, KeyError, TypeError, UserError):
            gone = True
        if gone:
            raise Refused(410, "The project has gone on: this packet is no longer under review.", gone=True)


def _window_of(sheet: PacketSheet) -> dict[str, Any] | None:
    """Return which part of which sheet this one is, None where it is a whole one."""
    window = window_named(Path(sheet.image_id).stem)
    size = (sheet.width, sheet.height)
    return window._asdict() if window and (window.x2 - window.x1, window.y2 - window.y1) == size else None


def _by_sheet(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a table of the packet as JSON holds them, by image_id."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        named = row.get("prelabel_id", row.get("focus_id"))
        shown = {key: row[key] for key in ("kind", "class_name", *BOX, "reason") if key in row}
        confidence = None if pd.isna(row["confidence"]) else float(row["confidence"])
        rows.setdefault(str(row["image_id"]), []).append({"id": named, **shown, "confidence": confidence})
    return rows


def _parsed(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise Refused(422, f"{place}: {first['msg']}") from error
