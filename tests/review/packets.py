"""Random packets, written by the product's own writer, and a person who edits them: what every format is tested with.

A test of a format: build a packet, write it, edit what was written as the tool would, read it, and ask `returned_boxes`
(or `reconcile`) for what came back; `differences` says what is not as the person left it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from hypothesis import strategies as st

from stages.base.boxes import BOX
from stages.dataset.image_names import same_stem
from stages.dataset.sheets.split_folder import Sheet, label_text
from stages.picking.packet import FOCUS, Outgoing, Packet, read_packet, write_packet
from stages.review.formats.outgoing_boxes import prelabels_by_sheet
from stages.review.formats.returned_boxes import Returned

# Composed and decomposed accents, other scripts, blanks, what XML, YAML and addresses use for themselves.
STEMS = (
    *("a", "plan 1", "two  blanks", "Möbel", "Mo\u0308bel 2", "図面 1", "чертёж", "A & B <1>", "it's #1", "100% x+y=z"),
    *("plan.v2.1", "x_jpg.rf.0a1b2c", "a,b;c", "(copy)", "--dash", "😀", "UPPER", "train", "labels", "é" * 40),
)
SUFFIXES = (".png", ".jpg", ".JPG", ".jpeg", ".bmp", ".webp", ".tif")
# What YAML would take for something else than text, too.
CLASSES = (
    *("door", "Fenster ü", "Fenster u\u0308", "title block", "yes", "null", "1", "2.5", "no: 3", "# four", "a, b"),
    *("ключ", "<&>", "'single'", '"double"', "DOOR", "a/b", "-", "~", "窓 2"),
)
COUNTS = (0, 1, 2, 5, 40, 300)
TOLERANCE = 0.5  # px that a box may come back away from where it was


class SheetSpec(NamedTuple):
    """A sheet to be made: `claims` says that it has labels, else the boxes are detections."""

    image_id: str
    width: int
    height: int
    boxes: int
    claims: bool


class PacketSpec(NamedTuple):
    """A packet to be made; all that is not said here is drawn from the seed."""

    classes: tuple[str, ...]
    sheets: tuple[SheetSpec, ...]
    seed: int


class Box(NamedTuple):
    """A box as a person leaves it, in px of the original; `done`: confirmed, moved, reclassified or added."""

    class_name: str
    xyxy: tuple[float, float, float, float]
    prelabel: str | None
    done: str = "confirmed"


class Work(NamedTuple):
    """What a person made of a packet: the boxes of every sheet, and the pre-labels that they deleted."""

    boxes: dict[str, list[Box]]
    deleted: set[str]


@st.composite
def packet_specs(draw: st.DrawFn, *, stems: Sequence[str] = STEMS, classes: Sequence[str] = CLASSES) -> PacketSpec:
    """Draw a packet of one to five sheets of 40 to 120 px; stems differ as the dataset asks for."""
    names = draw(st.lists(st.sampled_from(stems), min_size=1, max_size=5, unique_by=same_stem))
    side = st.integers(40, 120)
    sheets = tuple(
        SheetSpec(
            f"{stem}{draw(st.sampled_from(SUFFIXES))}",
            *(draw(side), draw(side), draw(st.sampled_from(COUNTS)), draw(st.booleans())),
        )
        for stem in names
    )
    taken = tuple(draw(st.lists(st.sampled_from(classes), min_size=1, max_size=6, unique=True)))
    return PacketSpec(taken, sheets, draw(st.integers(0, 2**16)))


def large_spec(side: int = 2560) -> PacketSpec:
    """Return a packet of one large sheet with 300 boxes: for one slow test."""
    return PacketSpec(("door", "title block"), (SheetSpec("large plan.png", side, side * 3 // 4, 300, False),), 7)


def many_spec(sheets: int) -> PacketSpec:
    """Return a packet of so many small sheets with two detections each: for tests of how work grows."""
    return PacketSpec(
        ("door", "sink"), tuple(SheetSpec(f"s{number:03d}.png", 64, 48, 2, False) for number in range(sheets)), 3
    )


def plain_spec(*, claims: bool = False, boxes: int = 3) -> PacketSpec:
    """Return a packet of three sheets for tests of single cases; the second one is empty."""
    sizes = (("a.png", boxes), ("b c.jpg", 0), ("ü.png", boxes))
    sheets = tuple(SheetSpec(name, 96, 64, count, claims) for name, count in sizes)
    return PacketSpec(("door", "title block", "Fenster ü"), sheets, 3)


def build_packet(spec: PacketSpec, folder: Path) -> Packet:
    """Write the packet of `spec` at folder/packet, from a made-up pool beside it, and return it as it is read."""
    rng = np.random.default_rng(spec.seed)
    outgoing, detections = [], []
    for number, one in enumerate(spec.sheets):
        sheet = Sheet(folder / "pool/images" / one.image_id, folder / f"pool/labels/{Path(one.image_id).stem}.txt")
        _save(sheet.image, _pixels(rng, one))
        ids = rng.integers(0, len(spec.classes), one.boxes)
        boxes = _boxes(rng, one)
        if one.claims:
            sheet.label.parent.mkdir(parents=True, exist_ok=True)
            sheet.label.write_text(label_text(ids.tolist(), _fractions(boxes, one)), encoding="utf-8")
        else:
            found = pd.DataFrame(boxes, columns=BOX).assign(
                image_id=one.image_id, class_id=ids, confidence=rng.random(len(ids)).round(6)
            )
            detections.append(found)
        outgoing.append(Outgoing(sheet, one.width, one.height, group="set 1" if number % 2 else ""))
    columns = ["image_id", "class_id", *BOX, "confidence"]
    write_packet(
        outgoing,
        focus=_focus(spec),
        detections=pd.concat([pd.DataFrame(columns=columns), *detections], ignore_index=True),
        classes=spec.classes,
        iteration=2,
        seed=spec.seed,
        ruler="0123abcd",
        folder=folder / "packet",
    )
    return read_packet(folder / "packet")


def truth(packet: Packet) -> Work:
    """Return the boxes that the review starts from, as if a person had confirmed them all."""
    return Work(
        {
            sheet.image_id: [
                Box(one.class_name, one[2:6], one.prelabel_id) for one in prelabels_by_sheet(packet)[sheet.image_id]
            ]
            for sheet in packet.sheets
        },
        set(),
    )


def as_a_person_would(packet: Packet, rng: np.random.Generator) -> Work:
    """Confirm, move, reclassify and delete boxes, and add some on each sheet."""
    rng = rng.spawn(1)[0]  # with the packet's own seed it would add boxes that are there already
    boxes: dict[str, list[Box]] = {}
    deleted = set()
    for sheet in packet.sheets:
        left = []
        for one in truth(packet).boxes[sheet.image_id]:
            done = rng.choice(["confirmed", "moved", "reclassified", "deleted"], p=[0.5, 0.2, 0.15, 0.15])
            if done == "deleted":
                deleted.add(str(one.prelabel))
            else:
                left.append(_edited(one, done, packet.classes, (sheet.width, sheet.height), rng))
        for _ in range(rng.integers(0, 4)):
            name = packet.classes[rng.integers(len(packet.classes))]
            left.append(Box(name, _box(rng, sheet.width, sheet.height), None, "added"))
        boxes[sheet.image_id] = left
    return Work(boxes, deleted)


def returned_boxes(returned: Returned) -> dict[str, list[Box]]:
    """Return what a reader gave, by the name of the sheet; fractions stay fractions."""
    assert len({sheet.name for sheet in returned.sheets}) == len(returned.sheets)
    return {
        sheet.name: [Box(one.class_name, one.xyxy, one.prelabel) for one in sheet.boxes] for sheet in returned.sheets
    }


def in_pixels(returned: Returned, packet: Packet) -> dict[str, list[Box]]:
    """Return what a reader gave in px of the packet's sheets, for an export that kept their names."""
    sizes = {sheet.image_id: (sheet.width, sheet.height) for sheet in packet.sheets}
    found = {}
    for sheet in returned.sheets:
        across, down = (side / frame for side, frame in zip(sizes[sheet.name], sheet.frame, strict=True))
        found[sheet.name] = [Box(one.class_name, _scaled(one.xyxy, across, down), one.prelabel) for one in sheet.boxes]
    return found


