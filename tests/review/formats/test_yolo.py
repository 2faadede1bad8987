"""YOLO folders in every layout that tools leave them in; what contradicts itself or leads elsewhere is refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.errors import UserError
from stages.picking.packet import Packet, PacketSheet
from stages.review.formats import yolo
from tests.review.packets import (
    Box,
    PacketSpec,
    Work,
    as_a_person_would,
    build_packet,
    differences,
    in_pixels,
    large_spec,
    packet_specs,
    plain_spec,
    truth,
)
from tests.review.round_trip import assert_comes_back, reconciled, written

# Where a tool puts pictures and labels (None: no picture), its class names, and a list of pictures if it has one.
LAYOUTS: dict[str, tuple[str | None, str, str, str | None]] = {
    "Ultralytics": ("images/train/{name}", "labels/train/{stem}.txt", "data.yaml", None),
    "splits outside": ("train/images/{name}", "train/labels/{stem}.txt", "data.yaml", None),
    "ours": ("images/{name}", "labels/{stem}.txt", "data.yaml", None),
    "CVAT": (None, "labels/train/{stem}.txt", "data.yaml", "images/train/{name}"),
    "CVAT with pictures": ("images/train/{name}", "labels/train/{stem}.txt", "data.yaml", "images/train/{name}"),
    "Label Studio": (None, "labels/{stem}.txt", "classes.txt", None),
    "Label Studio with pictures": ("images/{name}", "labels/{stem}.txt", "classes.txt", None),
    "labelImg": ("images/{name}", "labels/{stem}.txt", "labels/classes.txt", None),
    "beside": ("{name}", "{stem}.txt", "classes.txt", None),
    "the labels alone": (None, "{stem}.txt", "classes.txt", None),
    "Darknet": (None, "obj_train_data/{stem}.txt", "obj.names", "data/obj_train_data/{name}"),
    "Darknet with pictures": ("obj_train_data/{name}", "obj_train_data/{stem}.txt", "obj.names", None),
}
DROPS_EMPTY = [name for name, (image, *_, listed) in LAYOUTS.items() if image or listed]


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def row(box: Box, sheet: PacketSheet, ids: list[str], polygon: bool) -> str:
    across, down = sheet.width, sheet.height
    x1, y1, x2, y2 = (value / side for value, side in zip(box.xyxy, (across, down, across, down), strict=True))
    corners = (x1, y1, x2, y1, x2, y2, x1, y2)
    numbers = corners if polygon else ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    return " ".join([str(ids.index(box.class_name)), *(f"{value:.6f}" for value in numbers)])


def exported(
    packet: Packet,
    work: Work,
    folder: Path,
    layout: str,
    *,
    order: list[str] | None = None,
    polygons: bool = False,
    drops_empty: bool = False,
    ends: str = "\n",
) -> Path:
    """Write `work` as a tool would; `order` is the order that it gives the classes."""
    image, label, names, listed = LAYOUTS[layout]
    ids = order or list(packet.classes)
    for sheet in packet.sheets:
        stem = Path(sheet.image_id).stem
        rows = [
            row(box, sheet, ids, polygons and place % 2 == 1) for place, box in enumerate(work.boxes[sheet.image_id])
        ]
        if rows or not drops_empty:
            put(folder / label.format(stem=stem), "".join(f"{line}{ends}" for line in rows))
        if image:
            target = folder / image.format(name=sheet.image_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packet.image(sheet), target)
    if listed:
        put(folder / "train.txt", "".join(f"{listed.format(name=sheet.image_id)}\n" for sheet in packet.sheets))
    described = yaml.safe_dump({"train": "../train/images", "names": dict(enumerate(ids))}, allow_unicode=True)
    put(folder / names, described if names == "data.yaml" else "".join(f"{name}\n" for name in ids))
    return folder


@settings(max_examples=10, deadline=None)
@given(spec=packet_specs())
def test_what_is_written_comes_back(spec: PacketSpec, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("yolo")
    packet = build_packet(spec, folder)
    read = yolo.read(written(packet, yolo, folder / "out"))
    assert (read.classes, read.packet_id) == (packet.classes, packet.packet_id)
    found = assert_comes_back(packet, read, truth(packet), within=0.01)
    assert found.notes == ()


@settings(max_examples=15, deadline=None)
@given(spec=packet_specs(), layout=st.sampled_from(sorted(LAYOUTS)), draw=st.data())
def test_a_persons_work_comes_back_from_every_layout(spec: PacketSpec, layout: str, draw, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("yolo")
    packet = build_packet(spec, folder)
    work = as_a_person_would(packet, np.random.default_rng(spec.seed))
    order = draw.draw(st.permutations(packet.classes))
    polygons = draw.draw(st.booleans())
    how = {
        "drops_empty": layout in DROPS_EMPTY and any(work.boxes.values()),
        "ends": draw.draw(st.sampled_from(["\n", "\r\n"])),
    }
    export = exported(packet, work, folder / "out", layout, order=order, polygons=polygons, **how)
    assert yolo.is_one(export)
    read = yolo.read(export)
    assert read.classes == tuple(order)
    found = assert_comes_back(packet, read, work)
    boxes = [len(boxes) // 2 for boxes in work.boxes.values()]
    assert sum(sheet.polygons for sheet in read.sheets) == (sum(boxes) if polygons else 0)
    assert any("another order" in note for note in found.notes) == (tuple(order) != packet.classes)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout: str, tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    work = truth(packet)
    read = yolo.read(exported(packet, work, tmp_path / "out", layout, drops_empty=layout in DROPS_EMPTY))
    assert all((sheet.image is None) == (LAYOUTS[layout][0] is None) for sheet in read.sheets)
    assert_comes_back(packet, read, work, within=0.01)


def test_a_large_sheet(tmp_path: Path) -> None:
    packet = build_packet(large_spec(), tmp_path)
    work = as_a_person_would(packet, np.random.default_rng(0))
    assert_comes_back(packet, yolo.read(exported(packet, work, tmp_path / "out", "Ultralytics")), work, within=0.01)


def test_a_sheet_that_was_left_out_is_missed(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    export = exported(packet, truth(packet), tmp_path / "out", "Label Studio", drops_empty=True)
    with pytest.raises(UserError, match=r"expected all 3 sheets of the packet, found 1 missing: b c\.jpg"):
        reconciled(packet, yolo.read(export))


def test_names_of_sheets_that_mean_something_to_yolo(tmp_path: Path) -> None:
    names = ("classes.png", "train.png", "images.png", "notes.png")
    sheets = tuple(plain_spec().sheets[0]._replace(image_id=name) for name in names)
    packet = build_packet(plain_spec()._replace(sheets=sheets), tmp_path)
    assert_comes_back(packet, yolo.read(written(packet, yolo, tmp_path / "out")), truth(packet), within=0.01)
    packet = build_packet(plain_spec()._replace(sheets=sheets[1:]), tmp_path / "second")
    for layout in LAYOUTS:
        read = yolo.read(exported(packet, truth(packet), tmp_path / layout, layout))
        assert_comes_back(packet, read, truth(packet), within=0.01)


def spoilt(change: Callable[[Path], object], tmp_path: Path) -> str:
    """Return the one line for our own folder after `change`, without the folder it lies in."""
    packet = build_packet(plain_spec(), tmp_path)
    folder = written(packet, yolo, tmp_path / "out")
    change(folder)
    with pytest.raises(UserError) as caught:
        reconciled(packet, yolo.read(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


BOMB = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nnames: *b\n"
BAD = {
    "labelImg gave the classes an order of its own": (
        lambda folder: put(folder / "labels/classes.txt", "title block\ndoor\nFenster ü\n"),
        "labels/classes.txt: expected the classes of data.yaml in their order (door, title block, Fenster ü), "
        "found title block, door, Fenster ü.",
    ),
    "labelImg wrote beside the pictures": (
        lambda folder: put(folder / "images/a.txt", "0 0.5 0.5 0.1 0.1\n"),
        "images/a.txt: expected every sheet once, found a a second time, after images/a.png.",
    ),
    "a confidence": (
        lambda folder: put(folder / "labels/a.txt", "0 0.5 0.5 0.1 0.1 0.9\n"),
        "labels/a.txt:1: expected five numbers: class x y w h, found '0 0.5 0.5 0.1 0.1 0.9'. A sixth number is a",
    ),
    "a class that is not listed": (
        lambda folder: put(folder / "labels/a.txt", "\n3 0.5 0.5 0.1 0.1\n"),
        "labels/a.txt:2: expected a class of data.yaml (0 door, 1 title block, 2 Fenster ü), found class 3.",
    ),
    "no text": (
        lambda folder: (folder / "labels/a.txt").write_bytes(b"\xff\xfe0\x00"),
        "labels/a.txt: expected text in UTF-8, found other bytes.",
    ),
    "the labels were forgotten": (
        lambda folder: shutil.rmtree(folder / "labels"),
        ": expected label files, found none, and 3 sheets. Export it again with its labels;",
    ),
    "a name twice": (
        lambda folder: put(folder / "data.yaml", "names: [door, door]\n"),
        "data.yaml: expected names: a list of different names",
    ),
    "a name twice in classes.txt": (
        lambda folder: put(folder / "classes.txt", "door\ndoor\n"),
        "classes.txt: expected different names, found door, door.",
    ),
    "YAML that grows": (
        lambda folder: put(folder / "data.yaml", BOMB),
        "data.yaml:2: expected plain keys and values, found the alias *a.",
    ),
    "YAML without end": (
        lambda folder: put(folder / "data.yaml", f"names: {'[' * 5000}"),
        "data.yaml:1: expected plain keys and values, found lists in lists in lists.",
    ),
    "a date that is none": (
        lambda folder: put(folder / "data.yaml", "names: [2020-13-45]\n"),
        "data.yaml: expected valid YAML, found month must be in 1..12.",
    ),
    "no data.yaml but one of gigabytes": (
        lambda folder: put(folder / "data.yaml", "#" * (2 << 20)),
        "data.yaml: expected a description of a dataset, found 2 MB.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_one_line_with_its_place(name: str, tmp_path: Path) -> None:
    change, line = BAD[name]
    assert line in spoilt(change, tmp_path)


def test_data_yaml_leads_nowhere(tmp_path: Path) -> None:
    """An export that names a folder of this computer is not read from there."""
    packet = build_packet(plain_spec(), tmp_path)
    elsewhere = exported(packet, truth(packet), tmp_path / "elsewhere", "ours")
    export = exported(packet, truth(packet), tmp_path / "out", "CVAT")
    (export / "data.yaml").write_text(f"path: {elsewhere}\ntrain: images\nnames: {list(packet.classes)}\n")
    (export / "train.txt").write_text(f"{elsewhere}/images/a.png\n")
    read = yolo.read(export)
    assert [sheet.image for sheet in read.sheets] == [None, None, None]
    assert differences(in_pixels(yolo.read(elsewhere), packet), truth(packet).boxes) == []


@pytest.mark.parametrize("files", [["labels/a.txt"], ["classes.txt"], ["images/a.png", "classes.txt"]])
def test_what_is_no_yolo_folder(files: list[str], tmp_path: Path) -> None:
    for name in files:
        put(tmp_path / name, "")
    assert not yolo.is_one(tmp_path)
    assert not yolo.is_one(tmp_path / files[0])


def test_key_points_behind_the_boxes_are_left_out(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)
    export = written(packet, yolo, tmp_path / "out")
    for file in (export / "labels").glob("[!c]*.txt"):
        lines = [line + " 0.1 0.2 2 0.3 0.4 1" for line in file.read_text(encoding="utf-8").splitlines()]
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with (export / "data.yaml").open("a", encoding="utf-8") as description:
        description.write("kpt_shape: [2, 3]\n")
    found = assert_comes_back(packet, yolo.read(export), truth(packet), within=0.001)
    assert not any("polygon" in note for note in found.notes)


def test_the_packets_id_is_text_also_where_yaml_would_read_a_number(tmp_path: Path) -> None:
    packet = build_packet(plain_spec(), tmp_path)._replace(packet_id="807034908e00")
    assert yolo.read(written(packet, yolo, tmp_path / "out")).packet_id == "807034908e00"


def test_accents_are_stored_in_two_ways(tmp_path: Path) -> None:
    """A Mac stores them apart from their letters: pictures that went through one, and labels that did not."""
    packet = build_packet(plain_spec(), tmp_path)
    for layout in ("Ultralytics", "Darknet with pictures", "beside", "CVAT"):
        export = exported(packet, truth(packet), tmp_path / layout, layout)
        for file in [
            file for file in export.rglob("\u00fc.*") if file.suffix == (".txt" if layout == "CVAT" else ".png")
        ]:
            file.rename(file.with_name(f"u\u0308{file.suffix}"))
        read = yolo.read(export)
        assert len(read.sheets) == 3
        assert [len(sheet.boxes) for sheet in read.sheets if sheet.name in ("\u00fc.png", "u\u0308.png")] == [3]
        assert len(reconciled(packet, read).sheets) == 3
