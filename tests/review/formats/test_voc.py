"""Pascal VOC in the layouts and with the whole pixels that tools leave it in; XML that could do harm is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats import voc
from tests.review.identity.test_rounding import TOOLS
from tests.review.packets import (
    Box,
    PacketSpec,
    Work,
    as_a_person_would,
    build_packet,
    differences,
    large_spec,
    packet_specs,
    plain_spec,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled, reviewed_boxes, written

Corners = tuple[float, float, float, float]
# Where a tool puts an XML file, and a picture (None: it is left out); whether empty sheets are only in a list.
LAYOUTS: dict[str, tuple[str, str | None, bool]] = {
    "VOC": ("Annotations/{stem}.xml", "JPEGImages/{name}", False),
    "datumaro": ("Annotations/{stem}.xml", None, True),
    "datumaro with pictures": ("Annotations/{stem}.xml", "JPEGImages/{name}", True),
    "Label Studio": ("Annotations/{stem}.xml", "images/{name}", False),
    "beside": ("train/{stem}.xml", "train/{name}", False),
    "alone": ("{stem}.xml", None, False),
}


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def text(sheet: PacketSheet, boxes: list[Box], rule: Callable[[Corners], Corners], head: str = "<annotation>") -> str:
    size = f"<size><width>{sheet.width}</width><height>{sheet.height}</height><depth>3</depth></size>"
    lines = [head, f"<filename>{escape(sheet.image_id)}</filename>", size]
    for box in boxes:
        sides = zip(("xmin", "ymin", "xmax", "ymax"), rule(box.xyxy), strict=True)
        corners = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
        lines += ["<object>", f"<name>{escape(box.class_name)}</name>", f"<bndbox>{corners}</bndbox>", "</object>"]
    return "\n".join([*lines, "</annotation>\n"])


def exported(
    packet: Packet, work: Work, folder: Path, layout: str, rule: Callable[[Corners], Corners] = lambda box: box
) -> Path:
    """Write `work` as a tool would, the numbers by its `rule`."""
    place, picture, lists_empty = LAYOUTS[layout]
    for sheet in packet.sheets:
        boxes, stem = work.boxes[sheet.image_id], Path(sheet.image_id).stem
        if boxes or not lists_empty:
            put(folder / place.format(stem=stem), text(sheet, boxes, rule))
        if picture:
            target = folder / picture.format(name=sheet.image_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packet.image(sheet), target)
    stems = [Path(sheet.image_id).stem for sheet in packet.sheets]
    if lists_empty:
        put(folder / "ImageSets/Main/default.txt", "".join(f"{stem}\n" for stem in stems))
        put(folder / "ImageSets/Main/door_default.txt", "".join(f"{stem}  1\n" for stem in stems))
    return folder


@settings(max_examples=10, deadline=None)
@given(spec=packet_specs())
def test_what_is_written_comes_back(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("voc")
    packet = build_packet(spec, folder)
    read = voc.read(written(packet, voc, folder / "out"))
    assert read.packet_id == packet.packet_id
    assert assert_comes_back(packet, read, truth(packet), within=0.001).notes == ()


@settings(max_examples=15, deadline=None)
@given(spec=packet_specs(), layout=st.sampled_from(sorted(LAYOUTS)))
def test_a_persons_work_comes_back_from_every_layout(spec: PacketSpec, layout: str, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("voc")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    export = exported(packet, work, folder / "out", layout)
    assert voc.is_one(export) == (any(work.boxes.values()) or not LAYOUTS[layout][2])
    assert_comes_back(packet, voc.read(export), work, within=0.001)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    read = voc.read(exported(packet, truth(packet), tmp_path / "out", layout))
    assert all((sheet.image is None) == (LAYOUTS[layout][1] is None) for sheet in read.sheets)
    assert_comes_back(packet, read, truth(packet), within=0.001)


def test_a_large_sheet(tmp_path: Path) -> None:
    packet = build_packet(large_spec(), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(0))
    assert_comes_back(packet, voc.read(exported(packet, work, tmp_path / "out", "VOC")), work, within=0.001)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_rounds_looks_like_nobody(tool: str, tmp_path: Path) -> None:
    """Untouched boxes come back as they were, so that a sheet that nobody opened is not taken for work."""
    packet = build_packet(plain_spec(boxes=12), tmp_path)
    work = truth(packet)
    left = {**work.boxes, "a.png": work.boxes["a.png"][1:]}  # one box was deleted
    export = exported(packet, Work(left, set()), tmp_path / "out", "VOC", TOOLS[tool])
    found = reconciled(packet, voc.read(export), all_reviewed=False)
    assert found.unopened == ("b c.jpg", "ü.png")
    assert differences(reviewed_boxes(found), {"a.png": left["a.png"]}, within=0.001) == []
    assert [box.prelabel for box in found.sheets[0].boxes] == [box.prelabel for box in left["a.png"]]


@pytest.mark.parametrize(("tool", "off"), list(zip(TOOLS, (0.5, 1.0, 1.0, 2.0, 0.5, 1.0, 0.5), strict=True)))
def test_what_was_drawn_in_a_tool_that_rounds_is_off_by_no_more_than_that(tool: str, off: float, tmp_path) -> None:
    packet = build_packet(plain_spec(boxes=30), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(1))
    assert {box.done for boxes in work.boxes.values() for box in boxes} >= {"confirmed", "moved", "added"}
    read = voc.read(exported(packet, work, tmp_path / "out", "VOC", TOOLS[tool]))
    assert_comes_back(packet, read, work, within=off + 0.001)


def test_verified_in_labelimg_is_done(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", "VOC")
    first, boxes = packet.sheets[0], truth(packet).boxes["a.png"]
    put(export / "Annotations/a.xml", text(first, boxes, lambda box: box, '<annotation verified="yes">'))
    found = reconciled(packet, voc.read(export), all_reviewed=False)
    assert ([sheet.image_id for sheet in found.sheets], found.unopened) == (["a.png"], ("b c.jpg", "ü.png"))


def test_a_sheet_without_xml_is_missed(tmp_path: Path) -> None:
    """Whoever saves no XML file for a sheet has not said that nothing is on it."""
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", "VOC")
    (export / "Annotations/b c.xml").unlink()
    with pytest.raises(UserError, match=r"found 1 missing: b c\.jpg"):
        reconciled(packet, voc.read(export))


def test_labelimg_leaves_the_ending_away(tmp_path: Path) -> None:
    sheets = (plain_spec().sheets[0]._replace(image_id="plan 2.1.png"),)
    packet = build_packet(plain_spec()._replace(sheets=sheets), tmp_path)
    for folder, layout in (("with", "VOC"), ("without", "alone")):
        export = exported(packet, truth(packet), tmp_path / folder, layout)
        file = next(export.rglob("*.xml"))
        file.write_text(file.read_text().replace("plan 2.1.png", "plan 2.1"))
        assert_comes_back(packet, voc.read(export), truth(packet), within=0.001)


LAUGHS = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;&x;">]>\n<annotation>&y;</annotation>'
FETCH = '<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "file:///etc/passwd">\n<annotation/>'
BAD: dict[str, tuple[Callable[[str], str], str]] = {
    "entities": (lambda _: LAUGHS, ":2: expected XML, found a document type declaration (<!DOCTYPE ...>)."),
    "another file": (lambda _: FETCH, ":2: expected XML, found a document type declaration (<!DOCTYPE ...>)."),
    "cut": (lambda old: old[:-20], ": expected XML, found"),
    "no number": (
        lambda old: old.replace("<xmin>", "<xmin>x"),
        ":4: expected bndbox: xmin ymin xmax ymax, found x21.538684 61.088202 96.0 64.0.",
    ),
    "no end": (
        lambda old: old.replace("<xmax>", "<xmax>1e999 "),
        ":4: expected bndbox: xmin ymin xmax ymax, found 21.538684 61.088202 1e999",
    ),
    "no class": (lambda old: old.replace("<name>", "<name> <!--").replace("</name>", "--></name>"), "found ''."),
    "no size": (lambda old: old.replace("<size>", "<size1>").replace("</size>", "</size1>"), "the size of its picture"),
    "no width": (lambda old: old.replace("<width>96", "<width>0"), ": expected the size of its picture, found none."),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_one_line_with_its_place(name: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", "VOC")
    how, line = BAD[name]
    file = export / "Annotations/a.xml"
    file.write_text(how(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        reconciled(packet, voc.read(export))
    assert str(caught.value).startswith(f"{file}:")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_voc_folder(tmp_path: Path) -> None:
    put(tmp_path / "a.xml", "<annotations/>")
    assert not voc.is_one(tmp_path)
    assert not voc.is_one(tmp_path / "a.xml")


def test_a_turned_box_becomes_the_one_around_it(tmp_path: Path) -> None:
    """CVAT and Datumaro keep the box of before it was turned, and the angle beside it."""
    packet = build_packet(plain_spec(boxes=1), tmp_path)
    file = written(packet, voc, tmp_path / "out") / "Annotations/a.xml"
    box = "".join(
        f"<{side}>{at}</{side}>" for side, at in zip(("xmin", "ymin", "xmax", "ymax"), (20, 10, 44, 22), strict=True)
    )
    angle = "<attributes><attribute><name>rotation</name><value>90.0</value></attribute></attributes>"
    thing = f"<object><name>door</name><bndbox>{box}</bndbox>{angle}</object></annotation>"
    file.write_text(file.read_text(encoding="utf-8").replace("</annotation>", thing), encoding="utf-8")
    read = voc.read(tmp_path / "out")
    assert read.sheets[0].boxes[-1].xyxy == pytest.approx((26, 4, 38, 28))
    assert "1 polygon became the box around." in reconciled(packet, read).notes


def test_accents_are_stored_in_two_ways(tmp_path: Path) -> None:
    """A Mac stores them apart from their letters: XML files that went through one, a list that did not."""
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", "datumaro with pictures")
    (export / "Annotations/\u00fc.xml").rename(export / "Annotations/u\u0308.xml")
    read = voc.read(export)
    assert sorted(len(sheet.boxes) for sheet in read.sheets) == [0, 3, 3]
    assert_comes_back(packet, read, truth(packet), within=0.001)
