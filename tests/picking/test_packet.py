import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.base.boxes import BOX
from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import read_labels, sheets_in
from stages.picking.packet import FOCUS, PRELABELS, Outgoing, read_packet, write_packet

CLASSES = ("door", "Fenster ü")
NO_DETECTIONS = pd.DataFrame(columns=["image_id", "class_id", *BOX, "confidence"])
ONE = {"kind": "uncertain", "class_name": "door", "confidence": 0.4, "reason": 'Why, "so"?'}


@pytest.fixture
def pool(tmp_path, monkeypatch):
    """A pool of three sheets of 400 x 200: a has labels, b and `c d` have none."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "dataset/pool"
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True)
    for number, stem in enumerate(("a", "b", "c d")):
        cv2.imwrite(str(root / f"images/{stem}.png"), np.full((200, 400, 3), 60 * number, np.uint8))
    (root / "labels/a.txt").write_bytes(b"0 0.5 0.5 0.1 0.1\r\n\r\n1 0.25 0.5 0.1 0.2")  # its bytes are kept
    return {sheet.image_id: sheet for sheet in sheets_in(root)}


def focus(*image_ids, **other):
    """One object per name, its box 20 x 40 px."""
    rows = [
        {**ONE, "image_id": name, "x1": 10.0 + place, "y1": 20.0, "x2": 30.0 + place, "y2": 60.0, **other}
        for place, name in enumerate(image_ids)
    ]
    columns = [name for name in FOCUS if name not in ("focus_id", "crop")]
    return pd.DataFrame(rows, columns=columns).astype({name: FOCUS[name] for name in columns})


def write(pool, *names, looks=None, detections=NO_DETECTIONS, folder="p", **other):
    """Write a packet of the sheets called `names`, with an object to look at on each."""
    facts = {"classes": CLASSES, "iteration": 3, "seed": 7, "ruler": "3f2a90bc", **other}
    sheets = [Outgoing(pool[name], 400, 200, "set ü" if name == "b.png" else "") for name in names]
    looks = focus(*names) if looks is None else looks
    return write_packet(sheets, focus=looks, detections=detections, folder=Path(folder), **facts)


def content(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


def test_a_sheet_with_a_long_name_has_a_crop(pool):
    image = pool["b.png"].image
    long = image.rename(image.with_name(f"{'图' * 80}.png"))  # 244 of the 255 bytes that a file system takes
    write({long.name: pool["b.png"]._replace(image=long)}, long.name)
    assert [Path("p", crop).is_file() for crop in read_packet(Path("p")).focus["crop"]] == [True]


def test_a_packet_is_whole_sheets_and_what_is_known_of_them(pool):
    write(pool, "b.png", "a.png", looks=focus("a.png", "b.png", "a.png"))
    assert sorted(content("p")) == [
        *("crops/001_01_b.jpg", "crops/002_01_a.jpg", "crops/002_02_a.jpg", "data.yaml", "focus.csv"),
        *("images/a.png", "images/b.png", "labels/a.txt", "labels/b.txt", "packet.json", "prelabels.csv"),
    ]
    for image_id in ("a.png", "b.png"):
        assert Path("p/images", image_id).read_bytes() == pool[image_id].image.read_bytes()
    assert yaml.safe_load(Path("p/data.yaml").read_text(encoding="utf-8")) == {"names": list(CLASSES)}


def test_the_head_says_what_it_is(pool):
    write(pool, "b.png", "a.png")
    packet = read_packet(Path("p"))
    assert packet[2:6] == (3, CLASSES, 7, "3f2a90bc")
    hashes = {name: hashlib.sha256(pool[name].image.read_bytes()).hexdigest() for name in ("a.png", "b.png")}
    assert [tuple(sheet) for sheet in packet.sheets] == [
        (1, "b.png", hashes["b.png"], 400, 200, "model", "set ü"),
        (2, "a.png", hashes["a.png"], 400, 200, "claims", ""),
    ]
    assert packet.image(packet.sheets[0]).read_bytes() == pool["b.png"].image.read_bytes()


def test_claims_stay_as_they_are_and_detections_become_labels(pool):
    found = pd.DataFrame(
        [("b.png", 1, 40.0, 50.0, 80.0, 150.0, 0.75), ("a.png", 0, 0.0, 0.0, 9.0, 9.0, 0.9)],
        columns=NO_DETECTIONS.columns,
    )
    write(pool, "a.png", "b.png", "c d.png", detections=found)
    assert Path("p/labels/a.txt").read_bytes() == pool["a.png"].label.read_bytes()
    assert Path("p/labels/b.txt").read_text() == "1 0.150000 0.500000 0.100000 0.500000\n"
    assert read_labels(Path("p/labels/b.txt"), CLASSES).class_id.tolist() == [1]
    assert Path("p/labels/c d.txt").read_text() == ""
    back = read_packet(Path("p")).prelabels.astype(object)
    assert back.where(back.notna(), None).values.tolist() == [
        ["a.png", "1-1", "door", 180.0, 90.0, 220.0, 110.0, None],  # centre (200, 100), 40 x 20
        ["a.png", "1-2", "Fenster ü", 80.0, 80.0, 120.0, 120.0, None],
        ["b.png", "2-1", "Fenster ü", 40.0, 50.0, 80.0, 150.0, 0.75],
    ]


def test_objects_to_look_at_come_in_the_order_of_the_sheets(pool):
    looks = focus("a.png", "b.png", "a.png")
    looks.loc[1, ["kind", "class_name", "confidence"]] = ["nothing_seen", "", pd.NA]
    write(pool, "b.png", "a.png", looks=looks)
    back = read_packet(Path("p")).focus
    assert {name: str(kind) for name, kind in back.dtypes.items()} == FOCUS
    assert back["focus_id"].tolist() == ["1-1", "2-1", "2-2"]
    assert back["x1"].tolist() == [11.0, 10.0, 12.0]
    assert back["confidence"].isna().tolist() == [True, False, False]
    assert back["class_name"].tolist() == ["", "door", "door"]
    assert back["reason"].tolist() == ['Why, "so"?'] * 3
    assert [Path("p", crop).is_file() for crop in back["crop"]] == [True] * 3


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(str.strip)
EDGE = st.sampled_from([0.0, 0.000001, 1 / 3, 17.25, 199.5])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(NAMES | st.sampled_from(["NA", "null", "1", "1.0", "True", "a,b", '"']), min_size=1, unique=True),
    st.lists(st.tuples(st.integers(0, 99), EDGE, EDGE, st.floats(0.01, 1)), max_size=5),
    st.text(max_size=20),
)
def test_what_is_written_comes_back(pool, classes, boxes, reason):
    found = pd.DataFrame(
        [("b.png", number % len(classes), x, y, x + 1, y + 0.5, sure) for number, x, y, sure in boxes],
        columns=NO_DETECTIONS.columns,
    )
    reason = " ".join(reason.split())  # a sentence of ours has no line breaks
    name = classes[-1]
    looks = focus("b.png", class_name=name, reason=reason)
    write(pool, "b.png", detections=found, looks=looks, classes=classes)
    back = read_packet(Path("p"))
    assert back.classes == tuple(classes)
    assert back.prelabels["class_name"].tolist() == [classes[number] for number in found["class_id"]]
    assert back.prelabels[BOX].to_numpy(float) == pytest.approx(found[BOX].to_numpy(float), abs=1e-6)
    assert back.prelabels["confidence"].to_numpy(float) == pytest.approx(found["confidence"].to_numpy(float), abs=1e-6)
    assert back.focus[["class_name", "reason"]].values.tolist() == [[name, reason]]
    assert {name: str(kind) for name, kind in back.prelabels.dtypes.items()} == PRELABELS


def test_empty_packet_is_a_packet(pool):
    write(pool)
    packet = read_packet(Path("p"))
    assert (packet.sheets, len(packet.prelabels), len(packet.focus)) == ((), 0, 0)
    assert list(packet.prelabels) == list(PRELABELS)
    assert sorted(content("p")) == ["data.yaml", "focus.csv", "packet.json", "prelabels.csv"]


def test_a_new_packet_replaces_the_old_one_and_equal_ones_are_equal_bytes(pool):
    write(pool, "a.png", "c d.png")
    write(pool, "b.png")
    write(pool, "b.png", folder="q")
    assert content("p") == content("q")
    assert sorted(file.name for file in Path().iterdir()) == ["dataset", "p", "q"]


@pytest.mark.parametrize(
    "other",
    [
        {"iteration": 4},
        {"seed": 8},
        {"ruler": "00000000"},
        {"classes": ("door", "window")},
        {"looks": focus("b.png", reason="Because.")},
        {"detections": pd.DataFrame([("b.png", 1, 1.0, 1.0, 2.0, 2.0, 0.9)], columns=NO_DETECTIONS.columns)},
    ],
)
def test_another_packet_has_another_id(pool, other):
    write(pool, "b.png")
    write(pool, "b.png", folder="q", **other)
    one, two = read_packet(Path("p")).packet_id, read_packet(Path("q")).packet_id
    assert len(one) == len(two) == 12
    assert one != two


def test_a_failure_leaves_the_old_packet(pool):
    write(pool, "a.png")
    before = content("p")
    pool["b.png"].image.write_bytes(b"no image")
    with pytest.raises(UserError, match="expected an image"):
        write(pool, "b.png")
    assert content("p") == before
    assert sorted(file.name for file in Path().iterdir()) == ["dataset", "p"]


def spoil_head(**changes):
    head = Path("p/packet.json")
    head.write_text(json.dumps({**json.loads(head.read_text()), **changes}))


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda: shutil.rmtree("p"), r"p/packet.json: expected a packet, found no file"),
        (lambda: Path("p/packet.json").unlink(), r"p/packet.json: expected a packet, found no file"),
        (lambda: Path("p/packet.json").write_text("{"), r"p/packet.json: expected the head of a packet, found"),
        (
            lambda: Path("p/packet.json").write_bytes(b"\xff\xfe"),
            r"p/packet.json: expected the head of a packet, found",
        ),
        (lambda: Path("p/packet.json").write_text("[]"), r"p/packet.json: expected the head of a packet, found"),
        (lambda: Path("p/packet.json").write_text("{}"), r"p/packet.json: expected the head of a packet, found"),
        (lambda: spoil_head(sheets=[{"order": 1}]), r"p/packet.json: expected the head of a packet, found"),
        (lambda: spoil_head(iteration=4), r"p/packet.json: expected content that fits its own id, found another"),
        (lambda: spoil_head(files={}), r"p/packet.json: expected content that fits its own id, found another"),
        (lambda: Path("p/images/b.png").write_bytes(b"x"), r"p/images/b.png: .* as the packet lists it, found other"),
        (lambda: Path("p/images/b.png").unlink(), r"p/images/b.png: .* as the packet lists it, found no file"),
        (lambda: Path("p/labels/a.txt").write_text(""), r"p/labels/a.txt: .* as the packet lists it, found other"),
        (
            lambda: Path("p/prelabels.csv").write_text("a\n1\n"),
            r"p/prelabels.csv: .* as the packet lists it, found other",
        ),
        (lambda: Path("p/focus.csv").unlink(), r"p/focus.csv: .* as the packet lists it, found no file"),
    ],
)
def test_what_is_no_packet_is_one_line(pool, spoil, found):
    write(pool, "b.png", "a.png")
    spoil()
    with pytest.raises(UserError, match=found) as error:
        read_packet(Path("p"))
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(("`dvc repro` to write it again.", "or `dvc checkout`."))


@pytest.mark.parametrize(
    ("name", "text"), [("focus.csv", "a\n1\n"), ("prelabels.csv", ",".join(PRELABELS) + "\nb.png,1-1,door,x,2,3,4,\n")]
)
def test_without_its_pictures_the_head_and_the_tables_can_be_read(pool, name, text):
    write(pool, "b.png", "a.png")
    shutil.rmtree("p/images")
    assert len(read_packet(Path("p"), whole=False).focus) == 2
    Path("p", name).write_text(text)
    with pytest.raises(UserError, match=rf"p/{name}: expected a table of a packet, found") as error:
        read_packet(Path("p"), whole=False)
    assert "\n" not in str(error.value)