def differences(
    found: Mapping[str, Sequence[Box]], wanted: Mapping[str, Sequence[Box]], *, within: float = TOLERANCE
) -> list[str]:
    """Return what is not the same: sheets, and boxes of one class that have no partner `within` px; [] when all is."""
    lines = [f"{name}: missing" for name in sorted(set(wanted) - set(found))]
    lines += [f"{name}: not asked for" for name in sorted(set(found) - set(wanted))]
    for name in sorted(set(wanted) & set(found)):
        for class_name in sorted({box.class_name for box in (*wanted[name], *found[name])}):
            here, there = (
                [box.xyxy for box in group if box.class_name == class_name] for group in (found[name], wanted[name])
            )
            lines += [f"{name}, {class_name}: {line}" for line in _unlike(here, there, within)]
    return lines


def save_resized(source: Path, target: Path, size: tuple[int, int]) -> None:
    """Store a picture again at `size` (width, height): what a tool that downsizes does."""
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    _save(target, cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _unlike(found: Sequence[tuple[float, ...]], wanted: Sequence[tuple[float, ...]], within: float) -> Iterable[str]:
    """Yield a line for another count, and for each wanted box that is paired with one too far away."""
    from scipy.optimize import linear_sum_assignment

    if len(found) != len(wanted):
        yield f"{len(found)} boxes, not {len(wanted)}"
        return
    if wanted:
        apart = np.abs(np.asarray(found)[None] - np.asarray(wanted)[:, None]).max(axis=2)
        for row, column in zip(*linear_sum_assignment(apart), strict=True):
            if apart[row, column] > within:
                yield f"{found[column]} for {wanted[row]}"


def _edited(one: Box, done: str, classes: Sequence[str], size: tuple[int, int], rng: np.random.Generator) -> Box:
    others = [name for name in classes if name != one.class_name]
    if done == "reclassified" and others:
        return one._replace(class_name=others[rng.integers(len(others))], done=done)
    if done == "moved":
        return one._replace(xyxy=_box(rng, *size), done=done)
    return one


def _scaled(xyxy: Sequence[float], across: float, down: float) -> tuple[float, float, float, float]:
    return xyxy[0] * across, xyxy[1] * down, xyxy[2] * across, xyxy[3] * down


def _pixels(rng: np.random.Generator, one: SheetSpec) -> np.ndarray:
    """Return a picture of its own, smooth enough for a lossy format, (height, width, 3)."""
    rough = rng.integers(40, 215, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(rough, (one.width, one.height), interpolation=cv2.INTER_CUBIC)


def _save(file: Path, picture: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(file.suffix.lower(), picture)
    assert done
    file.write_bytes(data.tobytes())


def _boxes(rng: np.random.Generator, one: SheetSpec) -> np.ndarray:
    """Return boxes (n, 4) in px, no two the same."""
    boxes = [_box(rng, one.width, one.height) for _ in range(one.boxes)]
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def _box(rng: np.random.Generator, width: int, height: int) -> tuple[float, float, float, float]:
    """Return a box on the sheet: any, one of a single px, or one that ends at the border."""
    kind = rng.integers(4)
    sides = []
    for limit in (width, height):
        size = 1.0 if kind == 0 else rng.uniform(1.0, limit)
        start = limit - size if kind == 1 else rng.uniform(0.0, limit - size)
        sides.append((float(start), float(start + size)))
    (x1, x2), (y1, y2) = sides
    return x1, y1, min(x2, float(width)), min(y2, float(height))


def _fractions(boxes: np.ndarray, one: SheetSpec) -> np.ndarray:
    from stages.base.boxes import xyxy_to_xywhn

    return xyxy_to_xywhn(boxes, width=one.width, height=one.height)


def _focus(spec: PacketSpec) -> pd.DataFrame:
    """Return a focus box on every second sheet."""
    rows = [
        {
            **{"image_id": one.image_id, "kind": "uncertain", "class_name": spec.classes[0], "confidence": 0.5},
            **dict(zip(BOX, (1.0, 1.0, 9.0, 9.0), strict=True)),
            "reason": 'Why, "so" & <so>?',
        }
        for one in spec.sheets[::2]
    ]
    kinds = {name: kind for name, kind in FOCUS.items() if name not in ("focus_id", "crop")}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)
